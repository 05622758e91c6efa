// What stays of the finding that a hub is not reachable when there is no such hub any more.
import { unreachableHub } from '../../../deliver/presence/presence-rows.ts';
import { keepEnded } from '../../../store/ended-findings.ts';
import type { ActionContext } from '../../context.ts';
import type { PeerRow } from '../rows.ts';
import { peerName } from './peer-names.ts';

/** Where the finding holds for the peer. `why` is a sentence: what became of the hub. The row of the peer still exists. */
export async function endUnreachableHub(context: ActionContext, peer: PeerRow, why: string): Promise<void> {
  const { trx, accountId, now } = context;
  const { id, network_id: networkId, unreachable_since: beganAt } = peer;
  if (peer.hub_slot === null || beganAt === null) return;
  const hostname = await peerName(context, id);
  const finding = unreachableHub({ accountId, networkId, id, hostname, beganAt });
  await keepEnded(trx, [{ ...finding, detail: `${finding.detail} ${why}`, recoveredAt: now }]);
}
