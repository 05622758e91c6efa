// Explanations and the matrix in a network with iBGP: what a route policy decides about a LAN behind two peers, and at which
// of them its rules are evaluated.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RoutingScene } from '../routing/routing-scene.fixture.ts';

let scene: RoutingScene;
beforeAll(async () => {
  scene = await RoutingScene.make();
});
afterAll(() => scene.platform.close());

interface Explanation {
  verdict: string;
  because: { step: string; node: { hostname: string } | null; detail: string }[];
}

const host = 'fd00:abcd:1:cafe::5';

async function explained(from: string) {
  const { verdict, because } = await scene.run<Explanation>('explainReachability', {
    ...{ network_id: scene.networkId, protocol: 'tcp', port: 22 },
    ...{ source: { peer_id: scene.idOf(from) }, destination: { address: host } },
  });
  return {
    verdict,
    at: because.at(-1)?.node?.hostname,
    text: because.map(({ detail }) => detail).join('\n'),
  };
}

async function letter(from: string): Promise<string | undefined> {
  const { matrix } = await scene.run<{
    matrix: { nodes: { kind: string; id: string }[]; rows: { id: string; verdicts: string }[] };
  }>('getReachabilityMatrix', { network_id: scene.networkId, protocol: 'tcp', port: 22 });
  const at = matrix.nodes.findIndex(({ kind }) => kind === 'subnet_advertisement');
  return matrix.rows.find(({ id }) => id === scene.idOf(from))?.verdicts[at];
}

async function policy(statements: object[]): Promise<string> {
  const { route_policy: made } = await scene.run<{ route_policy: { id: string } }>('createRoutePolicy', {
    ...{ network_id: scene.networkId, name: `moves the LAN ${statements.length}`, direction: 'import' },
    statements,
  });
  return made.id;
}

test('a local preference moves a LAN, and its rules are evaluated where it is then', async () => {
  const matched = { prefix: 'fd00:abcd:1:cafe::/96' };
  expect((await explained('c')).at).toBe('a');
  const id = await policy([
    { seq: 10, match: { ...matched, peer: scene.idOf('b') }, set: { local_pref: 300 }, action: 'permit' },
  ]);
  expect(await explained('c')).toMatchObject({ at: 'b', text: expect.stringContaining('is behind b') });
  await scene.run('deleteRoutePolicy', { route_policy_id: id, approve: true });
  expect((await explained('c')).at).toBe('a');
  const denied = await policy([{ seq: 10, match: matched, set: {}, action: 'deny' }]);
  expect(await explained('c')).toMatchObject({
    verdict: 'no_route',
    text: expect.stringContaining('No path to fd00:abcd:1:cafe::/96 arrives at c by BGP'),
  });
  expect(await letter('c')).toBe('n');
  await scene.run('deleteRoutePolicy', { route_policy_id: denied, approve: true });
  expect(await letter('c')).not.toBe('n');
});

test('sessions decide too: without those of its peer a LAN is reached by the other one, and without any by preference', async () => {
  await scene.reported('a', [{ state: 'Idle' }]);
  expect((await explained('c')).at).toBe('b');
  await scene.reported('c', [{ state: 'Active' }]);
  // It decides by preference by itself; its hub goes on by BGP.
  expect((await explained('c')).text).toContain('is behind a; it goes to a hub');
});
