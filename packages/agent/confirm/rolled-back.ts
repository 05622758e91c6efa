// A change that was taken back, as it is told, and what of it only an operator changes.
import type { Entries, Reverted } from '@powernode/core/compile/take-back';
import { isReverted } from '@powernode/core/confirm/roll-back';
import { confirmLostMs, revertedNamedMax } from '@powernode/core/limits/agent';
import type { EntryValue } from '@powernode/core/wire/document';
import type { FoundProblem } from '../observe/problems.ts';
import type { RolledBack } from './trial-file.ts';

/** One for each network of which something is not applied. `entries`: the document as the platform wants it. */
export function rolledBackProblems(rolledBack: RolledBack, entries: Entries): FoundProblem[] {
  const active = rolledBack.reverted.filter((one) => isReverted(one, entries));
  const networks = new Set(active.map((one) => networkOf(one, entries)));
  const named = active
    .slice(0, revertedNamedMax)
    .map(({ key, field }) => (field === null ? key : `${key} (${field})`));
  const more = active.length > named.length ? `, and ${active.length - named.length} more` : '';
  const detail =
    `Revision ${rolledBack.revision} disconnected the instance from ${rolledBack.lost} for ` +
    `${confirmLostMs / 1000} s and was rolled back at ${rolledBack.at}. Not applied: ${named.join(', ')}${more}.`;
  return Array.from(networks, (networkId) => ({
    code: 'change_rolled_back',
    detail,
    ...(networkId === null ? {} : { networkId }),
  }));
}

/** Where a spoke behind a NAT is now is no intent; what leads to hubs, and all that is no tunnel, is. */
export function isIntent({ key }: Reverted): boolean {
  return !key.startsWith('peer/') || /^peer\/[^/]+-\d+\//.test(key);
}

function networkOf({ key, instead }: Reverted, entries: Entries): string | null {
  const entry = entries.get(key) ?? (instead as EntryValue | null);
  if (entry === null || typeof entry !== 'object') return null;
  if ('network_id' in entry) return entry.network_id;
  const on = 'interface' in entry ? entries.get(`interface/${entry.interface}`) : undefined;
  return on?.kind === 'interface' ? on.network_id : null;
}
