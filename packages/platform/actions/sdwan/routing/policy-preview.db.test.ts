// Previews of route policies over a real database: what a policy would do to routes, before it is saved.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { lan, RoutingScene } from './routing-scene.fixture.ts';

let networkId: string;
let run: RoutingScene['run'];
let refusal: RoutingScene['refusal'];
let idOf: RoutingScene['idOf'];
let close: () => Promise<void>;

beforeAll(async () => {
  const scene = await RoutingScene.make();
  ({ networkId, run, refusal, idOf } = scene);
  close = () => scene.platform.close();
  await createPolicy('prefer-b', [
    { seq: 10, match: { prefix: lan, peer: idOf('b') }, set: { local_pref: 200 }, action: 'permit' },
    { seq: 20, match: { prefix: lan }, action: 'permit', set: { local_pref: 100 } },
  ]);
  await createPolicy('early', [{ seq: 10, match: { prefix: 'fd00:dead::/64' }, action: 'deny' }]);
});
afterAll(() => close());

async function createPolicy(name: string, statements: readonly object[], network_id = networkId) {
  const input = { network_id, name, direction: 'import', statements };
  const { route_policy: policy } = await run<{ route_policy: { id: string } }>('createRoutePolicy', input);
  return policy.id;
}

const toFirst = () => ({
  direction: 'import',
  statements: [
    { seq: 10, match: { prefix: lan, peer: idOf('a') }, set: { local_pref: 300 }, action: 'permit' },
  ],
});
const preview = (input: object) => run('compileRoutePolicy', { peer_id: idOf('c'), ...input });

async function listed(): Promise<{ id: string }[]> {
  const answer = await run<{ route_policies: { id: string }[] }>('listRoutePolicies', {
    network_id: networkId,
  });
  return answer.route_policies;
}

const savedId = async () => (await listed())[0]?.id;

test('a preview of other statements of a policy says which routes would change, and writes nothing', async () => {
  const before = await listed();
  const route_policy_id = await savedId();
  const answer = await preview({ ...toFirst(), route_policy_id });
  // Whoever announces the prefix itself goes on using its own.
  expect(answer).toMatchObject({
    effect: [
      {
        prefix: lan,
        peer_id: idOf('c'),
        peers_count: 2,
        before: { via_peer_id: idOf('b'), attributes: { local_pref: 200 }, denied_peer_ids: [] },
        after: { via_peer_id: idOf('a'), attributes: { local_pref: 300 }, denied_peer_ids: [] },
      },
    ],
    effect_complete: true,
    findings: [],
    warnings: [],
  });
  expect(answer['text']).toContain('set local-preference 300');
  expect(answer['text']).not.toContain('set local-preference 200');
  const denies = [{ seq: 10, match: { prefix: lan }, action: 'deny' }];
  const both = [idOf('a'), idOf('b')];
  expect((await preview({ route_policy_id, statements: denies }))['effect']).toMatchObject([
    { peers_count: 2, after: { via_peer_id: null, attributes: null, denied_peer_ids: both } },
    { peer_id: idOf('a'), after: { via_peer_id: idOf('a'), denied_peer_ids: [idOf('b')] } },
    { peer_id: idOf('b'), after: { via_peer_id: idOf('b'), denied_peer_ids: [idOf('a')] } },
  ]);
  expect(await listed()).toEqual(before);
});

test('a preview of a new policy that earlier ones leave nothing to names the statement that does', async () => {
  expect(await preview(toFirst())).toMatchObject({
    effect: [],
    findings: [
      {
        kind: 'shadowed',
        object: { type: 'route_policy', id: null, seq: 10, name: 'the preview' },
        by: { seq: 20, name: 'prefer-b' },
      },
    ],
    warnings: [{ code: 'shadowed' }],
  });
});

test('a preview is told what it would do to later policies', async () => {
  const everything = [{ seq: 10, action: 'permit' }];
  expect(await preview({ route_policy_id: await savedId(), statements: everything })).toMatchObject({
    findings: [{ kind: 'shadowed', object: { name: 'early' }, by: { name: 'prefer-b' } }],
  });
});

test('a preview is of a policy of the peer’s own network', async () => {
  const { network } = await run<{ network: { id: string } }>('createNetwork', { name: 'osaka' });
  const other = await createPolicy('elsewhere', [{ seq: 10, action: 'deny' }], network.id);
  const of = (route_policy_id: string) =>
    refusal('compileRoutePolicy', { peer_id: idOf('c'), ...toFirst(), route_policy_id });
  expect(await of(other)).toMatchObject({
    status: 422,
    errors: [{ path: 'route_policy_id' }],
  });
  expect(await of('01990000-0000-7000-8000-00000000dead')).toMatchObject({ status: 404 });
  await run('deleteNetwork', { network_id: network.id, approve: true });
});

test('a preview in a network with static routes changes no route', async () => {
  const input = { network_id: networkId, routing_mode: 'static' };
  await run('updateNetwork', input);
  expect(await preview({ ...toFirst(), route_policy_id: await savedId() })).toMatchObject({
    effect: [],
    warnings: [{ code: 'routing_mode_static' }],
  });
  await run('updateNetwork', { ...input, routing_mode: 'ibgp' });
});
