// Findings over a real database: hubs and holders that do not answer, what every finding carries, and who may read which.
import type { Permission } from '@powernode/core/intent/account';
import type { Finding } from '@powernode/core/intent/findings';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writePresence } from '../../deliver/presence/presence-rows.ts';
import { inAccount } from '../../store/tenancy.ts';
import { withPermissions } from '../../testing/test-platform.ts';
import { systemClock } from '../../trust/clock.ts';
import { RoutingScene } from '../sdwan/routing/routing-scene.fixture.ts';

let scene: RoutingScene;
let accountId: string;

beforeAll(async () => {
  scene = await RoutingScene.make();
  ({ accountId } = scene.platform.admin);
});
afterAll(() => scene.platform.close());

async function findings(input: object = {}, caller = scene.platform.admin): Promise<Finding[]> {
  const answer = await scene.platform.call('listFindings', input, caller);
  return (answer as unknown as { findings: Finding[] }).findings;
}

/** As presence writes it; null: it is reachable again. */
function peerIs(hostname: string, sinceMs: number | null): Promise<unknown> {
  const unreachable = sinceMs === null ? null : { sinceMs, code: 'offline', detail: 'It is offline.' };
  const peer = { peerId: scene.idOf(hostname), instanceId: scene.instanceOf(hostname) };
  const peers = [{ ...peer, networkId: scene.networkId, unreachable }];
  return inAccount(scene.platform.store, accountId, (trx) =>
    writePresence(trx, { accountId, machines: [], peers, asOne: false, clock: systemClock }),
  );
}

const sinceMs = Date.parse('2026-11-29T10:00:00.000Z');
const version7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test('a hub that is not reachable is a finding, and no other peer', async () => {
  await peerIs('hub', sinceMs);
  await peerIs('a', sinceMs);
  const open = await findings({ kind: 'sdwan.hub_unreachable' });
  expect(open).toEqual([
    {
      id: expect.stringMatching(version7),
      account_id: accountId,
      created_at: '2026-11-29T10:00:00.000Z',
      updated_at: '2026-11-29T10:00:00.000Z',
      revision: 1,
      kind: 'sdwan.hub_unreachable',
      severity: 'warning',
      network_id: scene.networkId,
      object: { type: 'peer', id: scene.idOf('hub'), name: 'hub' },
      by: null,
      detail: expect.stringContaining('The hub hub is not reachable'),
      began_at: '2026-11-29T10:00:00.000Z',
      recovered_at: null,
      skill: null,
    },
  ]);
  expect(await findings({ kind: 'sdwan.hub_unreachable' })).toEqual(open);
  await peerIs('hub', null);
  await peerIs('a', null);
  expect(await findings()).toEqual([]);
  const over = await findings({ recovered: true });
  expect(over).toMatchObject([
    { id: open[0]?.id, revision: 2, began_at: open[0]?.began_at, recovered_at: expect.any(String) },
  ]);
});

test('what is deleted while it is a finding leaves a row that says so', async () => {
  const { run, networkId, platform } = scene;
  const primary_holder_peer_id = scene.idOf('a');
  const ip = await run<{ virtual_ip: { id: string } }>('createVirtualIp', {
    ...{ network_id: networkId, name: 'web', primary_holder_peer_id },
  });
  const machine = await platform.addMachine(accountId, 'second', { publicAddress: '203.0.113.77' });
  const hub = await run<{ peer: { id: string } }>('attachPeer', {
    ...{ network_id: networkId, node_instance_id: machine, publicly_reachable: true },
  });
  const error = { state: 'error', state_detail: 'a does not answer.' } as const;
  await inAccount(platform.store, accountId, async (trx) => {
    const since = new Date(sinceMs);
    await trx
      .updateTable('virtual_ips')
      .set({ ...error, error_since: since })
      .where('id', '=', ip.virtual_ip.id)
      .execute();
    await trx.updateTable('peers').set({ unreachable_since: since }).where('id', '=', hub.peer.id).execute();
  });
  const open = await findings({ network_id: networkId });
  expect(open.map(({ kind }) => kind)).toEqual(['sdwan.hub_unreachable', 'sdwan.vip_holder_silent']);
  await run('deleteVirtualIp', { virtual_ip_id: ip.virtual_ip.id, approve: true });
  await run('detachPeer', { peer_id: hub.peer.id, approve: true });
  expect(await findings({ network_id: networkId })).toEqual([]);
  const over = await findings({ recovered: true, network_id: networkId });
  for (const [one, words] of [
    [open[0], 'The hub was detached from the network.'],
    [open[1], 'a does not answer. The virtual IP was deleted.'],
  ] as const) {
    expect(over.find(({ id }) => id === one?.id)).toMatchObject({
      ...{ kind: one?.kind, object: one?.object, began_at: one?.began_at, revision: 2 },
      ...{ recovered_at: expect.any(String), detail: expect.stringContaining(words) },
    });
  }
});

test('the finding about a hub that becomes a spoke leaves a row that says so', async () => {
  await peerIs('hub', sinceMs + 1);
  const [open] = await findings({ kind: 'sdwan.hub_unreachable' });
  await scene.run('updatePeer', { peer_id: scene.idOf('hub'), publicly_reachable: false, approve: true });
  expect(await findings({ kind: 'sdwan.hub_unreachable' })).toEqual([]);
  const over = await findings({ kind: 'sdwan.hub_unreachable', recovered: true });
  expect(over.find(({ id }) => id === open?.id)?.detail).toContain('The peer is a spoke now.');
  await peerIs('hub', null);
  await scene.run('updatePeer', { peer_id: scene.idOf('hub'), publicly_reachable: true, approve: true });
});

test('every finding has an id, an account and a revision', async () => {
  await scene.reported('a', [{ state: 'Connect', last_error: 'timed out' }]);
  await peerIs('hub', sinceMs);
  const all = await findings();
  expect(all.map(({ kind }) => kind)).toEqual(['sdwan.hub_unreachable', 'sdwan.bgp_session_down']);
  for (const one of all) {
    expect(one).toMatchObject({ id: expect.stringMatching(version7), account_id: accountId, revision: 1 });
  }
  expect(new Set(all.map(({ id }) => id)).size).toBe(2);
});

test('whoever may not read the objects of a kind is not shown findings about them', async () => {
  const rule = { type: 'firewall_rule', id: '01990000-0000-7000-8000-000000000001', name: 'allow' };
  await inAccount(scene.platform.store, accountId, (trx) =>
    trx
      .insertInto('findings')
      .values({
        id: '01990000-0000-7000-8000-000000000002',
        account_id: accountId,
        network_id: scene.networkId,
        kind: 'sdwan.firewall_rule_dead',
        severity: 'warning',
        mark: 'dead',
        object: JSON.stringify(rule),
        cause: null,
        detail: 'It matches nothing.',
        began_at: new Date(),
      })
      .execute(),
  );
  const seen = async (...more: Permission[]) => {
    const caller = withPermissions(scene.platform.admin, ['system.sdwan.routing.read', ...more]);
    return (await findings({}, caller)).map(({ kind }) => kind).sort();
  };
  expect(await seen()).toEqual(['sdwan.bgp_session_down']);
  expect(await seen('system.sdwan.firewall.read')).toEqual([
    'sdwan.bgp_session_down',
    'sdwan.firewall_rule_dead',
  ]);
  expect(await seen('system.sdwan.peers.read')).toEqual(['sdwan.bgp_session_down', 'sdwan.hub_unreachable']);
});
