// What two machines say of one tunnel, and what is made of it when they differ.
import type { Peer } from '@powernode/core/intent/peer';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { inAccount } from '../../../store/tenancy.ts';
import { startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';
import type { Trx } from '../../context.ts';

let platform: TestPlatform;
let networkId: string;
let handle: string;
let hub: Peer;
let spoke: Peer;
let count = 0;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.close());
beforeEach(async () => {
  const { network } = await run<{ network: { id: string; handle: string } }>('createNetwork', {
    name: `network ${++count}`,
  });
  networkId = network.id;
  handle = network.handle;
  hub = await attach('hub', '203.0.113.1');
  spoke = await attach('spoke');
  for (const one of [hub, spoke]) await heard(one, 0);
});

async function run<Answer>(key: Parameters<TestPlatform['call']>[0], input: object): Promise<Answer> {
  return (await platform.call(key, input)) as unknown as Answer;
}

async function attach(hostname: string, publicAddress?: string): Promise<Peer> {
  const facts = publicAddress === undefined ? {} : { publicAddress };
  const node_instance_id = await platform.addMachine(platform.admin.accountId, hostname, facts);
  return (await run<{ peer: Peer }>('attachPeer', { network_id: networkId, node_instance_id })).peer;
}

const write = (work: (trx: Trx) => Promise<unknown>) =>
  inAccount(platform.store, platform.admin.accountId, work);
const ago = (seconds: number) => new Date(Date.now() - seconds * 1000);

/** The machine of a peer was heard so long ago. */
async function heard(peer: Peer, secondsAgo: number): Promise<void> {
  await write((trx) =>
    trx
      .updateTable('instances')
      .set({ last_heartbeat_at: ago(secondsAgo) })
      .where('id', '=', peer.node_instance_id)
      .execute(),
  );
}

/** What a machine says of its tunnel to another one; null: never. */
async function says(of: Peer, about: Peer, secondsAgo: number | null): Promise<void> {
  const row = {
    account_id: platform.admin.accountId,
    instance_id: of.node_instance_id,
    interface: of.role === 'hub' ? `wg-${handle}` : `wg-${handle}-1`,
    public_key: about.public_key,
    last_handshake_at: secondsAgo === null ? null : ago(secondsAgo),
    rx_bytes: 0,
    tx_bytes: 0,
    endpoint: null,
  };
  await write((trx) =>
    trx
      .insertInto('tunnel_observations')
      .values(row)
      .onConflict((conflict) =>
        conflict
          .columns(['instance_id', 'interface', 'public_key'])
          .doUpdateSet({ last_handshake_at: row.last_handshake_at }),
      )
      .execute(),
  );
}

async function now(peer: Peer): Promise<Peer> {
  const { peer: shown } = await run<{ peer: Peer }>('getPeer', { peer_id: peer.id });
  // Both ways to the same answer.
  const { peers } = await run<{ peers: Peer[] }>('listPeers', {
    network_id: networkId,
    status: shown.status,
  });
  expect(peers.map(({ id }) => id)).toContain(peer.id);
  return shown;
}

test('both ends agree: both are connected [9.9]', async () => {
  await says(hub, spoke, 10);
  await says(spoke, hub, 10);
  for (const peer of [hub, spoke]) {
    expect(await now(peer)).toMatchObject({ status: 'connected', problem: null });
  }
});

test('what only another one says connects nobody [9.9]', async () => {
  await says(spoke, hub, 10);
  expect((await now(hub)).status).not.toBe('connected');
  await says(hub, spoke, null);
  await heard(hub, 400);
  expect((await now(hub)).status).not.toBe('connected');
});

test('one end says so and the other never: neither is connected, and both show it [9.9]', async () => {
  await says(spoke, hub, 200);
  await says(hub, spoke, null);
  for (const peer of [hub, spoke]) {
    const shown = await now(peer);
    expect(shown.status).not.toBe('connected');
    expect(shown.problem).toMatchObject({ code: 'handshake_contradiction' });
    expect(shown.problem?.detail).toMatch(
      /^"spoke" reports a handshake with "hub" at .*"hub" reports that there was none/,
    );
  }
  await says(hub, spoke, 5);
  for (const peer of [hub, spoke]) {
    expect(await now(peer)).toMatchObject({ status: 'connected', problem: null });
  }
});

test('a handshake of just now is no contradiction: the other end has not spoken since [9.9]', async () => {
  await says(spoke, hub, 3);
  await says(hub, spoke, null);
  expect(await now(spoke)).toMatchObject({ status: 'connected', problem: null });
});

test('a spoke that others are told to call, and nobody gets through to, says so though it is connected [9.34]', async () => {
  await run('updateNetwork', { network_id: networkId, topology_strategy: 'full_mesh', approve: true });
  const place = { peer_id: spoke.id, endpoint_address: '198.51.100.7:4500' };
  await run('updatePeer', { ...place, publicly_reachable: false });
  const caller = await attach('caller');
  await heard(caller, 0);
  const leaf = { ...caller, role: 'hub' } as const;
  await says(hub, spoke, 10);
  await says(spoke, hub, 10);
  await says(leaf, spoke, null);
  expect((await now(spoke)).called.state).toBe('by_members');
  await write((trx) =>
    trx
      .updateTable('peers')
      .set({ updated_at: ago(300) })
      .where('id', '=', spoke.id)
      .execute(),
  );
  const shown = await now(spoke);
  expect(shown).toMatchObject({
    status: 'connected',
    called: { state: 'by_nobody' },
    problem: { code: 'endpoint_unreachable' },
  });
  expect(shown.problem?.detail).toContain('198.51.100.7:4500');
  expect(shown.problem?.detail).toContain('"caller"');
  expect(shown.problem?.detail).toContain(`UDP ${spoke.listen_port}`);
  await says(leaf, spoke, 10);
  await write((trx) =>
    trx
      .updateTable('tunnel_observations')
      .set({ endpoint: '198.51.100.7:4500' })
      .where('instance_id', '=', caller.node_instance_id)
      .execute(),
  );
  expect(await now(spoke)).toMatchObject({ called: { state: 'by_members' } });
});

test('while a machine is not heard, its neighbours keep it connected once it has said so itself [9.9]', async () => {
  await says(hub, spoke, 900);
  await says(spoke, hub, 900);
  expect((await now(hub)).status).toBe('silent');
  await says(spoke, hub, 20);
  expect((await now(hub)).status).toBe('silent');
  await heard(hub, 600);
  expect((await now(hub)).status).toBe('connected');
});
