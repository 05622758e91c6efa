// What a node says is wrong is shown on its machine, on its peers, and on the way of the packets that it concerns.
import type { Instance } from '@powernode/core/intent/fleet';
import type { Peer, Topology } from '@powernode/core/intent/peer';
import type { ReachabilityMatrix, ReachabilityStep } from '@powernode/core/intent/reachability';
import type { NodeProblem } from '@powernode/core/wire/node-problems';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inAccount } from '../../store/tenancy.ts';
import { startTestPlatform, type TestPlatform } from '../../testing/test-platform.ts';

let platform: TestPlatform;
let networkId: string;
let otherId: string;
const peers: Record<string, Peer> = {};

beforeAll(async () => {
  platform = await startTestPlatform();
  networkId = (await run<{ network: { id: string } }>('createNetwork', { name: 'office' })).network.id;
  otherId = (await run<{ network: { id: string } }>('createNetwork', { name: 'other' })).network.id;
  const { accountId } = platform.admin;
  for (const [hostname, publicAddress] of [['hub', '203.0.113.1'], ['a'], ['b']] as const) {
    const facts = publicAddress === undefined ? {} : { publicAddress };
    const node_instance_id = await platform.addMachine(accountId, hostname, facts);
    const place = { network_id: networkId, node_instance_id };
    peers[hostname] = (await run<{ peer: Peer }>('attachPeer', place)).peer;
  }
  const hub = peers['hub']?.node_instance_id;
  await run('attachPeer', { network_id: otherId, node_instance_id: hub });
});
afterAll(() => platform.close());

async function run<Answer>(key: Parameters<TestPlatform['call']>[0], input: object): Promise<Answer> {
  return (await platform.call(key, input)) as unknown as Answer;
}

const since = '2026-11-29T10:00:00.000Z';

async function saysOf(hostname: string, problems: readonly NodeProblem[]): Promise<void> {
  await inAccount(platform.store, platform.admin.accountId, (trx) =>
    trx
      .updateTable('instances')
      .set({ problems: JSON.stringify(problems) })
      .where('id', '=', peers[hostname]?.node_instance_id ?? '')
      .execute(),
  );
}

async function explained(from: string, to: string) {
  return run<{ verdict: string; because: ReachabilityStep[] }>('explainReachability', {
    network_id: networkId,
    source: { peer_id: peers[from]?.id },
    destination: { peer_id: peers[to]?.id },
    protocol: 'tcp',
  });
}

test('a machine shows its problems, the worst first, and the state of the parts that they belong to [9.G]', async () => {
  await saysOf('hub', [
    { subsystem: 'state', code: 'state_not_stored', detail: 'The disk is full.', since },
    { subsystem: 'wireguard', code: 'port_in_use', detail: 'dnsmasq has it.', network_id: otherId, since },
  ]);
  const { instance } = await run<{ instance: Instance }>('getInstance', {
    instance_id: peers['hub']?.node_instance_id,
  });
  expect(instance.problems.map(({ code, severity }) => `${code} ${severity}`)).toEqual([
    'state_not_stored error',
    'port_in_use error',
  ]);
  expect(instance.subsystems).toContainEqual({
    name: 'wireguard',
    state: 'failed',
    message: 'dnsmasq has it.',
    observed_at: since,
  });
});

test('a peer has the worst of its own network, and explain ends at the node that it stops packets at [9.G]', async () => {
  expect((await explained('a', 'b')).verdict).toBe('allowed');
  const detail = 'UDP port 51820 is in use by dnsmasq (pid 7).';
  await saysOf('hub', [
    { subsystem: 'wireguard', code: 'port_in_use', detail, network_id: networkId, since },
  ]);
  const { peer } = await run<{ peer: Peer }>('getPeer', { peer_id: peers['hub']?.id });
  expect(peer.problem).toEqual({ code: 'port_in_use', detail, since });
  const { verdict, because } = await explained('a', 'b');
  expect(verdict).toBe('no_route');
  expect(because.find(({ step }) => step === 'problem')).toMatchObject({
    node: { hostname: 'hub' },
    detail: `hub says: ${detail}`,
  });
  const { matrix } = await run<{ matrix: ReachabilityMatrix }>('getReachabilityMatrix', {
    network_id: networkId,
    protocol: 'tcp',
  });
  // The hub can still call others; nobody can call it.
  expect(matrix.rows.map((row) => row.verdicts)).toEqual(['-aa', 'n-n', 'nn-']);
});

test('a hub whose port another program has is not connected, whatever its last handshake was [9.38]', async () => {
  const hub = peers['hub'];
  await inAccount(platform.store, platform.admin.accountId, async (trx) => {
    const { handle } = await trx
      .selectFrom('networks')
      .select('handle')
      .where('id', '=', networkId)
      .executeTakeFirstOrThrow();
    await trx
      .insertInto('tunnel_observations')
      .values({
        account_id: platform.admin.accountId,
        instance_id: hub?.node_instance_id ?? '',
        interface: `wg-${handle}`,
        public_key: peers['a']?.public_key ?? '',
        last_handshake_at: new Date(),
        rx_bytes: 1,
        tx_bytes: 1,
        endpoint: null,
      })
      .execute();
  });
  const status = async () => (await run<{ peer: Peer }>('getPeer', { peer_id: hub?.id })).peer.status;
  const listed = async (state: string) =>
    (await run<{ peers: Peer[] }>('listPeers', { network_id: networkId, status: state })).peers.map(
      ({ hostname }) => hostname,
    );
  await saysOf('hub', []);
  expect(await status()).toBe('connected');
  expect(await listed('connected')).toEqual(['hub']);
  await saysOf('hub', [
    { subsystem: 'wireguard', code: 'port_in_use', detail: 'x', network_id: networkId, since },
  ]);
  expect(await status()).toBe('handshake_pending');
  expect(await listed('connected')).toEqual([]);
  expect(await listed('handshake_pending')).toContain('hub');
});

test('a host filter that drops what a hub forwards denies it there, and what is for the hub passes [9.27]', async () => {
  const detail = 'The local firewall drops IPv6 packets: the policy of chain FORWARD (Docker).';
  await saysOf('hub', [
    { subsystem: 'host', code: 'host_firewall_forward', detail, network_id: networkId, since },
  ]);
  const { verdict, because } = await explained('a', 'b');
  expect(verdict).toBe('denied');
  expect(because.at(-2)).toMatchObject({
    step: 'problem',
    node: { hostname: 'hub' },
    detail: `hub says: ${detail}`,
  });
  expect((await explained('a', 'hub')).verdict).toBe('allowed');
});

test('of another network it is said on the machine, and not on the peer nor on the way [9.G]', async () => {
  await saysOf('hub', [
    { subsystem: 'wireguard', code: 'port_in_use', detail: 'x', network_id: otherId, since },
  ]);
  const { peer } = await run<{ peer: Peer }>('getPeer', { peer_id: peers['hub']?.id });
  expect(peer.problem).toBeNull();
  const { verdict, because } = await explained('a', 'b');
  expect(verdict).toBe('allowed');
  expect(because.map(({ step }) => step)).not.toContain('problem');
});

test('a change that was taken back on a machine is shown there, on its peer and in the topology [9.10]', async () => {
  const detail = 'Revision 7 disconnected the instance from the platform for 20 s and was rolled back.';
  await saysOf('a', [
    { subsystem: 'agent', code: 'change_rolled_back', detail, network_id: networkId, since },
  ]);
  const { instance } = await run<{ instance: Instance }>('getInstance', { id: peers['a']?.node_instance_id });
  expect(instance).toMatchObject({ in_sync: false, problems: [{ code: 'change_rolled_back', detail }] });
  const { peer } = await run<{ peer: Peer }>('getPeer', { peer_id: peers['a']?.id });
  expect(peer.problem).toEqual({ code: 'change_rolled_back', detail, since });
  const { topology } = await run<{ topology: Topology }>('getTopology', { network_id: networkId });
  expect(topology.warnings).toContainEqual({ code: 'change_rolled_back', detail: `"a": ${detail}` });
  await saysOf('a', []);
  const after = await run<{ topology: Topology }>('getTopology', { network_id: networkId });
  expect(after.topology.warnings).toEqual([]);
});
