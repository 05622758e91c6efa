// Port mappings over a real database: which hub a port mapping is at, what is refused and why, and what becomes of a port mapping whose
// hub or target goes.
import { randomUUID } from 'node:crypto';
import type { PortMapping } from '@powernode/core/intent/port-mapping';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { inAccount } from '../../../store/tenancy.ts';
import { startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';

let platform: TestPlatform;
let scene: Scene;

interface Peer {
  readonly id: string;
  readonly node_instance_id: string;
  readonly host_address: string;
  readonly ipv4_address: string | null;
  readonly listen_port: number;
}
interface Scene {
  readonly networkId: string;
  readonly hub: Peer;
  readonly hubAddress: string;
  readonly second: Peer;
  readonly secondAddress: string;
  readonly spoke: Peer;
}

beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.close());

let counter = 0;
beforeEach(async () => {
  counter++;
  const { network } = await run<{ network: { id: string } }>('createNetwork', { name: `office ${counter}` });
  const hubAddress = `203.0.113.${counter}`;
  const secondAddress = `2001:db8::${counter}`;
  scene = {
    networkId: network.id,
    hub: await attach(network.id, { hostname: `hub-${counter}`, publicAddress: hubAddress }),
    hubAddress,
    second: await attach(network.id, { hostname: `second-${counter}`, publicAddress: secondAddress }),
    secondAddress,
    spoke: await attach(network.id, { hostname: `spoke-${counter}` }),
  };
});

async function run<Answer>(key: Parameters<TestPlatform['call']>[0], input: object): Promise<Answer> {
  return (await platform.call(key, input)) as unknown as Answer;
}

async function inAnotherNetwork(machine: string, more: object): Promise<Peer> {
  const { network } = await run<{ network: { id: string } }>('createNetwork', {
    name: `beside ${counter} ${randomUUID()}`,
  });
  const join = { network_id: network.id, node_instance_id: machine };
  return (await run<{ peer: Peer }>('attachPeer', { ...join, ...more })).peer;
}

async function attach(
  networkId: string,
  of: { readonly hostname: string; readonly publicAddress?: string },
): Promise<Peer> {
  const machine = await platform.addMachine(platform.admin.accountId, of.hostname, of);
  return (await run<{ peer: Peer }>('attachPeer', { network_id: networkId, node_instance_id: machine })).peer;
}

async function create(more: object = {}): Promise<PortMapping> {
  const answer = await run<{ port_mapping: PortMapping }>('createPortMapping', {
    network_id: scene.networkId,
    external_address: scene.hubAddress,
    external_port: 8443,
    internal_peer_id: scene.spoke.id,
    internal_port: 443,
    protocol: 'tcp',
    ...more,
  });
  return answer.port_mapping;
}

async function update(mapping: PortMapping, more: object): Promise<PortMapping> {
  const answer = await run<{ port_mapping: PortMapping }>('updatePortMapping', {
    port_mapping_id: mapping.id,
    ...more,
  });
  return answer.port_mapping;
}

async function get(mapping: PortMapping): Promise<PortMapping> {
  const input = { port_mapping_id: mapping.id };
  return (await run<{ port_mapping: PortMapping }>('getPortMapping', input)).port_mapping;
}

async function list(more: object): Promise<string[]> {
  const input = { network_id: scene.networkId, ...more };
  const { port_mappings: mappings } = await run<{ port_mappings: PortMapping[] }>('listPortMappings', input);
  return mappings.map((mapping) => mapping.id);
}

/** As the virtual IPs' own actions leave it. */
async function addVirtualIp(more: object = {}): Promise<string> {
  const id = randomUUID();
  await inAccount(platform.store, platform.admin.accountId, (trx) =>
    trx
      .insertInto('virtual_ips')
      .values({
        id,
        account_id: platform.admin.accountId,
        network_id: scene.networkId,
        name: `service ${id}`,
        address: `fd00::${id.slice(0, 4)}`,
        ipv4_address: `100.64.0.${counter}`,
        anycast: false,
        primary_holder_peer_id: scene.spoke.id,
        failover_holder_peer_ids: '[]',
        hold_down_seconds: 0,
        state: 'active',
        state_detail: null,
        current_holder_peer_id: scene.spoke.id,
        releasing_peer_id: null,
        release_sequence: null,
        successor_peer_id: null,
        transition: null,
        last_transition_at: null,
        ...more,
      })
      .execute(),
  );
  return id;
}

async function eventKinds(): Promise<string[]> {
  const { events } = await run<{ events: { kind: string }[] }>('recentEvents', {
    kind_prefix: 'sdwan.port_mapping.',
    limit: 3,
  });
  return events.map((event) => event.kind);
}

interface Refusal {
  readonly code: string;
  readonly detail: string;
  readonly members: Readonly<Record<string, unknown>>;
  readonly fields: readonly { readonly path: string }[];
}
const refusal = (of: Promise<unknown>): Promise<Refusal> =>
  of.then(
    () => expect.fail('it was not refused'),
    (error: unknown) => error as Refusal,
  );

describe('a port mapping', () => {
  test('is at the hub that has its address, and leads to an address of its family', async () => {
    const ipv4 = await create();
    expect(ipv4).toMatchObject({
      hub_peer_id: scene.hub.id,
      hub_hostname: `hub-${counter}`,
      internal_address: scene.spoke.ipv4_address,
      status: 'active',
      status_detail: null,
      keeps_client_address: false,
      source_cidrs: [],
    });
    const ipv6 = await create({ external_address: scene.secondAddress });
    expect(ipv6).toMatchObject({
      hub_peer_id: scene.second.id,
      internal_address: scene.spoke.host_address,
    });
    const index = platform.delivery.network(scene.networkId);
    const atHub = index?.compile(scene.hub.node_instance_id).map((entry) => entry.value) ?? [];
    expect(atHub.filter((entry) => entry.kind === 'port_mapping')).toEqual([
      expect.objectContaining({
        external_address: scene.hubAddress,
        external_port: 8443,
        target_address: scene.spoke.ipv4_address,
        target_port: 443,
        source_address: scene.hub.ipv4_address,
      }),
    ]);
  });

  test('to the hub itself keeps the address of the client', async () => {
    expect((await create({ internal_peer_id: scene.hub.id })).keeps_client_address).toBe(true);
  });

  test('leads to a virtual IP wherever that is, and keeps the client where the hub holds it', async () => {
    const virtualIpId = await addVirtualIp({ current_holder_peer_id: scene.hub.id });
    const mapping = await create({ internal_peer_id: undefined, internal_virtual_ip_id: virtualIpId });
    expect(mapping).toMatchObject({
      internal_virtual_ip_id: virtualIpId,
      internal_address: `100.64.0.${counter}`,
      keeps_client_address: true,
    });
    await inAccount(platform.store, platform.admin.accountId, (trx) =>
      trx
        .updateTable('virtual_ips')
        .set({ current_holder_peer_id: scene.spoke.id })
        .where('id', '=', virtualIpId)
        .execute(),
    );
    expect((await get(mapping)).keeps_client_address).toBe(false);
  });

  test('says when the machine does not have the address itself', async () => {
    await run('updatePeer', { peer_id: scene.hub.id, endpoint_address: '192.0.2.200' });
    const mapping = await create({ external_address: '192.0.2.200' });
    expect(mapping.status).toBe('active');
    expect(mapping.status_detail).toContain(scene.hubAddress);
  });

  test('is changed, moved to another hub, listed and deleted', async () => {
    const mapping = await create({ rate_limit: 10 });
    const changed = await update(mapping, {
      external_address: scene.secondAddress,
      internal_port: 444,
      source_cidrs: ['2001:db8:5::/48'],
      rate_limit: null,
      max_connections: 7,
      if_revision: mapping.revision,
    });
    expect(changed).toMatchObject({
      hub_peer_id: scene.second.id,
      internal_address: scene.spoke.host_address,
      internal_port: 444,
      source_cidrs: ['2001:db8:5::/48'],
      rate_limit: null,
      max_connections: 7,
      revision: mapping.revision + 1,
    });
    expect(await list({ hub_peer_id: scene.second.id })).toEqual([mapping.id]);
    expect(await list({ hub_peer_id: scene.hub.id })).toEqual([]);
    await run('deletePortMapping', { port_mapping_id: mapping.id, approve: true });
    expect(await list({})).toEqual([]);
    expect((await refusal(get(mapping))).code).toBe('not_found');
    expect(await eventKinds()).toEqual([
      'sdwan.port_mapping.deleted',
      'sdwan.port_mapping.updated',
      'sdwan.port_mapping.created',
    ]);
  });

  test('a dry run names the hub in its plan and opens nothing', async () => {
    const tried = await run<{ plan: { nodes: { hostname: string }[] } }>('createPortMapping', {
      network_id: scene.networkId,
      external_address: scene.hubAddress,
      external_port: 8443,
      internal_peer_id: scene.spoke.id,
      internal_port: 443,
      protocol: 'tcp',
      dry_run: true,
    });
    expect(tried.plan.nodes.map((node) => node.hostname)).toEqual([`hub-${counter}`]);
    expect(await list({})).toEqual([]);
  });
});

describe('refused', () => {
  test('is an address that no hub has, with the list of those they have', async () => {
    const refused = await refusal(create({ external_address: '192.0.2.99' }));
    expect(refused.code).toBe('conflict');
    expect(refused.detail).toContain(`hub-${counter}: ${scene.hubAddress}`);
    expect(refused.detail).toContain(scene.secondAddress);
    expect(refused.members['hubs']).toHaveLength(2);
  });

  test.each(['127.0.0.1', '::1', '169.254.1.1', 'fe80::1', '224.0.0.1', 'ff02::1', '0.0.0.0', '::'])(
    'is %s, which nobody else can call, though the hub is seen at it [9.8, 9.33]',
    async (address) => {
      const mapping = await create();
      await inAccount(platform.store, platform.admin.accountId, (trx) =>
        trx
          .updateTable('instances')
          .set({ observed_address: address })
          .where('id', '=', scene.hub.node_instance_id)
          .execute(),
      );
      const field = { path: 'external_address', code: 'special_address' };
      for (const refused of [
        await refusal(create({ external_address: address, external_port: 8444 })),
        await refusal(update(mapping, { external_address: address })),
      ]) {
        expect(refused).toMatchObject({ code: 'validation_failed', fields: [field] });
      }
    },
  );

  test('is an address of a spoke, with the reason', async () => {
    await inAccount(platform.store, platform.admin.accountId, (trx) =>
      trx
        .updateTable('instances')
        .set({ addresses: JSON.stringify(['192.0.2.5']) })
        .where('id', '=', scene.spoke.node_instance_id)
        .execute(),
    );
    const refused = await refusal(create({ external_address: '192.0.2.5' }));
    expect(refused.detail).toContain('is a spoke');
  });

  test('is a port mapping that is taken: same machine, address, protocol and port, in whichever network', async () => {
    const mapping = await create();
    const refused = await refusal(create({ internal_port: 80 }));
    expect(refused).toMatchObject({ code: 'conflict', members: { port_mapping_id: mapping.id } });
    const { network } = await run<{ network: { id: string } }>('createNetwork', {
      name: `same hub ${counter}`,
    });
    const { peer } = await run<{ peer: Peer }>('attachPeer', {
      network_id: network.id,
      node_instance_id: scene.hub.node_instance_id,
    });
    const elsewhere = { network_id: network.id, internal_peer_id: peer.id };
    expect((await refusal(create(elsewhere))).members).toEqual({ port_mapping_id: mapping.id });
    expect((await create({ protocol: 'udp' })).status).toBe('active');
    expect((await create({ ...elsewhere, external_port: 8444 })).status).toBe('active');
    expect((await refusal(update(mapping, { external_port: 8444 }))).code).toBe('conflict');
    expect((await update(mapping, { internal_port: 81 })).internal_port).toBe(81);
  });

  test("is a TCP port of the platform's own, at an address of the platform [9.10]", async () => {
    const taken = { fields: [{ path: 'external_port', code: 'taken' }] };
    const nodes = { external_port: 7443 };
    await run('deletePortMapping', { port_mapping_id: (await create(nodes)).id });
    await platform.addMachine(platform.admin.accountId, `witness-${counter}`, {
      underlay: [{ kind: 'platform', at: `${scene.hubAddress}/32`, interface: null }],
    });
    await expect(create(nodes)).rejects.toMatchObject(taken);
    await expect(update(await create(), nodes)).rejects.toMatchObject(taken);
    for (const free of [{ external_port: 7070 }, { ...nodes, protocol: 'udp' }]) await create(free);
    await attach(scene.networkId, { hostname: `home-${counter}`, publicAddress: '192.0.2.1' });
    await expect(create({ ...nodes, external_address: '192.0.2.1' })).rejects.toMatchObject(taken);
  });

  test("is a UDP port on which the machine's tunnels listen, relays between hubs included", async () => {
    const { listen_port: port } = scene.hub;
    for (const taken of [port, port + 200]) {
      const refused = await refusal(create({ protocol: 'udp', external_port: taken }));
      expect(refused.detail).toContain('WireGuard');
    }
    expect((await create({ protocol: 'tcp', external_port: port })).status).toBe('active');
    expect((await create({ protocol: 'udp', external_port: port + 50 })).status).toBe('active');
  });

  test('in turn, no tunnel is given the port of a port mapping', async () => {
    const next = scene.hub.listen_port + 1;
    await create({ protocol: 'udp', external_port: next });
    const machine = scene.hub.node_instance_id;
    const declared = { endpoint_address: `${scene.hubAddress}:${next}` };
    const refused = await refusal(inAnotherNetwork(machine, declared));
    expect(refused).toMatchObject({
      code: 'conflict',
      detail: expect.stringContaining('of the port mapping'),
    });
    expect((await inAnotherNetwork(machine, {})).listen_port).toBe(next + 1);
  });

  test('nor is one given a port that its relays, or those of another hub, could not share', async () => {
    const { listen_port: port, node_instance_id: machine } = scene.hub;
    const attachAt = (at: number | null) =>
      inAnotherNetwork(machine, at === null ? {} : { endpoint_address: `${scene.hubAddress}:${at}` });
    const listens = await refusal(attachAt(port + 200));
    expect(listens).toMatchObject({
      code: 'conflict',
      fields: [{ path: 'endpoint_address', code: 'port_taken', message: expect.stringContaining('relays') }],
    });
    // A port mapping is where a hub on the next port would relay.
    await create({ protocol: 'udp', external_port: port + 1 + 300 });
    const relays = await refusal(attachAt(port + 1));
    expect(relays.detail).toContain(
      `port ${port + 301}, on which a hub on port ${port + 1} listens for relays`,
    );
    expect((await attachAt(null)).listen_port).toBe(port + 2);
  });

  test('is an IPv4 port mapping into a network without an IPv4 prefix', async () => {
    const { network } = await run<{ network: { id: string } }>('createNetwork', {
      name: `six ${counter}`,
      ipv4_prefix: null,
    });
    const { peer } = await run<{ peer: Peer }>('attachPeer', {
      network_id: network.id,
      node_instance_id: scene.hub.node_instance_id,
    });
    const refused = await refusal(create({ network_id: network.id, internal_peer_id: peer.id }));
    expect(refused).toMatchObject({ code: 'conflict', detail: expect.stringContaining('no IPv4 prefix') });
  });

  test('is a target of another network, none, and two', async () => {
    const { network } = await run<{ network: { id: string } }>('createNetwork', { name: `away ${counter}` });
    const stranger = await attach(network.id, { hostname: `stranger-${counter}` });
    expect(await refusal(create({ internal_peer_id: stranger.id }))).toMatchObject({
      code: 'validation_failed',
      fields: [{ path: 'internal_peer_id', code: 'other_network' }],
    });
    expect((await refusal(create({ internal_peer_id: undefined }))).code).toBe('validation_failed');
    const virtualIpId = await addVirtualIp();
    expect((await refusal(create({ internal_virtual_ip_id: virtualIpId }))).code).toBe('validation_failed');
    expect((await refusal(create({ internal_peer_id: randomUUID() }))).code).toBe('not_found');
  });

  test('is a source range of the other family', async () => {
    const refused = await refusal(create({ source_cidrs: ['10.0.0.0/8', 'fd00::/8'] }));
    expect(refused).toMatchObject({ code: 'validation_failed', fields: [{ path: 'source_cidrs.1' }] });
  });
});

describe('what is gone is told', () => {
  test('a target that leaves: an event, a status, and no port mapping on the hub', async () => {
    const mapping = await create();
    await run('detachPeer', { peer_id: scene.spoke.id, approve: true });
    expect(await get(mapping)).toMatchObject({
      status: 'target_missing',
      status_detail: expect.stringContaining('was deleted'),
      internal_address: null,
    });
    expect((await eventKinds())[0]).toBe('sdwan.port_mapping.target_missing');
    expect(await list({ status: 'target_missing' })).toEqual([mapping.id]);
    expect(await list({ status: 'active' })).toEqual([]);
    const entries = platform.delivery.network(scene.networkId)?.compile(scene.hub.node_instance_id) ?? [];
    expect(entries.filter((entry) => entry.value.kind === 'port_mapping')).toEqual([]);
    const repaired = await update(mapping, { internal_peer_id: scene.second.id });
    expect(repaired).toMatchObject({ status: 'active', internal_address: scene.second.ipv4_address });
  });

  test('a machine that is terminated takes its port mappings and its targets with it', async () => {
    const mapping = await create();
    const toHub = await create({
      external_address: scene.secondAddress,
      internal_peer_id: scene.hub.id,
    });
    await run('terminateInstance', { instance_id: scene.hub.node_instance_id, approve: true });
    expect((await get(mapping)).status).toBe('hub_missing');
    expect((await get(toHub)).status).toBe('target_missing');
    expect((await eventKinds()).slice(0, 2).sort()).toEqual([
      'sdwan.port_mapping.hub_missing',
      'sdwan.port_mapping.target_missing',
    ]);
  });

  test('a hub that is one no more; an update finds the address at another hub', async () => {
    const mapping = await create();
    await run('updatePeer', { peer_id: scene.hub.id, publicly_reachable: false });
    expect(await get(mapping)).toMatchObject({ status: 'hub_missing' });
    expect((await eventKinds())[0]).toBe('sdwan.port_mapping.hub_missing');
    expect(await list({ status: 'hub_missing' })).toEqual([mapping.id]);
    expect((await refusal(update(mapping, {}))).detail).toContain('is a spoke');
    const moved = await update(mapping, { external_address: scene.secondAddress });
    expect(moved).toMatchObject({ status: 'active', hub_peer_id: scene.second.id });
  });
});
