// Networks and their peers over a real database: which blocks they get, what rests after them, and what a machine that
// comes back starts with.
import type { Network } from '@powernode/core/intent/network';
import type { Peer } from '@powernode/core/intent/peer';
import type { VirtualIp } from '@powernode/core/intent/virtual-ip';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inAccount } from '../../../store/tenancy.ts';
import { startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.close());

async function create(input: object): Promise<Network> {
  return ((await platform.call('createNetwork', input)) as unknown as { network: Network }).network;
}

async function remove(network: Network): Promise<void> {
  await platform.call('deleteNetwork', { network_id: network.id, approve: true });
}

async function attach(network: Network, machine: string): Promise<Peer> {
  const input = { network_id: network.id, node_instance_id: machine };
  return ((await platform.call('attachPeer', input)) as unknown as { peer: Peer }).peer;
}

const machineNamed = (hostname: string) => platform.addMachine(platform.admin.accountId, hostname);

test('the blocks of a deleted network rest: nobody else gets an address of them for days', async () => {
  const [one, other] = [await machineNamed('one'), await machineNamed('other')];
  const first = await create({ name: 'first' });
  const before = await attach(first, one);
  await remove(first);
  const second = await create({ name: 'second' });
  expect(second.prefix).not.toBe(first.prefix);
  expect(second.ipv4_prefix).not.toBe(first.ipv4_prefix);
  // Who wants the very same blocks gets them, and addresses go on above the last.
  const again = await create({ name: 'again', prefix: first.prefix, ipv4_prefix: first.ipv4_prefix });
  const after = await attach(again, other);
  expect(after.host_address).not.toBe(before.host_address);
  expect(after.ipv4_address).not.toBe(before.ipv4_address);
});

test('a network that nobody was in leaves nothing that rests', async () => {
  const empty = await create({ name: 'empty' });
  await remove(empty);
  const next = await create({ name: 'next' });
  expect([next.prefix, next.ipv4_prefix]).toEqual([empty.prefix, empty.ipv4_prefix]);
});

test('blocks that are chosen keep out of the pods of the same network', async () => {
  const probe = await create({ name: 'probe' });
  await remove(probe);
  const pods = await create({ name: 'pods', pod_subnet_prefix: probe.ipv4_prefix });
  expect(pods.ipv4_prefix).not.toBe(probe.ipv4_prefix);
});

test('a machine that is attached again begins anew', async () => {
  const machine = await machineNamed('returning');
  const network = await create({ name: 'returning' });
  const before = await attach(network, machine);
  await inAccount(platform.store, platform.admin.accountId, (trx) =>
    trx
      .insertInto('tunnel_observations')
      .values({
        account_id: platform.admin.accountId,
        instance_id: machine,
        interface: `wg-${network.handle}`,
        public_key: 'a hub',
        last_handshake_at: new Date(),
        rx_bytes: 1000,
        tx_bytes: 1000,
        endpoint: null,
      })
      .execute(),
  );
  const seen = (await platform.call('getPeer', { peer_id: before.id })) as unknown as { peer: Peer };
  expect(seen.peer).toMatchObject({ status: 'connected', rx_bytes: 1000 });
  await platform.call('detachPeer', { peer_id: before.id, approve: true });
  const after = await attach(network, machine);
  expect(after).toMatchObject({
    host_address: before.host_address,
    status: 'handshake_pending',
    last_handshake_at: null,
    rx_bytes: null,
  });
});

describe('the IPv4 prefix of a network that is there', () => {
  const ipv4PrefixOf = async (network: Network, change: string | null) => {
    const input = { network_id: network.id, ipv4_prefix: change };
    return ((await platform.call('updateNetwork', input)) as unknown as { network: Network }).network;
  };
  const addressesIn = async (network: Network) => {
    const input = { network_id: network.id };
    const peers = (await platform.call('listPeers', input)) as unknown as { peers: Peer[] };
    const services = (await platform.call('listVirtualIps', input)) as unknown as {
      virtual_ips: VirtualIp[];
    };
    return [...peers.peers, ...services.virtual_ips].map((one) => one.ipv4_address);
  };

  test('is given to all that is in it, exchanged and taken, and nodes are told', async () => {
    const hub = await platform.addMachine(platform.admin.accountId, 'leg-hub', {
      publicAddress: '203.0.113.77',
    });
    const network = await create({ name: 'ipv4Prefix', ipv4_prefix: null });
    const peers = [await attach(network, hub), await attach(network, await machineNamed('leg-spoke'))];
    await platform.call('createVirtualIp', {
      network_id: network.id,
      name: 'ipv4Prefix',
      primary_holder_peer_id: peers[1]?.id,
    });
    expect(await addressesIn(network)).toEqual([null, null, null]);
    expect(await ipv4PrefixOf(network, '100.99.0.0/24')).toMatchObject({ ipv4_prefix: '100.99.0.0/24' });
    expect(await addressesIn(network)).toEqual(['100.99.0.1', '100.99.0.2', '100.99.0.3']);
    const document = () =>
      JSON.stringify(
        platform.delivery
          .network(network.id)
          ?.compile(hub)
          .map((entry) => entry.value),
      );
    expect(document()).toContain('100.99.0.2');
    await ipv4PrefixOf(network, '100.99.1.0/24');
    expect(await addressesIn(network)).toEqual(['100.99.1.1', '100.99.1.2', '100.99.1.3']);
    expect(document()).not.toContain('100.99.0.');
    await ipv4PrefixOf(network, null);
    expect(await addressesIn(network)).toEqual([null, null, null]);
    expect(document()).not.toContain('100.99.');
    // Whoever had them may still be called there, so others go on above them.
    await ipv4PrefixOf(network, '100.99.1.0/24');
    expect(await addressesIn(network)).toEqual(['100.99.1.4', '100.99.1.5', '100.99.1.6']);
  });

  test('is refused where it is too small, overlaps, or port mappings stand on it', async () => {
    const hub = await platform.addMachine(platform.admin.accountId, 'door-hub', {
      publicAddress: '203.0.113.78',
    });
    const network = await create({ name: 'narrow', ipv4_prefix: '100.98.0.0/24' });
    const peer = await attach(network, hub);
    for (let i = 0; i < 2; i++) await attach(network, await machineNamed(`narrow-${i}`));
    const code = (work: Promise<unknown>) =>
      work.then(
        () => 'done',
        (error: { code: string }) => error.code,
      );
    expect(await code(ipv4PrefixOf(network, '100.98.1.0/30'))).toBe('pool_exhausted');
    const other = await create({ name: 'neighbour', ipv4_prefix: '100.98.2.0/24' });
    expect(await code(ipv4PrefixOf(network, '100.98.2.0/25'))).toBe('conflict');
    await platform.call('createPortMapping', {
      network_id: network.id,
      external_address: '203.0.113.78',
      external_port: 8080,
      internal_peer_id: peer.id,
      internal_port: 80,
      protocol: 'tcp',
    });
    expect(await code(ipv4PrefixOf(network, null))).toBe('conflict');
    expect(await ipv4PrefixOf(network, '100.98.3.0/24')).toMatchObject({ ipv4_prefix: '100.98.3.0/24' });
    await remove(other);
  });
});
