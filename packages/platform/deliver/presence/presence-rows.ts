// The statements that write who came and went, and the events of it. What the rows say already is no news: of several
// processes that see the same, one writes the event.
import type { AccountId, InstanceId, NetworkId, PeerId } from '@powernode/core/ids';
import type { Event } from '@powernode/core/intent/fleet';
import { namedInEventMax } from '@powernode/core/limits/overlay';
import { sql, type Transaction } from 'kysely';
import { type EventDraft, writeEvents } from '../../events/write-events.ts';
import { type EndedFinding, keepEnded } from '../../store/ended-findings.ts';
import type { Database } from '../../store/tables.ts';
import type { Clock } from '../../trust/clock.ts';
import { makeEvent } from '../../trust/node-events.ts';

export interface MachineNews {
  readonly instanceId: InstanceId;
  /** When it was last heard; null: it is heard again. */
  readonly offlineSinceMs: number | null;
}

export interface PeerNews {
  readonly peerId: PeerId;
  readonly networkId: NetworkId;
  readonly instanceId: InstanceId;
  /** null: it is reached again. */
  readonly unreachable: { readonly sinceMs: number; readonly code: string; readonly detail: string } | null;
}

export interface PresenceBatch {
  readonly accountId: AccountId;
  readonly machines: readonly MachineNews[];
  readonly peers: readonly PeerNews[];
  /** One event for all of a kind, instead of one for each. */
  readonly asOne: boolean;
  readonly clock: Pick<Clock, 'now'>;
}

/** Answers the events to publish. */
export async function writePresence(trx: Transaction<Database>, batch: PresenceBatch): Promise<Event[]> {
  const machines = await writeMachines(trx, batch);
  const peers = await writePeers(trx, batch);
  await keepEnded(
    trx,
    peers.flatMap(({ row, news }) => recoveredHub(batch, row, news) ?? []),
  );
  const drafts = batch.asOne
    ? [...machineSummaries(batch, machines), ...peerSummaries(batch, peers)]
    : [
        ...machines.map((row) => machineEvent(batch, row)),
        ...peers.map(({ row, news }) => peerEvent(batch, row, news)),
      ];
  return drafts.length === 0 ? [] : writeEvents(trx, drafts);
}

interface MachineRow {
  id: string;
  hostname: string;
  offline_since: Date | null;
  was_since: Date | null;
}

/** A row that another process wrote later, because the machine is on a stream there, is left alone. */
async function writeMachines(
  trx: Transaction<Database>,
  { accountId, machines }: PresenceBatch,
): Promise<MachineRow[]> {
  if (machines.length === 0) return [];
  const values = machines.map(({ instanceId, offlineSinceMs }) => ({
    id: instanceId,
    since: offlineSinceMs === null ? null : new Date(offlineSinceMs),
  }));
  const { rows } = await sql<MachineRow>`
    update instances i set offline_since = v.since
    from jsonb_to_recordset(${JSON.stringify(values)}::jsonb) as v(id uuid, since timestamptz),
         instances before
    where i.id = v.id and before.id = v.id and i.account_id = ${accountId} and i.terminated_at is null
      and (i.offline_since is null) <> (v.since is null)
      and (v.since is null or i.last_heartbeat_at is null
           or i.last_heartbeat_at <= v.since + interval '1 second')
    returning i.id, i.hostname, i.offline_since, before.offline_since as was_since
  `.execute(trx);
  return rows;
}

interface PeerRow {
  id: string;
  hostname: string;
  /** null: it is no hub. */
  hub_slot: number | null;
  was_since: Date | null;
}

async function writePeers(
  trx: Transaction<Database>,
  { accountId, peers }: PresenceBatch,
): Promise<{ readonly row: PeerRow; readonly news: PeerNews }[]> {
  if (peers.length === 0) return [];
  const values = peers.map(({ peerId, unreachable }) => ({
    id: peerId,
    since: unreachable === null ? null : new Date(unreachable.sinceMs),
  }));
  const { rows } = await sql<PeerRow>`
    update peers p set unreachable_since = v.since
    from jsonb_to_recordset(${JSON.stringify(values)}::jsonb) as v(id uuid, since timestamptz),
         peers before, instances i
    where p.id = v.id and before.id = v.id and i.id = p.instance_id and p.account_id = ${accountId}
      and (p.unreachable_since is null) <> (v.since is null)
    returning p.id, i.hostname, p.hub_slot, before.unreachable_since as was_since
  `.execute(trx);
  const newsOf = new Map(peers.map((news) => [news.peerId, news]));
  return rows.flatMap((row) => {
    const news = newsOf.get(row.id);
    return news === undefined ? [] : [{ row, news }];
  });
}

/** null: it is no hub, or not reached again. */
function recoveredHub(
  { accountId, clock }: PresenceBatch,
  { id, hostname, hub_slot: slot, was_since: beganAt }: PeerRow,
  { networkId, unreachable }: PeerNews,
): EndedFinding | null {
  if (slot === null || beganAt === null || unreachable !== null) return null;
  const recoveredAt = new Date(clock.now());
  return { ...unreachableHub({ accountId, networkId, id, hostname, beganAt }), recoveredAt };
}

/** The finding that a hub is not reachable. */
export function unreachableHub(of: {
  readonly accountId: AccountId;
  readonly networkId: NetworkId;
  readonly id: PeerId;
  readonly hostname: string;
  readonly beganAt: Date;
}): Omit<EndedFinding, 'recoveredAt'> {
  const { accountId, networkId, id, hostname, beganAt } = of;
  return {
    ...{ accountId, networkId, beganAt },
    kind: 'sdwan.hub_unreachable',
    severity: 'warning',
    object: { type: 'peer', id, name: hostname },
    detail: `The hub ${hostname} is not reachable, so that no peer goes by it (system_sdwan_get_peer says why).`,
  };
}

function machineEvent({ accountId, clock }: PresenceBatch, row: MachineRow): EventDraft {
  const isOffline = row.offline_since !== null;
  return makeEvent(clock, {
    accountId,
    kind: isOffline ? 'system.instance.offline' : 'system.instance.online',
    severity: isOffline ? 'warning' : 'info',
    instance: null,
    payload: {
      instance_id: row.id,
      hostname: row.hostname,
      ...(isOffline
        ? { offline_since: row.offline_since?.toISOString() }
        : { was_offline_since: row.was_since?.toISOString() ?? null }),
    },
  });
}

function machineSummaries({ accountId, clock }: PresenceBatch, rows: readonly MachineRow[]): EventDraft[] {
  const byDirection = Map.groupBy(rows, (row) => row.offline_since !== null);
  return Array.from(byDirection, ([isOffline, of]) =>
    makeEvent(clock, {
      accountId,
      kind: isOffline ? 'system.instance.offline' : 'system.instance.online',
      severity: isOffline ? 'warning' : 'info',
      instance: null,
      payload: {
        count: of.length,
        instances: of.slice(0, namedInEventMax).map(({ id, hostname }) => ({ instance_id: id, hostname })),
      },
    }),
  );
}

function peerEvent({ accountId, clock }: PresenceBatch, row: PeerRow, news: PeerNews): EventDraft {
  const { unreachable } = news;
  return makeEvent(clock, {
    accountId,
    kind: unreachable === null ? 'sdwan.peer.reachable' : 'sdwan.peer.unreachable',
    severity: unreachable === null ? 'info' : 'warning',
    instance: null,
    payload: {
      peer_id: news.peerId,
      network_id: news.networkId,
      node_instance_id: news.instanceId,
      hostname: row.hostname,
      ...(unreachable === null
        ? { was_unreachable_since: row.was_since?.toISOString() ?? null }
        : {
            unreachable_since: new Date(unreachable.sinceMs).toISOString(),
            because: { code: unreachable.code, detail: unreachable.detail },
          }),
    },
  });
}

/** One for each network and cause. */
function peerSummaries(
  { accountId, clock }: PresenceBatch,
  rows: readonly { readonly row: PeerRow; readonly news: PeerNews }[],
): EventDraft[] {
  const alike = Map.groupBy(rows, ({ news }) => `${news.networkId} ${news.unreachable?.code ?? ''}`);
  return Array.from(alike.values(), (of) => {
    const first = of[0]?.news;
    const isLost = first?.unreachable != null;
    return makeEvent(clock, {
      accountId,
      kind: isLost ? 'sdwan.peer.unreachable' : 'sdwan.peer.reachable',
      severity: isLost ? 'warning' : 'info',
      instance: null,
      payload: {
        network_id: first?.networkId,
        count: of.length,
        peers: of
          .slice(0, namedInEventMax)
          .map(({ row, news }) => ({ peer_id: news.peerId, hostname: row.hostname })),
        ...(isLost ? { because: { code: first.unreachable?.code } } : {}),
      },
    });
  });
}
