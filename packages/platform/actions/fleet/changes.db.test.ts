// Why a machine is at its revision: who made a change, by which action, and whom it reached.
import type { ActionKey, Actions } from '@powernode/core/actions/catalogue';
import type { OutputOf, ParametersOf } from '@powernode/core/actions/define';
import type { Peer } from '@powernode/core/intent/peer';
import { changeNodesMax } from '@powernode/core/limits/requests';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { followObserved } from '../../coordination/system-actor.ts';
import { startTestPlatform, type TestPlatform, withPermissions } from '../../testing/test-platform.ts';
import type { Caller } from '../invoke-types.ts';
import { followDirectEndpoint } from '../sdwan/observed/direct-endpoints.ts';

type Answer = OutputOf<Actions['listChanges']>;

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.close());

async function run<T>(key: ActionKey, input: object, caller?: Caller): Promise<T> {
  return (await platform.call(key, input, caller)) as unknown as T;
}

function list(input: ParametersOf<Actions['listChanges']>, caller?: Caller): Promise<Answer> {
  return run('listChanges', input, caller);
}

async function createNetwork(name: string, more: object = {}): Promise<string> {
  return (await run<{ network: { id: string } }>('createNetwork', { name, ...more })).network.id;
}

async function attach(networkId: string, hostname: string, publicAddress?: string): Promise<Peer> {
  const facts = publicAddress === undefined ? {} : { publicAddress };
  const machine = await platform.addMachine(platform.admin.accountId, hostname, facts);
  return (await run<{ peer: Peer }>('attachPeer', { network_id: networkId, node_instance_id: machine })).peer;
}

/** The newest change that is listed for a machine is the revision that the machine should have. */
async function expectExplained(machines: readonly string[]): Promise<void> {
  for (const machine of machines) {
    const { changes } = await list({ instance_id: machine, limit: 1 });
    const { desiredRevision } = platform.services.deliverer.nodeDelivery(machine);
    expect(changes.map(({ sequence }) => sequence)).toEqual(desiredRevision === 0 ? [] : [desiredRevision]);
  }
}

test('whatever is changed, the newest change of a machine is its revision', async () => {
  const office = await createNetwork('office');
  const other = await createNetwork('other', { topology_strategy: 'full_mesh' });
  const hub = await attach(office, 'hub', '203.0.113.1');
  const spoke = await attach(office, 'spoke');
  const third = await attach(office, 'third');
  const apart = await attach(other, 'apart', '203.0.113.2');
  const machines = [hub, spoke, third, apart].map((peer) => peer.node_instance_id);
  await expectExplained(machines);
  const steps: readonly (readonly [ActionKey, object])[] = [
    ['updatePeer', { peer_id: spoke.id, tags: ['edge'] }],
    ['createVirtualIp', { network_id: office, name: 'vip', primary_holder_peer_id: spoke.id, anycast: true }],
    [
      'createFirewallRule',
      {
        network_id: office,
        name: 'r',
        direction: 'ingress',
        action: 'drop',
        selector: { kind: 'all' },
        destination: { kind: 'tag', tag: 'edge' },
      },
    ],
    ['attachPeer', { network_id: other, node_instance_id: spoke.node_instance_id }],
    ['updateNetwork', { network_id: office, mtu: 1300 }],
    ['rotatePeerKey', { peer_id: third.id }],
    ['detachPeer', { peer_id: third.id, approve: true }],
    ['deleteNetwork', { network_id: other, approve: true }],
  ];
  for (const [key, input] of steps) {
    await run(key, input);
    await expectExplained(machines);
  }
});

test('a change says who made it, by what, and ties to its events', async () => {
  const network = await createNetwork('named');
  const peer = await attach(network, 'named-hub', '203.0.113.3');
  const { changes } = await list({ instance_id: peer.node_instance_id });
  expect(changes).toEqual([
    {
      sequence: expect.any(Number) as number,
      at: expect.any(String) as string,
      action: 'system_sdwan_attach_peer',
      actor: expect.objectContaining({ kind: 'operator', name: platform.admin.operatorName }) as object,
      correlation_id: 'test-system_sdwan_attach_peer',
      networks: [{ network_id: network, name: 'named' }],
      nodes: [{ instance_id: peer.node_instance_id, hostname: 'named-hub' }],
      node_count: 1,
    },
  ]);
  const ofNetwork = await list({ network_id: network });
  expect(ofNetwork.changes.map(({ action }) => action)).toEqual([
    'system_sdwan_attach_peer',
    'system_sdwan_create_network',
  ]);
});

test('what was approved is of whoever asked for it, and what the platform saw is of the platform', async () => {
  const network = await createNetwork('asked');
  await attach(network, 'asked-hub', '203.0.113.4');
  const spoke = await attach(network, 'asked-spoke');
  const { accountId } = platform.admin;
  const known = platform.services.deliverer.network(network)?.peer(spoke.id);
  const place = { accountId, networkId: network, peerId: spoke.id, directKey: known?.directKey ?? '' };
  await followObserved(platform, { accountId, action: 'observed_direct_endpoint' }, (context) =>
    followDirectEndpoint(context, {
      ...place,
      natKind: 'cone',
      endpoint: '198.51.100.9:4000',
      seenBy: 2,
      complete: true,
    }),
  );
  const [seen] = (await list({ network_id: network, limit: 1 })).changes;
  expect(seen).toMatchObject({ action: 'observed_direct_endpoint', actor: { kind: 'platform' } });
  const asked = await run<{ deferred_operation: { id: string } }>('detachPeer', { peer_id: spoke.id });
  await run('decideApproval', { approval_id: asked.deferred_operation.id, decision: 'approve' });
  const [approved] = (await list({ network_id: network, limit: 1 })).changes;
  expect(approved).toMatchObject({
    action: 'system_sdwan_detach_peer',
    actor: { kind: 'operator', name: platform.admin.operatorName },
  });
});

test('of a change that reaches more machines than are kept, every one of them is still told', async () => {
  const network = await createNetwork('wide');
  const peers: Peer[] = [];
  for (let n = 0; n <= changeNodesMax; n++) {
    peers.push(await attach(network, `wide-${n}`, n === 0 ? '203.0.113.5' : undefined));
  }
  await run('updateNetwork', { network_id: network, mtu: 1280 });
  const late = await attach(network, 'late');
  const [update] = (await list({ instance_id: peers[1]?.node_instance_id ?? '' })).changes;
  expect(update).toMatchObject({
    action: 'system_sdwan_update_network',
    nodes: [],
    node_count: changeNodesMax + 1,
  });
  const ofLate = await list({ instance_id: late.node_instance_id });
  expect(ofLate.changes.map(({ action }) => action)).toEqual(['system_sdwan_attach_peer']);
  await run('deleteNetwork', { network_id: network, approve: true });
  const [deletion] = (await list({ instance_id: peers[1]?.node_instance_id ?? '' })).changes;
  expect(deletion?.action).toBe('system_sdwan_delete_network');
  expect(deletion?.nodes).toHaveLength(changeNodesMax);
  expect(deletion?.node_count).toBe(changeNodesMax + 2);
});

test('pages go down to the number that was asked for', async () => {
  const { changes: all } = await list({ limit: 500 });
  const from = all[10]?.sequence ?? 0;
  const found: number[] = [];
  let cursor: string | null = null;
  do {
    const page: Answer = await list({
      from_sequence: from,
      limit: 4,
      ...(cursor === null ? {} : { cursor }),
    });
    expect(page.count).toBe(page.changes.length);
    found.push(...page.changes.map(({ sequence }) => sequence));
    cursor = page.next_cursor;
  } while (cursor !== null);
  expect(found).toEqual(all.slice(0, 11).map(({ sequence }) => sequence));
});

test('another account sees nothing of it, and a lesser operator is refused', async () => {
  const network = await createNetwork('mine');
  const { account } = await run<{ account: { id: string } }>('createAccount', { name: 'theirs' });
  const elsewhere: Caller = { ...platform.admin, accountId: account.id, platformAdmin: false };
  expect((await list({}, elsewhere)).changes).toEqual([]);
  expect((await list({ network_id: network }, elsewhere)).changes).toEqual([]);
  const lesser = withPermissions(platform.admin, ['system.sdwan.networks.read', 'system.instances.read']);
  await expect(list({}, lesser)).rejects.toMatchObject({ code: 'permission_denied' });
});
