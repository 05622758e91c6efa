// What route policies name, over a real database, when that changes: peers that leave, the AS number, and networks in which
// few peers are left.
import type { RoutePolicyFinding } from '@powernode/core/intent/bgp';
import type { Peer } from '@powernode/core/intent/peer';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { lan, RoutingScene } from './routing-scene.fixture.ts';

let scene: RoutingScene;
let run: RoutingScene['run'];

beforeAll(async () => {
  scene = await RoutingScene.make();
  ({ run } = scene);
});
afterAll(() => scene.platform.close());

interface Planned {
  readonly plan: { readonly notes?: readonly { readonly code: string; readonly detail: string }[] };
}

async function policy(name: string, set: object): Promise<string> {
  const statements = [{ seq: 10, match: { prefix: lan }, set, action: 'permit' }];
  const input = { network_id: scene.networkId, name, direction: 'import', statements };
  const { route_policy: made } = await run<{ route_policy: { id: string } }>('createRoutePolicy', input);
  return made.id;
}

const findings = async () =>
  (
    await run<{ findings: RoutePolicyFinding[] }>('auditRoutePolicies', { network_id: scene.networkId })
  ).findings.filter(({ kind }) => kind === 'dead');

const fewPeers = ({ plan }: Planned) => (plan.notes ?? []).filter(({ code }) => code === 'few_peers');

test('an AS number that a policy prepends is refused, with the place', async () => {
  const id = await policy('longer', { prepend: '65001 65010' });
  const problem = await scene.refusal('updateAccountAsNumber', { as_number: 65_010 });
  expect(problem).toMatchObject({
    status: 409,
    code: 'conflict',
    detail: expect.stringContaining('statements.0.set.prepend of the route policy "longer"'),
    errors: [{ path: 'as_number', code: 'prepended' }],
    route_policies: [{ route_policy_id: id, name: 'longer', path: 'statements.0.set.prepend' }],
  });
  expect(await run('getAccountBgp', {})).toMatchObject({ account_bgp: { as_number: 64_512 } });
  await run('updateAccountAsNumber', { as_number: 65_011 });
  await run('deleteRoutePolicy', { route_policy_id: id, approve: true });
});

test('a peer that is a next hop is in the plan of its detach, and in the audit afterwards', async () => {
  const { peer } = await run<{ peer: Peer }>('getPeer', { peer_id: scene.idOf('c') });
  const id = await policy('by c', { next_hop: peer.host_address });
  expect(await findings()).toEqual([]);
  const detach = { peer_id: peer.id };
  const { plan } = await run<Planned>('detachPeer', { ...detach, dry_run: true });
  const [note] = (plan.notes ?? []).filter(({ detail }) => detail.includes('by c'));
  expect(note).toMatchObject({
    code: 'dependent',
    detail: expect.stringContaining('Statement 10 of the route policy "by c" sets the next hop to c'),
  });
  await run('detachPeer', { ...detach, approve: true });
  expect(await findings()).toMatchObject([
    { object: { id, seq: 10 }, detail: expect.stringContaining('no path that it permits can be used') },
  ]);
});

test('a detach that leaves fewer than three peers is warned of, and not refused', async () => {
  // The hub, a and b are left.
  const detach = { peer_id: scene.idOf('b') };
  const dry = await run<Planned>('detachPeer', { ...detach, dry_run: true });
  expect(fewPeers(dry)).toMatchObject([{ detail: expect.stringContaining('has 2 peers') }]);
  await run('detachPeer', { ...detach, approve: true });
  const mode = { network_id: scene.networkId };
  await run('updateNetwork', { ...mode, routing_mode: 'static' });
  const back = await run<Planned>('updateNetwork', { ...mode, routing_mode: 'ibgp', dry_run: true });
  expect(fewPeers(back)).toHaveLength(1);
  const made = await run<Planned>('createNetwork', { name: 'new', routing_mode: 'ibgp', dry_run: true });
  expect(fewPeers(made)).toEqual([]);
});
