// Where a peer can be called: what is refused, what follows from what is given, and what is said of what cannot work.
import { ProductError } from '@powernode/core/errors';
import type { Plan } from '@powernode/core/intent/autonomy';
import type { Peer, Topology } from '@powernode/core/intent/peer';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { inAccount } from '../../../store/tenancy.ts';
import { startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';

let platform: TestPlatform | undefined;
let networkId: string;
let count = 0;
beforeEach(async () => {
  platform ??= await startTestPlatform();
  const created = await run<{ network: { id: string } }>('createNetwork', { name: `network ${++count}` });
  networkId = created.network.id;
});
afterAll(() => platform?.close());

function running(): TestPlatform {
  if (platform === undefined) throw new Error('the platform has not started');
  return platform;
}

async function run<Answer>(key: Parameters<TestPlatform['call']>[0], input: object): Promise<Answer> {
  return (await running().call(key, input)) as unknown as Answer;
}

interface Machine {
  readonly observed: string;
  readonly addresses?: readonly string[];
  readonly families?: readonly (4 | 6)[];
}

async function machine(hostname: string, facts: Machine): Promise<string> {
  const { accountId } = running().admin;
  const id = await running().addMachine(accountId, hostname);
  const { observed, addresses = [], families = [] } = facts;
  await inAccount(running().store, accountId, (trx) =>
    trx
      .updateTable('instances')
      .set({
        observed_address: observed,
        addresses: JSON.stringify(addresses),
        families: JSON.stringify(families),
      })
      .where('id', '=', id)
      .execute(),
  );
  return id;
}

function attach<Answer = { peer: Peer }>(node_instance_id: string, input: object = {}): Promise<Answer> {
  return run<Answer>('attachPeer', { network_id: networkId, node_instance_id, ...input });
}

async function refused(work: Promise<unknown>): Promise<ProductError> {
  const error: unknown = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ProductError)) throw new Error('it was not refused');
  return error;
}

async function warnings(): Promise<Topology['warnings']> {
  return (await run<{ topology: Topology }>('getTopology', { network_id: networkId })).topology.warnings;
}

const addresses = ['192.168.1.5', '2001:db8::5'];

describe('endpoints that no other machine can call', () => {
  test.each([
    '127.0.0.1',
    '127.0.0.1:51820',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '169.254.169.254',
    '::1',
    '::ffff:203.0.113.5',
    '[::ffff:7f00:1]:51820',
    'fe80::1',
    'ff02::1',
  ])('%s is refused with what to give instead [9.8]', async (endpoint_address) => {
    const id = await machine('hub', { observed: '203.0.113.5', addresses });
    for (const given of [{ endpoint_address }, { endpoint_addresses: ['203.0.113.6', endpoint_address] }]) {
      const error = await refused(attach(id, { publicly_reachable: true, ...given }));
      expect(error.meaning.httpStatus).toBe(422);
      expect(error.fields[0]?.path).toMatch(/^endpoint_address/);
      expect(error.fields[0]?.message).toContain('Give an address');
    }
  });

  test('an address inside of any overlay of the account is refused, also its own [9.8]', async () => {
    const id = await machine('hub', { observed: '203.0.113.5', addresses });
    const { peer } = await attach(id, { publicly_reachable: true });
    for (const endpoint_address of [peer.host_address, `[${peer.host_address}]:51820`, peer.ipv4_address]) {
      const error = await refused(run('updatePeer', { peer_id: peer.id, endpoint_address }));
      expect(error.fields[0]).toMatchObject({ path: 'endpoint_address', code: 'overlay_address' });
      expect(error.members['candidates']).toEqual(['2001:db8::5', '192.168.1.5']);
    }
    const other = await machine('other', { observed: '203.0.113.6' });
    const { network } = await run<{ network: { id: string } }>('createNetwork', { name: `other ${count}` });
    const elsewhere = { network_id: network.id, node_instance_id: other };
    const error = await refused(run('attachPeer', { ...elsewhere, endpoint_address: peer.host_address }));
    expect(error.fields[0]?.code).toBe('overlay_address');
  });

  test('a hub that joined by a loopback address is asked for one that others reach [9.33]', async () => {
    const id = await machine('on the platform', { observed: '127.0.0.1', addresses });
    const error = await refused(attach(id, { publicly_reachable: true }));
    expect(error.meaning.httpStatus).toBe(422);
    expect(error.fields[0]).toMatchObject({ path: 'endpoint_address', code: 'endpoint_needed' });
    expect(error.detail).toContain('127.0.0.1');
    expect(error.detail).toContain('2001:db8::5, 192.168.1.5');
    const { peer } = await attach(id, { publicly_reachable: true, endpoint_address: '192.168.1.5' });
    expect(peer.endpoint).toBe(`192.168.1.5:${peer.listen_port}`);
  });

  test('one that works from inside only is warned of in the plan and in the topology [9.33]', async () => {
    await attach(await machine('outside', { observed: '198.51.100.7' }));
    const inside = await machine('inside', { observed: '192.168.1.5', addresses: ['192.168.1.5'] });
    const wanted = { publicly_reachable: true };
    const { plan } = await attach<{ plan: Plan }>(inside, { ...wanted, dry_run: true });
    expect(plan.notes?.find(({ code }) => code === 'endpoint_only_inside')?.detail).toContain('"outside"');
    expect(await warnings()).not.toContainEqual(expect.objectContaining({ code: 'endpoint_only_inside' }));
    await attach(inside, wanted);
    const [warning] = (await warnings()).filter(({ code }) => code === 'endpoint_only_inside');
    expect(warning?.detail).toMatch(
      /"inside" has the endpoint 192\.168\.1\.5:\d+.*"outside" is outside that site/,
    );
  });

  test('among members of one site a private endpoint is nothing to warn of [9.33]', async () => {
    await attach(await machine('hub', { observed: '192.168.1.5', addresses }), { publicly_reachable: true });
    await attach(await machine('neighbour', { observed: '192.168.1.6' }));
    expect((await warnings()).map(({ code }) => code)).not.toContain('endpoint_only_inside');
  });
});

describe('a port of its own', () => {
  const forwarded = { publicly_reachable: true, endpoint_address: '203.0.113.5:4500' };

  test('where a router forwards another port, the machine listens on its own and the plan says what to forward [9.34]', async () => {
    const id = await machine('hub', { observed: '203.0.113.5', addresses });
    const { plan } = await attach<{ plan: Plan }>(id, { ...forwarded, listen_port: 51900, dry_run: true });
    const note = plan.notes?.find(({ code }) => code === 'port_forward');
    expect(note?.detail).toContain('forward 203.0.113.5:4500 to UDP 51900');
    const { peer } = await attach(id, { ...forwarded, listen_port: 51900 });
    expect(peer).toMatchObject({ endpoint: '203.0.113.5:4500', listen_port: 51900 });
    const { peer: free } = await run<{ peer: Peer }>('updatePeer', { peer_id: peer.id, listen_port: null });
    expect(free).toMatchObject({ endpoint: '203.0.113.5:4500', listen_port: 51820 });
  });

  test('without listen_port it never follows from an external one [9.34]', async () => {
    const { peer } = await attach(await machine('hub', { observed: '203.0.113.5', addresses }), forwarded);
    expect(peer).toMatchObject({ endpoint: '203.0.113.5:4500', listen_port: 51820 });
  });

  test('at an address of its own nothing changes ports, so it listens on the one that is named [9.34]', async () => {
    const own = { observed: '203.0.113.5', addresses: ['203.0.113.5'] };
    const { peer } = await attach(await machine('hub', own), forwarded);
    expect(peer).toMatchObject({ endpoint: '203.0.113.5:4500', listen_port: 4500 });
  });

  test('a port that another tunnel of the machine has is refused by its name [9.34]', async () => {
    const id = await machine('hub', { observed: '203.0.113.5', addresses });
    const { peer } = await attach(id);
    const { network } = await run<{ network: { id: string } }>('createNetwork', { name: `second ${count}` });
    const there = { network_id: network.id, node_instance_id: id };
    const error = await refused(run('attachPeer', { ...there, listen_port: peer.listen_port }));
    expect(error.fields[0]).toMatchObject({ path: 'listen_port', code: 'port_taken' });
  });

  test('a spoke that nobody can call is said to be one [9.34]', async () => {
    const hub = await attach(await machine('hub', { observed: '203.0.113.5', addresses: ['203.0.113.5'] }), {
      publicly_reachable: true,
    });
    expect(hub.peer.called.state).toBe('by_members');
    const spoke = await attach(await machine('spoke', { observed: '198.51.100.7' }), {
      endpoint_address: '198.51.100.7:4500',
      publicly_reachable: false,
    });
    expect(spoke.peer.called.state).toBe('by_nobody');
    expect(spoke.peer.called.detail).toContain('used in a full mesh only');
    await run('updateNetwork', { network_id: networkId, topology_strategy: 'full_mesh' });
    const { peer } = await run<{ peer: Peer }>('getPeer', { peer_id: spoke.peer.id });
    expect(peer.called).toMatchObject({ state: 'by_members', detail: expect.stringContaining(':4500') });
  });
});

describe('endpoints of both families', () => {
  const both = ['203.0.113.5', '[2001:db8::5]:4500'];

  test('are told to every member, the preferred one first [9.29]', async () => {
    const { peer } = await attach(await machine('hub', { observed: '203.0.113.5' }), {
      publicly_reachable: true,
      endpoint_addresses: both,
    });
    expect(peer.endpoint_addresses).toEqual(both);
    expect(peer.endpoints).toEqual(['203.0.113.5:51820', '[2001:db8::5]:4500']);
    const spoke = await attach(await machine('spoke', { observed: '198.51.100.7' }));
    const entries = running().delivery.network(networkId)?.compile(spoke.peer.node_instance_id) ?? [];
    const tunnel = entries.find(
      ({ value }) => value.kind === 'peer' && value.interface.endsWith('-1'),
    )?.value;
    expect(tunnel).toMatchObject({
      endpoint: '203.0.113.5:51820',
      fallback_endpoints: ['[2001:db8::5]:4500'],
    });
    const one = { peer_id: peer.id, endpoint_address: '203.0.113.9' };
    expect((await run<{ peer: Peer }>('updatePeer', one)).peer.endpoints).toEqual(['203.0.113.9:51820']);
    const twice = await refused(run('updatePeer', { ...one, endpoint_addresses: both }));
    expect(twice.fields[0]?.path).toBe('endpoint_addresses');
  });

  test('a hub that lists a public address of the other family when it is attached is met there too [9.29]', async () => {
    const id = await machine('hub', { observed: '203.0.113.5', addresses: ['203.0.113.5', '2001:db8::5'] });
    const { peer } = await attach(id, { publicly_reachable: true });
    expect(peer.endpoints).toEqual(['203.0.113.5:51820', '[2001:db8::5]:51820']);
  });

  test('the topology names members that have no common family, and what to give [9.29]', async () => {
    const facts: Machine = {
      observed: '203.0.113.5',
      addresses: ['203.0.113.5', '2001:db8::5'],
      families: [4, 6],
    };
    const hub = await attach(await machine('hub', facts), {
      publicly_reachable: true,
      endpoint_address: '203.0.113.5',
    });
    const lonely = await machine('six', { observed: '2001:db8:1::7', families: [6] });
    const { plan } = await attach<{ plan: Plan }>(lonely, { dry_run: true });
    expect(plan.notes?.map(({ code }) => code)).toContain('no_common_family');
    await attach(lonely);
    const [warning] = (await warnings()).filter(({ code }) => code === 'no_common_family');
    expect(warning?.detail).toContain('"six"');
    expect(warning?.detail).toContain('2001:db8::5');
    const repaired = ['203.0.113.5', '2001:db8::5'];
    await run('updatePeer', { peer_id: hub.peer.id, endpoint_addresses: repaired });
    expect((await warnings()).map(({ code }) => code)).not.toContain('no_common_family');
  });
});
