// Health checks of virtual IPs over a real database: what operators set, what holders report, and where it shows.
import type { SubnetAdvertisement } from '@powernode/core/intent/subnet';
import type { VirtualIp, VirtualIpHolder } from '@powernode/core/intent/virtual-ip';
import { healthEventsPerMinuteMax } from '@powernode/core/limits/anycast';
import type { VirtualIpHealthObservation } from '@powernode/core/wire/node-stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { VirtualIpHealth } from '../../../deliver/reports/virtual-ip-health.ts';
import type { TestPlatform } from '../../../testing/test-platform.ts';
import { NetworkScene, openNetwork } from '../network-scene.fixture.ts';

let scene: NetworkScene;
let platform: TestPlatform;
let networkId: string;
let run: NetworkScene['run'];
let refusal: NetworkScene['refusal'];
let idOf: NetworkScene['idOf'];
let dns: VirtualIp;
const check = { protocol: 'tcp', port: 53 } as const;
const since = '2020-12-01T10:00:00.000Z';

beforeAll(async () => {
  scene = new NetworkScene(await openNetwork());
  ({ platform, networkId, run, refusal, idOf } = scene);
  dns = (await create('dns', { anycast: true, health_check: check })).virtual_ip;
});
afterAll(() => platform.close());

function create(name: string, change: object): Promise<{ virtual_ip: VirtualIp }> {
  const holders = { primary_holder_peer_id: idOf('a'), failover_holder_peer_ids: [idOf('b')] };
  return run('createVirtualIp', { network_id: networkId, name, ...holders, ...change });
}

async function holders(): Promise<VirtualIpHolder[]> {
  const { virtual_ip } = await run<{ virtual_ip: { holders: VirtualIpHolder[] } }>('getVirtualIp', {
    virtual_ip_id: dns.id,
  });
  return virtual_ip.holders;
}

let reports: VirtualIpHealth | null = null;

/** As a node of this process says it. */
async function said(hostname: string, ...all: Partial<VirtualIpHealthObservation>[]): Promise<void> {
  reports = new VirtualIpHealth(await scene.reportTools());
  const of = { virtual_ip_id: dns.id, health: 'healthy', since, last_error: null } as const;
  reports.observed(
    scene.nodeOf(hostname),
    all.map((one) => ({ ...of, ...one })),
  );
  await reports.flush();
}

const failing = { health: 'failing', last_error: 'the connection was refused' } as const;

async function events(virtualIpId = dns.id): Promise<{ kind: string; payload: Record<string, unknown> }[]> {
  const { events: found } = await run<{ events: { kind: string; payload: Record<string, unknown> }[] }>(
    'recentEvents',
    { kind_prefix: 'sdwan.virtual_ip.holder', limit: 100 },
  );
  return found.filter(({ payload }) => payload['virtual_ip_id'] === virtualIpId);
}

describe('an operator', () => {
  test('sets a health check with defaults, changes it, and removes it', async () => {
    const { virtual_ip: made } = await create('web', { anycast: true, health_check: { ...check, port: 80 } });
    const defaults = { interval_ms: 200, fall: 3, rise: 2 };
    expect(made.health_check).toEqual({ protocol: 'tcp', port: 80, ...defaults });
    const http = { protocol: 'http', port: 8080, path: '/healthz', interval_ms: 1000, fall: 1, rise: 10 };
    const update = (health_check: object | null, more: object = {}) =>
      run<{ virtual_ip: VirtualIp; plan?: { nodes: unknown[] } }>('updateVirtualIp', {
        virtual_ip_id: made.id,
        health_check,
        ...more,
      });
    const dry = await update(http, { dry_run: true });
    expect(dry.plan?.nodes).toHaveLength(2);
    expect((await update(http)).virtual_ip.health_check).toEqual(http);
    const renamed = await run<{ virtual_ip: VirtualIp }>('updateVirtualIp', {
      virtual_ip_id: made.id,
      name: 'web-2',
    });
    expect(renamed.virtual_ip.health_check).toEqual(http);
    expect((await update(null)).virtual_ip.health_check).toBeNull();
    await run('deleteVirtualIp', { virtual_ip_id: made.id, approve: true });
  });

  test.each([
    [{ ...check, port: 0 }, 'health_check.port'],
    [{ ...check, port: 65_536 }, 'health_check.port'],
    [{ ...check, interval_ms: 99 }, 'health_check.interval_ms'],
    [{ ...check, interval_ms: 60_001 }, 'health_check.interval_ms'],
    [{ ...check, fall: 0 }, 'health_check.fall'],
    [{ ...check, rise: 11 }, 'health_check.rise'],
    [{ ...check, path: '/' }, 'health_check.path'],
    [{ ...check, protocol: 'udp' }, 'health_check.protocol'],
    [{ ...check, protocol: 'http', path: 'healthz' }, 'health_check.path'],
    [{ ...check, protocol: 'http', path: '/a b' }, 'health_check.path'],
    [{ ...check, protocol: 'http', path: '/a\r\nX: y' }, 'health_check.path'],
    [{ ...check, protocol: 'http', path: `/${'a'.repeat(200)}` }, 'health_check.path'],
    [{ ...check, timeout: 5 }, 'health_check.timeout'],
  ])('is told what is wrong with %j', async (health_check, path) => {
    const input = { network_id: networkId, name: 'wrong', primary_holder_peer_id: idOf('a'), anycast: true };
    const problem = await refusal('createVirtualIp', { ...input, health_check });
    expect(problem).toMatchObject({ status: 422, errors: [{ path }] });
  });

  test('gives one to an address that one peer holds at a time, which its holder alone is asked', async () => {
    const { virtual_ip: single } = await create('single', { health_check: check });
    expect(single).toMatchObject({ anycast: false, health_check: { ...check, interval_ms: 200 } });
    const update = { virtual_ip_id: single.id, health_check: { ...check, port: 54 } };
    const dry = await run<{ plan: { nodes: { instance_id: string }[] } }>('updateVirtualIp', {
      ...update,
      dry_run: true,
    });
    expect(dry.plan.nodes).toHaveLength(1);
    await run('updateVirtualIp', update);
    const found = async () => {
      const { virtual_ip } = await run<{ virtual_ip: { holders: VirtualIpHolder[] } }>('getVirtualIp', {
        virtual_ip_id: single.id,
      });
      return virtual_ip.holders;
    };
    expect(await found()).toMatchObject([{ hostname: 'a', health: 'unknown', since: null }]);
    await said('a', { virtual_ip_id: single.id, ...failing });
    // It does not hold it.
    await said('b', { virtual_ip_id: single.id, health: 'healthy' });
    expect(await found()).toEqual([{ peer_id: idOf('a'), hostname: 'a', since, ...failing }]);
    const [event] = await events(single.id);
    expect(event).toMatchObject({
      kind: 'sdwan.virtual_ip.holder_failing',
      payload: { virtual_ip_id: single.id, peer_id: idOf('a'), reason: failing.last_error },
    });
    await run('deleteVirtualIp', { virtual_ip_id: single.id, approve: true });
  });

  test('of the same state as another one loses the race', async () => {
    const stale = { virtual_ip_id: dns.id, health_check: { ...check, port: 54 }, if_revision: 0 };
    expect(await refusal('updateVirtualIp', stale)).toMatchObject({ status: 409 });
  });
});

describe('what holders report', () => {
  test('is nothing at first', async () => {
    expect(await holders()).toMatchObject([
      { hostname: 'a', health: 'unknown', since: null, last_error: null },
      { hostname: 'b', health: 'unknown' },
    ]);
  });

  test('shows in the virtual IP, in routes, in the list of prefixes and in explanations', async () => {
    await said('a', {});
    await said('b', failing);
    expect(await holders()).toMatchObject([
      { hostname: 'a', health: 'healthy', since, last_error: null },
      { hostname: 'b', health: 'failing', since, last_error: 'the connection was refused' },
    ]);
    const prefix = `${dns.address}/128`;
    const summary = await run<{ bgp_routes: object[] }>('getRoutingSummary', { network_id: networkId });
    expect(summary.bgp_routes).toContainEqual({
      prefix,
      source: `virtual_ip:${dns.id}`,
      holders: [idOf('a')],
      best: idOf('a'),
      nearest_of: [],
    });
    const { paths } = await run<{ paths: object[] }>('explainRoute', { peer_id: idOf('c'), prefix });
    expect(paths).toMatchObject([
      { via_peer_id: idOf('a'), best: true },
      { via_peer_id: idOf('b'), best: false, because: expect.stringContaining('health check fails') },
    ]);
    const listed = (withdrawn: boolean) =>
      run<{ subnet_advertisements: SubnetAdvertisement[] }>('listSubnetAdvertisements', {
        network_id: networkId,
        source: 'virtual_ip',
        withdrawn,
      });
    const [present, gone] = [await listed(false), await listed(true)];
    const byPrefix = present.subnet_advertisements.toSorted((a, b) => (a.prefix < b.prefix ? 1 : -1));
    expect(byPrefix).toMatchObject([
      { hostname: 'a', prefix, withdrawn_at: null, description: 'dns' },
      { hostname: 'a', prefix: `${dns.ipv4_address}/32` },
    ]);
    expect(gone.subnet_advertisements).toMatchObject([
      { hostname: 'b', withdrawn_at: since },
      { hostname: 'b', withdrawn_at: since },
    ]);
    const { because } = await run<{ because: { detail: string }[] }>('explainReachability', {
      network_id: networkId,
      source: { peer_id: idOf('c') },
      destination: { virtual_ip_id: dns.id },
      protocol: 'tcp',
      port: 53,
    });
    const details = because.map(({ detail }) => detail);
    expect(details).toContain('b is left out, because its health check fails: the connection was refused.');
  });

  test('is a list of one page after another', async () => {
    const ids: string[] = [];
    let cursor: string | undefined;
    do {
      const answer = await run<{
        subnet_advertisements: SubnetAdvertisement[];
        next_cursor: string | null;
      }>('listSubnetAdvertisements', { network_id: networkId, limit: 1, ...(cursor ? { cursor } : {}) });
      ids.push(...answer.subnet_advertisements.map(({ id }) => id));
      cursor = answer.next_cursor ?? undefined;
    } while (cursor !== undefined);
    const whole = await run<{ subnet_advertisements: SubnetAdvertisement[] }>('listSubnetAdvertisements', {
      network_id: networkId,
    });
    expect(ids).toEqual(whole.subnet_advertisements.map(({ id }) => id));
    expect(ids.length).toBeGreaterThanOrEqual(2);
    expect(ids).toEqual([...new Set(ids)].sort());
  });

  test('is an event when it turns, and no other time', async () => {
    expect((await events()).map(({ kind }) => kind)).toEqual(['sdwan.virtual_ip.holder_failing']);
    await said('b', failing);
    await said('b', {});
    await said('b', {});
    const found = await events();
    expect(found.map(({ kind }) => kind).sort()).toEqual([
      'sdwan.virtual_ip.holder_failing',
      'sdwan.virtual_ip.holder_healthy',
    ]);
    expect(found.find(({ kind }) => kind.endsWith('failing'))?.payload).toMatchObject({
      virtual_ip_id: dns.id,
      peer_id: idOf('b'),
      reason: 'the connection was refused',
    });
  });

  test('is believed of what they hold alone', async () => {
    const before = await holders();
    await said('c', failing);
    await said('a', { ...failing, virtual_ip_id: '01990000-0000-7000-8000-00000000dead' });
    expect(await holders()).toEqual(before);
  });

  test('causes only so many events in a minute', async () => {
    const node = scene.nodeOf('b');
    await said('b', {});
    const before = (await events()).length;
    for (let i = 0; i < healthEventsPerMinuteMax + 10; i++) {
      if (node === undefined || reports === null) throw new Error('no node');
      const of = { virtual_ip_id: dns.id, since, last_error: null };
      reports.observed(node, [{ ...of, ...(i % 2 === 0 ? failing : { health: 'healthy' as const }) }]);
      await reports.flush();
    }
    expect((await events()).length - before).toBeLessThanOrEqual(healthEventsPerMinuteMax);
  }, 120_000);

  test('is forgotten with the check, and with the holder', async () => {
    await said('b', failing);
    await run('updateVirtualIp', { virtual_ip_id: dns.id, health_check: null });
    expect((await holders()).map(({ health }) => health)).toEqual(['unknown', 'unknown']);
    // The node has taken note.
    await said('b', { health: null });
    await run('updateVirtualIp', { virtual_ip_id: dns.id, health_check: check });
    expect((await holders()).map(({ health }) => health)).toEqual(['healthy', 'unknown']);
    await run('detachPeer', { peer_id: idOf('b'), approve: true });
    expect((await holders()).map(({ hostname }) => hostname)).toEqual(['a']);
  });
});
