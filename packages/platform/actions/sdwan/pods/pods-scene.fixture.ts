// Test support: networks with pods, their peers, and what machines say of their clusters.
import type { ActionKey } from '@powernode/core/actions/catalogue';
import type { Event } from '@powernode/core/intent/fleet';
import type { Network } from '@powernode/core/intent/network';
import type { Peer } from '@powernode/core/intent/peer';
import type { UnderlayFact } from '@powernode/core/net/underlay';
import type { EntryOf } from '@powernode/core/wire/node-document';
import { followObserved } from '../../../coordination/system-actor.ts';
import { inAccount } from '../../../store/tenancy.ts';
import { startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';
import type { Caller } from '../../invoke-types.ts';
import { followObservation } from '../observed/machine.ts';

let platform: TestPlatform;
let count = 0;
let prefixes = 0;

/** The platform that all of this is about. */
export async function openPods(): Promise<TestPlatform> {
  platform = await startTestPlatform();
  return platform;
}

/** A number that no other name of the tests has. */
export function fresh(): number {
  return count++;
}

export async function run<Result>(key: ActionKey, input: object, caller?: Caller): Promise<Result> {
  const decided = key === 'detachPeer' ? { ...input, approve: true } : input;
  return (await platform.call(key, decided, caller)) as unknown as Result;
}

/** A prefix for pods that no other test has. */
export const freshPods = () => `10.${100 + prefixes++}.0.0/16`;

export async function create(more: object = {}, caller?: Caller): Promise<Network> {
  const input = { name: `pods ${count++}`, ...more };
  return (await run<{ network: Network }>('createNetwork', input, caller)).network;
}

export async function network(id: string): Promise<Network> {
  return (await run<{ network: Network }>('getNetwork', { network_id: id })).network;
}

export const update = (of: Network, input: object) =>
  run<{ network: Network }>('updateNetwork', { network_id: of.id, ...input });

export async function attach(
  to: Network,
  more: { readonly pod_subnet?: string | null; readonly machine?: string } = {},
  underlay: readonly UnderlayFact[] = [],
): Promise<Peer> {
  const { machine, ...rest } = more;
  const hostname = `node-${count++}`;
  const id = machine ?? (await platform.addMachine(platform.admin.accountId, hostname, { underlay }));
  return (await run<{ peer: Peer }>('attachPeer', { network_id: to.id, node_instance_id: id, ...rest })).peer;
}

export const get = async ({ id }: Peer): Promise<Peer> =>
  (await run<{ peer: Peer }>('getPeer', { peer_id: id })).peer;

export const set = async ({ id }: Peer, pod_subnet: string | null): Promise<Peer> =>
  (await run<{ peer: Peer }>('updatePeer', { peer_id: id, pod_subnet })).peer;

export const sliceOf = ({ pod_subnet: subnet, pod_subnet_source: source }: Peer) => [subnet, source];

export async function refusalOf(work: Promise<unknown>) {
  const error = await work.then(
    () => null,
    (refusal: {
      readonly code: string;
      readonly detail: string;
      readonly fields?: readonly { readonly path: string; readonly code: string }[];
    }) => refusal,
  );
  const [field] = error?.fields ?? [];
  return error === null
    ? null
    : { is: [error.code, field?.path, field?.code].join(' '), detail: error.detail };
}

/** The machine says which slices its clusters have. Answers when it is looked at again. */
export async function says(peer: Peer, slices: readonly string[], laterMs = 0): Promise<number | null> {
  const { store, bus, services } = platform;
  const { accountId } = platform.admin;
  await inAccount(store, accountId, (trx) =>
    trx
      .updateTable('instances')
      .set({ pod_slices: JSON.stringify(slices) })
      .where('id', '=', peer.node_instance_id)
      .execute(),
  );
  const later = { ...services, now: () => new Date(Date.now() + laterMs) };
  const { change, againMs } = await followObserved(
    { store, bus, services: later },
    { accountId, action: 'observed_endpoint' },
    (context) => followObservation(context, { instanceId: peer.node_instance_id }),
  );
  if (change !== null) platform.delivery.changed(accountId, change.sequence, change.changes);
  return againMs;
}

/** What the peer's instance is given of a kind. */
export function given<K extends 'pods' | 'lan' | 'subnet'>(peer: Peer, kind: K): EntryOf<K>[] {
  const entries = platform.delivery.network(peer.network_id)?.compile(peer.node_instance_id) ?? [];
  return entries.flatMap(({ value }) => (value.kind === kind ? [value as EntryOf<K>] : []));
}

/** Which prefix every peer of the network sends to which peer, as the instance of `peer` is given it. */
export const routed = (peer: Peer) =>
  given(peer, 'subnet')
    .map((one) => `${one.prefix} ${one.peer_id}`)
    .sort();

export async function events(kind: string, peer: Peer): Promise<Event[]> {
  const answer = await run<{ events: Event[] }>('recentEvents', { kind_prefix: kind, limit: 500 });
  return answer.events.filter(({ payload }) => JSON.stringify(payload).includes(peer.id));
}
