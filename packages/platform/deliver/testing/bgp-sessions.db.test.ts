// Sessions of BGP that nodes report, over a real database and real streams.
import { randomUUID } from 'node:crypto';
import type { NetworkModel } from '@powernode/core/compile/model';
import { asNumberDefault } from '@powernode/core/intent/bgp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inAccount } from '../../store/tenancy.ts';
import { Stage } from './stage.fixture.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

/** A network that speaks BGP, with a hub and a spoke that are connected and in sync. */
async function pair() {
  const network = await stage.network();
  const [hub, spoke] = [await stage.join(), await stage.join()];
  const hubPeer = await stage.attach(network, hub.instanceId, { hubSlot: 1 });
  const spokePeer = await stage.attach(network, spoke.instanceId);
  await Promise.all([hub.node.connect(), spoke.node.connect()]);
  await stage.until(() => stage.inSync(hub.instanceId) && stage.inSync(spoke.instanceId));
  await speak(network);
  return { network, hub, spoke, hubPeer, spokePeer };
}

async function speak(network: NetworkModel): Promise<void> {
  const speaking = { ...network, asNumber: asNumberDefault };
  const { sequence, changes } = await stage.commit(async () => ({
    result: null,
    changes: [{ kind: 'network_updated', network: speaking }],
  }));
  stage.delivery.changed(stage.accountId, sequence, changes);
  await stage.until(() =>
    [...stage.delivery.networks()].some(
      ({ network: { id, asNumber } }) => id === network.id && asNumber !== undefined,
    ),
  );
}

const rowsOf = (networkId: string) =>
  inAccount(stage.store, stage.accountId, (trx) =>
    trx.selectFrom('bgp_sessions').selectAll().where('network_id', '=', networkId).execute(),
  );

const established = () => ({
  state: 'Established' as const,
  established_at: new Date().toISOString(),
  prefixes_received: 3,
  last_error: null,
});
const active = {
  state: 'Active' as const,
  established_at: null,
  prefixes_received: 0,
  last_error: 'BFD down received',
};

test('what a node says of its session is kept, with an event for each turn, and goes with the session', async () => {
  const { network, spoke, spokePeer, hubPeer } = await pair();
  const session = { network_id: network.id, peer_id: hubPeer.id };
  const say = (said: object) =>
    spoke.node.observe({ bgp_sessions: [{ ...session, ...established(), ...said }] });
  say({});
  await stage.until(async () => (await rowsOf(network.id)).length === 1);
  expect(await rowsOf(network.id)).toMatchObject([
    {
      peer_id: spokePeer.id,
      neighbor_id: hubPeer.id,
      state: 'Established',
      prefixes_received: 3,
      down_since: null,
    },
  ]);
  say(active);
  await stage.until(async () => (await rowsOf(network.id))[0]?.state === 'Active');
  say({});
  await stage.until(async () => (await rowsOf(network.id))[0]?.state === 'Established');
  const [row] = await rowsOf(network.id);
  expect(row?.down_since).toBeInstanceOf(Date);
  expect(row?.recovered_at).toBeInstanceOf(Date);
  const lost = await stage.events('sdwan.bgp.session.lost');
  expect(lost.map(({ payload }) => payload)).toMatchObject([
    { network_id: network.id, peer_id: spokePeer.id, neighbor_id: hubPeer.id, reason: 'BFD down received' },
  ]);
  expect(await stage.events('sdwan.bgp.session.established')).toHaveLength(2);
  say({ ...active, state: null });
  await stage.until(async () => (await rowsOf(network.id)).length === 0);
});

test('sessions that the document does not have are not kept, however many are made up', async () => {
  const { network, spoke, hub, hubPeer, spokePeer } = await pair();
  const other = await pair();
  const elsewhere = [
    { network_id: other.network.id, peer_id: other.hubPeer.id },
    { network_id: network.id, peer_id: other.hubPeer.id },
    { network_id: network.id, peer_id: spokePeer.id },
    { network_id: network.id, peer_id: network.id },
  ];
  const right = { network_id: network.id, peer_id: hubPeer.id };
  spoke.node.observe({ bgp_sessions: [...elsewhere, right].map((one) => ({ ...one, ...established() })) });
  await stage.until(async () => (await rowsOf(network.id)).length === 1);
  expect(await rowsOf(other.network.id)).toEqual([]);
  const before = (await stage.events('sdwan.bgp.session.established')).length;
  hub.node.observe({ bgp_sessions: [{ network_id: network.id, peer_id: spokePeer.id, ...established() }] });
  await stage.until(async () => (await rowsOf(network.id)).length === 2);
  expect(await stage.events('sdwan.bgp.session.established')).toHaveLength(before + 1);
});

test('a reset that a node has done is taken down once, of its own session and the last that was asked for', async () => {
  const { network, hub, spoke, spokePeer, hubPeer } = await pair();
  const reset_id = randomUUID();
  const { accountId: account_id } = stage;
  await inAccount(stage.store, account_id, (trx) =>
    trx
      .insertInto('bgp_session_resets')
      .values({
        ...{ id: randomUUID(), account_id, network_id: network.id, reset_id, requested_at: new Date() },
        ...{ peer_id: spokePeer.id, neighbor_id: hubPeer.id, done_at: null },
      })
      .execute(),
  );
  const doneAt = async () => {
    const rows = await inAccount(stage.store, account_id, (trx) =>
      trx.selectFrom('bgp_session_resets').select('done_at').where('network_id', '=', network.id).execute(),
    );
    return rows[0]?.done_at ?? null;
  };
  const say = (of: typeof spoke, peerId: string, said: object) =>
    of.node.observe({
      bgp_sessions: [{ network_id: network.id, peer_id: peerId, ...established(), ...said }],
    });
  // Of the other end of the session, and of another request.
  say(hub, spokePeer.id, { reset_done: reset_id });
  say(spoke, hubPeer.id, { reset_done: randomUUID() });
  await stage.until(async () => (await rowsOf(network.id)).length === 2);
  expect(await doneAt()).toBeNull();
  say(spoke, hubPeer.id, { reset_done: reset_id, prefixes_received: 4 });
  await stage.until(async () => (await doneAt()) !== null);
  const at = await doneAt();
  say(spoke, hubPeer.id, { reset_done: reset_id, prefixes_received: 5 });
  await stage.until(async () => (await rowsOf(network.id)).some((row) => row.prefixes_received === 5));
  expect(await doneAt()).toEqual(at);
  const events = await stage.events('sdwan.bgp.session.reset');
  expect(events.map(({ payload }) => payload)).toMatchObject([
    { network_id: network.id, peer_id: spokePeer.id, neighbor_id: hubPeer.id, reset_id },
  ]);
});
