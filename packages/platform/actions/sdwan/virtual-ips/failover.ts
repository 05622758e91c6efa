// Handler: a virtual IP moved by hand. What is decided here is written as taken away; the new holder gets it when the
// old one has given it up, which `get` shows as failing_over and then active.
import { ProductError } from '@powernode/core/errors';
import type { Candidate } from '@powernode/core/virtual-ips/candidates';
import { type ActionContext, checkRevision, type Handler } from '../../context.ts';
import { peerNames } from '../peers/peer-names.ts';
import { peerRow } from '../rows.ts';
import { bestCandidate, candidatesWith, termsOfHolder } from './fitness.ts';
import type { VirtualIpRow } from './model.ts';
import { planArrival, revokeAddress, writeVirtualIp } from './moves.ts';
import { lockVirtualIp, showVirtualIp } from './present-virtual-ip.ts';

export const failoverVirtualIp: Handler<'failoverVirtualIp'> = async (context, input) => {
  await context.lock();
  const row = await lockVirtualIp(context, input.virtual_ip_id);
  checkRevision(row, input);
  // A peer of somebody else, and one that never was, are told apart from none of one's own.
  if (input.target_peer_id !== undefined) await peerRow(context, input.target_peer_id);
  await context.isAbreast();
  const candidates = candidatesWith(context, row);
  const target = input.target_peer_id;
  if (target !== undefined) await refuseUnfitTarget(context, { row, candidates, target });
  const answer = {
    previous_holder: row.current_holder_peer_id ?? row.releasing_peer_id,
    anycast: row.anycast,
    dry_run: context.dryRun,
    candidates: await shown(context, candidates),
  };
  const stays = whyNot(row, candidates);
  if (stays !== null) {
    return { ...answer, resolved: false, new_holder: row.current_holder_peer_id, explanation: stays };
  }
  const holder = row.current_holder_peer_id;
  const to = target ?? nextHolder(context, row, candidates);
  if (to === null || to === holder || to === row.successor_peer_id) {
    const explanation =
      to === null
        ? 'No other candidate can hold it now; see the reasons of each.'
        : `It is ${to === holder ? '' : 'moving '}there already.`;
    return { ...answer, resolved: false, new_holder: to ?? holder, explanation };
  }
  const name = answer.candidates.find((one) => one.peer_id === to)?.hostname ?? to;
  const detail = `Moved manually to ${name}.`;
  const before = showVirtualIp(row);
  context.becomes({ before, after: { ...before, current_holder_peer_id: to } });
  if (holder === null) await redirect(context, row, { to, detail });
  else {
    const terms = await termsOfHolder(context, row);
    await revokeAddress(context, row, { successor: to, reason: 'by_hand', detail, terms });
  }
  // A trial moves nothing.
  return { ...answer, resolved: !context.dryRun, new_holder: to, explanation: `It goes to ${name}.` };
};

/** Where it is going already, while that can hold it; else the best one but for the one that it is taken from. */
function nextHolder(
  context: ActionContext,
  row: VirtualIpRow,
  candidates: readonly Candidate[],
): string | null {
  const { successor_peer_id: successor } = row;
  if (candidates.some(({ peerId, score }) => peerId === successor && score > 0)) return successor;
  return bestCandidate(context, row, [row.current_holder_peer_id ?? row.releasing_peer_id]);
}

function whyNot(row: VirtualIpRow, candidates: readonly Candidate[]): string | null {
  if (row.anycast)
    return 'All of its holders answer at the same time (anycast), so there is nothing to move.';
  if (candidates.length === 0) return 'None of its candidates is in the network any longer.';
  const [only, ...others] = candidates;
  if (others.length > 0 || only?.peerId !== row.current_holder_peer_id) return null;
  return 'It has a single candidate, which already holds it. Add fail-over holders with system_sdwan_update_virtual_ip.';
}

async function refuseUnfitTarget(
  context: ActionContext,
  of: { readonly row: VirtualIpRow; readonly candidates: readonly Candidate[]; readonly target: string },
): Promise<void> {
  const { row, candidates, target } = of;
  const candidate = candidates.find(({ peerId }) => peerId === target);
  const message =
    candidate === undefined
      ? 'is not one of its candidates; add it with system_sdwan_update_virtual_ip'
      : candidate.score === 0
        ? `cannot hold it now: ${candidate.reasons.join(', ')}`
        : null;
  if (message === null || row.current_holder_peer_id === target) return;
  throw new ProductError('conflict', `target_peer_id: the peer ${target} ${message}.`, {
    fields: [{ path: 'target_peer_id', code: 'unfit_target', message }],
    members: { candidates: await shown(context, candidates) },
  });
}

/** It is on its way, or nobody has it: it goes to another one than was thought. */
async function redirect(
  context: ActionContext,
  row: VirtualIpRow,
  of: { readonly to: string; readonly detail: string },
): Promise<void> {
  const move = row.transition ?? {
    from_peer_id: null,
    from_instance_id: null,
    from_terminated: false,
    terms: [],
    given_sequence: null,
  };
  const after = await writeVirtualIp(context, row, {
    successor_peer_id: of.to,
    state: 'failing_over',
    state_detail: of.detail,
    failed_checks: '[]',
    transition: JSON.stringify({
      ...move,
      reason: 'by_hand',
      detail: of.detail,
      actor: context.caller.operatorName,
      decided_at: context.now.toISOString(),
    }),
  });
  planArrival(context, after);
  context.event(
    'sdwan.virtual_ip.failing_over',
    {
      before: showVirtualIp(row),
      after: showVirtualIp(after),
      to_peer_id: of.to,
      reason: 'by_hand',
      detail: of.detail,
    },
    'warning',
  );
}

async function shown(context: ActionContext, candidates: readonly Candidate[]) {
  const names = await peerNames(
    context,
    candidates.map(({ peerId }) => peerId),
  );
  return candidates.map(({ peerId, score, reasons }) => ({
    peer_id: peerId,
    hostname: names.get(peerId) ?? peerId,
    score,
    reasons: [...reasons],
  }));
}
