// `powernode agent leave`: stops a running agent, tells the platform, takes away everything of its that is found on the
// machine, puts settings back, and forgets the platform. May be repeated; it does what is left to do.
import { ProductError } from '@powernode/core/errors';
import { type LeavingOutcome, reportLeaving } from '../link/report-leaving.ts';
import { StateFolder } from '../state/folder.ts';
import { type Identity, readIdentity } from '../state/identity.ts';
import { forget, stopAgent, takeDown } from './departure.ts';
import { readOptions, stateDirDefault } from './options.ts';

export async function leave(args: readonly string[]): Promise<number> {
  const options = readOptions(args, {
    'state-dir': { type: 'string', default: stateDirDefault },
    local: { type: 'boolean', default: false },
  });
  const folder = new StateFolder(options['state-dir']);
  const known = folder.list('').length > 0;
  if (!known && process.getuid?.() !== 0) return said(nothing);
  const lock = await stopAgent(folder);
  // Only now: while its agent runs, the platform would take this machine for another one with the same identity.
  const identity = options.local ? null : identityIn(folder);
  const outcome = identity === null ? null : await reportLeaving(identity);
  const removed = lock === null ? 0 : await takeDown(folder);
  forget(folder);
  lock?.leave();
  if (!known && removed === 0) return said(nothing);
  return said(
    `Left the platform. Everything that the agent configured was removed.${remainder(identity, outcome)}`,
  );
}

const nothing = 'Nothing to leave: this instance has not joined a platform.';

/** One that is revoked is gone already; one that cannot be read cannot say who it is. */
function identityIn(folder: StateFolder): Identity | null {
  try {
    const identity = readIdentity(folder);
    return identity?.revoked_at === null ? identity : null;
  } catch (error) {
    if (error instanceof ProductError) return null;
    throw error;
  }
}

/** What is so on the platform now, and what remains to be done there. */
function remainder(identity: Identity | null, outcome: LeavingOutcome | null): string {
  if (identity === null || outcome === null) return '';
  const { platform_url: url, instance_id: id } = identity;
  switch (outcome.kind) {
    case 'ended':
      return ` ${url} has ended instance ${id}.`;
    case 'unknown':
      return ` ${url} no longer had this instance in its fleet.`;
    case 'kept':
      return `\n${url} keeps instance ${id}: another system is connected with the same identity.`;
    case 'not_reported':
      return (
        `\n${url} could not be notified, and still lists this instance: ${outcome.why}\n` +
        `To finish, run this with an operator's token: powernode instance terminate --instance-id ${id}`
      );
  }
}

function said(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}
