// Routes over a real database: what BGP does not decide, what a node does not announce for now, and single sessions.
import type { BgpSession } from '@powernode/core/intent/bgp';
import type { VirtualIp } from '@powernode/core/intent/virtual-ip';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { VirtualIpHealth } from '../../../deliver/reports/virtual-ip-health.ts';
import { inAccount } from '../../../store/tenancy.ts';
import { lan, RoutingScene } from './routing-scene.fixture.ts';

let scene: RoutingScene;
let run: RoutingScene['run'];
let refusal: RoutingScene['refusal'];
let idOf: RoutingScene['idOf'];

beforeAll(async () => {
  scene = await RoutingScene.make();
  ({ run, refusal, idOf } = scene);
});
afterAll(() => scene.platform.close());

interface Summary {
  readonly static_routes: readonly object[];
  readonly bgp_routes: readonly object[];
}

const summary = () => run<Summary>('getRoutingSummary', { network_id: scene.networkId });

async function virtualIp(change: object): Promise<VirtualIp> {
  const holders = { primary_holder_peer_id: idOf('a'), failover_holder_peer_ids: [idOf('b')] };
  const { virtual_ip: made } = await run<{ virtual_ip: VirtualIp }>('createVirtualIp', {
    network_id: scene.networkId,
    ...holders,
    ...change,
  });
  return made;
}

/** The health check of the address on a machine. */
async function found(hostname: string, virtualIpId: string, health: 'healthy' | 'failing'): Promise<void> {
  const reports = new VirtualIpHealth(await scene.reportTools());
  const since = '2026-11-29T10:00:00.000Z';
  reports.observed(scene.nodeOf(hostname), [
    { virtual_ip_id: virtualIpId, health, since, last_error: health === 'failing' ? 'refused' : null },
  ]);
  await reports.flush();
}

test('an address that one peer holds at a time is routed to its holder, whatever BGP decides', async () => {
  const held = await virtualIp({ name: 'k3s-api' });
  const route = (prefix: string) => ({ prefix, via_peer_id: idOf('a'), source: `virtual_ip:${held.id}` });
  const routes = [route(`${held.address}/128`), route(`${held.ipv4_address}/32`)];
  expect((await summary()).static_routes).toEqual(routes);
  const { paths } = await run('explainRoute', { peer_id: idOf('c'), prefix: `${held.address}/128` });
  expect(paths).toEqual([
    {
      via_peer_id: idOf('a'),
      attributes: null,
      best: true,
      because: 'Held by a under a lease; BGP does not decide.',
      policies: [],
    },
  ]);
  await run('updateNetwork', { network_id: scene.networkId, routing_mode: 'static' });
  const lanRoute = { prefix: lan, via_peer_id: idOf('a'), source: 'declared_lan_subnet' };
  expect((await summary()).static_routes).toEqual([lanRoute, ...routes]);
  await run('updateNetwork', { network_id: scene.networkId, routing_mode: 'ibgp' });
  await run('deleteVirtualIp', { virtual_ip_id: held.id, approve: true });
  expect(await run('explainRoute', { peer_id: idOf('c'), prefix: `${held.address}/128` })).toEqual({
    paths: [],
  });
});

test('an anycast address is in static routes by its id too', async () => {
  const shared = await virtualIp({ name: 'dns', anycast: true });
  await run('updateNetwork', { network_id: scene.networkId, routing_mode: 'static' });
  const { static_routes: routes } = await summary();
  expect(routes).toContainEqual({
    prefix: `${shared.address}/128`,
    via_peer_id: idOf('a'),
    source: `virtual_ip:${shared.id}`,
  });
  await run('updateNetwork', { network_id: scene.networkId, routing_mode: 'ibgp' });
  await run('deleteVirtualIp', { virtual_ip_id: shared.id, approve: true });
});

test('the configuration of a peer is what its agent makes of it while a health check fails', async () => {
  const shared = await virtualIp({
    name: 'checked',
    anycast: true,
    health_check: { protocol: 'tcp', port: 53 },
  });
  const configOf = async (hostname: string): Promise<string> => {
    const { config } = await run<{ config: string }>('getBgpConfigForPeer', { peer_id: idOf(hostname) });
    return config;
  };
  const announcement = `network ${shared.address}/128`;
  expect(await configOf('a')).toContain(announcement);
  await found('a', shared.id, 'failing');
  expect(await configOf('a')).not.toContain(announcement);
  expect(await configOf('b')).toContain(announcement);
  await found('a', shared.id, 'healthy');
  expect(await configOf('a')).toContain(announcement);
  await run('deleteVirtualIp', { virtual_ip_id: shared.id, approve: true });
});

test('peers without FRR have static routes in a network with iBGP', async () => {
  expect(await summary()).toMatchObject({ static_routes: [] });
  await inAccount(scene.platform.store, scene.platform.admin.accountId, (trx) =>
    trx
      .updateTable('peers')
      .set({ routing_daemon_missing: true })
      .where('instance_id', '=', scene.instanceOf('c'))
      .execute(),
  );
  const { static_routes: routes, bgp_routes: chosen } = await summary();
  expect(routes).toEqual([
    { prefix: lan, via_peer_id: idOf('a'), source: 'declared_lan_subnet', peer_ids: [idOf('c')] },
  ]);
  expect(chosen).toMatchObject([{ prefix: lan, holders: [idOf('a'), idOf('b')] }]);
});

test('a session is found by its id, which is a UUID of version 7', async () => {
  const all = await scene.sessions();
  expect(all).toHaveLength(6);
  for (const session of all) {
    expect(session.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(await run('getBgpSession', { bgp_session_id: session.id })).toEqual({ session });
  }
  expect(new Set(all.map(({ id }) => id)).size).toBe(6);
  expect((await scene.sessions()).map(({ id }) => id)).toEqual(all.map(({ id }) => id));
  const [first] = all;
  await scene.reported('a', [{ state: 'Connect', last_error: 'timed out' }]);
  const own = all.find(({ hostname }) => hostname === 'a');
  const { session } = await run<{ session: BgpSession }>('getBgpSession', { id: own?.id });
  expect(session).toMatchObject({ hostname: 'a', state: 'Connect', last_error: 'timed out' });
  const absent = { bgp_session_id: '01990000-0000-7000-8000-00000000dead' };
  expect(await refusal('getBgpSession', absent)).toMatchObject({ status: 404, code: 'not_found' });
  await run('updateNetwork', { network_id: scene.networkId, routing_mode: 'static' });
  expect(await refusal('getBgpSession', { bgp_session_id: first?.id })).toMatchObject({ status: 404 });
});
