// A machine that leaves a network and comes back, and what a plan says of all that depends on what goes.
import type { Plan } from '@powernode/core/intent/autonomy';
import type { FirewallRule } from '@powernode/core/intent/firewall';
import type { Peer } from '@powernode/core/intent/peer';
import type { PortMapping } from '@powernode/core/intent/port-mapping';
import type { VirtualIp } from '@powernode/core/intent/virtual-ip';
import { addressQuarantineMs } from '@powernode/core/limits/overlay';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { inAccount } from '../../../store/tenancy.ts';
import { startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';

let platform: TestPlatform;
let networkId: string;
let hub: Peer;
let edge: Peer;
let other: Peer;
let count = 0;

beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.close());
beforeEach(async () => {
  const created = await run<{ network: { id: string } }>('createNetwork', { name: `network ${++count}` });
  networkId = created.network.id;
  hub = await join('hub', { publicAddress: '203.0.113.5' });
  edge = await join('edge');
  other = await join('other');
});

async function run<Answer>(key: Parameters<TestPlatform['call']>[0], input: object): Promise<Answer> {
  return (await platform.call(key, input)) as unknown as Answer;
}

async function join(hostname: string, facts: { publicAddress?: string } = {}): Promise<Peer> {
  const machine = await platform.addMachine(platform.admin.accountId, `${hostname}${count}`, facts);
  return attach(machine);
}

async function attach(machine: string, more: object = {}): Promise<Peer> {
  const input = { network_id: networkId, node_instance_id: machine, ...more };
  return (await run<{ peer: Peer }>('attachPeer', input)).peer;
}

const detach = (peer: Peer) => run('detachPeer', { peer_id: peer.id, approve: true });

async function planOf(key: Parameters<TestPlatform['call']>[0], input: object): Promise<string[]> {
  const { plan } = await run<{ plan: Plan }>(key, { ...input, dry_run: true });
  return (plan.notes ?? []).filter((note) => note.code === 'dependent').map((note) => note.detail);
}

const addRule = async (selector: object): Promise<FirewallRule> =>
  (
    await run<{ firewall_rule: FirewallRule }>('createFirewallRule', {
      network_id: networkId,
      name: 'no edge',
      direction: 'ingress',
      action: 'drop',
      selector,
      protocol: 'any',
    })
  ).firewall_rule;

const addVirtualIp = async (primary: Peer, failover: readonly Peer[]): Promise<VirtualIp> =>
  (
    await run<{ virtual_ip: VirtualIp }>('createVirtualIp', {
      network_id: networkId,
      name: 'api',
      primary_holder_peer_id: primary.id,
      failover_holder_peer_ids: failover.map((peer) => peer.id),
    })
  ).virtual_ip;

const addMapping = async (): Promise<PortMapping> =>
  (
    await run<{ port_mapping: PortMapping }>('createPortMapping', {
      network_id: networkId,
      external_address: '203.0.113.5',
      external_port: 8000 + count,
      internal_peer_id: edge.id,
      internal_port: 443,
      protocol: 'tcp',
    })
  ).port_mapping;

describe('a machine that comes back', () => {
  test('is the same peer to its rules, addresses, tags and mappings [9.11]', async () => {
    await run('setPeerTags', { peer_id: edge.id, tags: ['tenant-a'] });
    const rule = await addRule({ kind: 'peer', peer_id: edge.id });
    const mapping = await addMapping();
    for (const peer of [edge, hub]) {
      await detach(peer);
      const back = await attach(peer.node_instance_id);
      expect(back).toMatchObject({
        id: peer.id,
        host_address: peer.host_address,
        ipv4_address: peer.ipv4_address,
        role: peer.role,
      });
      expect(back.public_key).not.toBe(peer.public_key);
      expect(back.revision).toBeGreaterThan(peer.revision);
    }
    const { peer } = await run<{ peer: Peer }>('getPeer', { peer_id: edge.id });
    expect(peer.tags).toEqual(['tenant-a']);
    const { firewall_rule } = await run<{ firewall_rule: FirewallRule }>('getFirewallRule', {
      firewall_rule_id: rule.id,
    });
    expect(firewall_rule.selector).toMatchObject({ peer_id: edge.id, resolves: true });
    const { port_mapping } = await run<{ port_mapping: PortMapping }>('getPortMapping', {
      port_mapping_id: mapping.id,
    });
    expect(port_mapping).toMatchObject({ status: 'active', hub_peer_id: hub.id });
  });

  test('is a candidate of its virtual IPs again, at its place [9.11]', async () => {
    const { id } = await addVirtualIp(edge, [other, hub]);
    await detach(edge);
    const gone = await run<{ virtual_ip: VirtualIp }>('getVirtualIp', { virtual_ip_id: id });
    expect(gone.virtual_ip.primary_holder_peer_id).toBe(other.id);
    await attach(edge.node_instance_id);
    const { virtual_ip } = await run<{ virtual_ip: VirtualIp }>('getVirtualIp', { virtual_ip_id: id });
    expect(virtual_ip).toMatchObject({
      primary_holder_peer_id: edge.id,
      failover_holder_peer_ids: [other.id, hub.id],
    });
  });

  test('is what it was declared to be, unless it is declared otherwise [9.11]', async () => {
    const declared = { endpoint_address: '198.51.100.9:4500', listen_port: 51999, publicly_reachable: true };
    await run('updatePeer', { peer_id: other.id, ...declared });
    await detach(other);
    expect(await attach(other.node_instance_id)).toMatchObject({
      role: 'hub',
      listen_port: 51999,
      endpoint_addresses: ['198.51.100.9:4500'],
    });
    await run('updatePeer', { peer_id: edge.id, endpoint_address: '198.51.100.10:4500' });
    await detach(edge);
    const otherwise = { publicly_reachable: false, endpoint_addresses: [], tags: ['new'] };
    expect(await attach(edge.node_instance_id, otherwise)).toMatchObject({
      id: edge.id,
      role: 'spoke',
      endpoint_addresses: [],
      tags: ['new'],
    });
  });

  test('says so in the plan of attaching it [9.11]', async () => {
    await detach(edge);
    const input = { network_id: networkId, node_instance_id: edge.node_instance_id, dry_run: true };
    const { plan } = await run<{ plan: Plan }>('attachPeer', input);
    expect(plan.notes?.map(({ code }) => code)).toContain('peer_returns');
    // The trial has not used it up.
    expect((await attach(edge.node_instance_id)).id).toBe(edge.id);
  });

  test('is another one after a week, and another machine always is [9.11]', async () => {
    await detach(edge);
    const stranger = await join('stranger');
    expect(stranger.id).not.toBe(edge.id);
    await inAccount(platform.store, platform.admin.accountId, (trx) =>
      trx
        .updateTable('former_peers')
        .set({ detached_at: new Date(Date.now() - addressQuarantineMs - 1000) })
        .where('peer_id', '=', edge.id)
        .execute(),
    );
    expect((await attach(edge.node_instance_id)).id).not.toBe(edge.id);
  });
});

describe('a plan names what depends on what goes, and what becomes of it', () => {
  test('when a peer is detached, or its machine is terminated [9.11]', async () => {
    await addRule({ kind: 'peer', peer_id: edge.id });
    await addVirtualIp(edge, [other]);
    await addMapping();
    const detached = await planOf('detachPeer', { peer_id: edge.id });
    expect(detached).toEqual([
      expect.stringMatching(/The drop rule "no edge" names edge\d+: it matches nothing until it is back/),
      expect.stringMatching(/The virtual IP "api" .* edge\d+; 1 other candidate can hold it/),
      expect.stringMatching(
        /The port mapping 203\.0\.113\.5 tcp \d+ targets edge\d+: it loses its target until/,
      ),
    ]);
    const ended = await planOf('terminateInstance', { instance_id: edge.node_instance_id });
    expect(ended.map((text) => text.replace(' until it is back, within 7 days', ''))).toEqual(
      detached.map((text) => text.replace(' until it is back, within 7 days', '')),
    );
    expect(ended.join()).not.toContain('until it is back');
    expect(await planOf('detachPeer', { peer_id: hub.id })).toEqual([
      expect.stringMatching(/tcp \d+ is at hub\d+: it is closed until it is back/),
    ]);
  });

  test('when a virtual IP or a network is deleted [9.11]', async () => {
    const { id } = await addVirtualIp(edge, []);
    await run('createPortMapping', {
      network_id: networkId,
      external_address: '203.0.113.5',
      external_port: 9000 + count,
      internal_virtual_ip_id: id,
      internal_port: 443,
      protocol: 'tcp',
    });
    expect(await planOf('deleteVirtualIp', { virtual_ip_id: id })).toEqual([
      expect.stringMatching(/targets api: it loses its target\.$/),
    ]);
    expect(await planOf('deleteNetwork', { network_id: networkId })).toEqual([
      '3 peers go with the network.',
      'One virtual IP goes with the network.',
      'One port mapping goes with the network.',
    ]);
  });
});
