// What is said of a spoke's direct path is true: also when no place was left, and when it is switched off and on again.
import type { Peer } from '@powernode/core/intent/peer';
import { directSpokesMax } from '@powernode/core/limits/overlay';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { followObserved } from '../../../coordination/system-actor.ts';
import { inAccount } from '../../../store/tenancy.ts';
import { startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';
import type { Trx } from '../../context.ts';
import { followDirectEndpoint } from '../observed/direct-endpoints.ts';

let platform: TestPlatform;
let networkId: string;
let hubMachine: string;
beforeAll(async () => {
  platform = await startTestPlatform();
  const { network } = await run<{ network: { id: string } }>('createNetwork', { name: 'office' });
  networkId = network.id;
  hubMachine = (await attach('hub', '203.0.113.1')).node_instance_id;
});
afterAll(() => platform.close());

async function run<Answer>(key: Parameters<TestPlatform['call']>[0], input: object): Promise<Answer> {
  return (await platform.call(key, input)) as unknown as Answer;
}

async function attach(hostname: string, publicAddress?: string): Promise<Peer> {
  const facts = publicAddress === undefined ? {} : { publicAddress };
  const machine = await platform.addMachine(platform.admin.accountId, hostname, facts);
  const place = { network_id: networkId, node_instance_id: machine };
  return (await run<{ peer: Peer }>('attachPeer', place)).peer;
}

async function stateOf(peer: Peer): Promise<string> {
  return (await run<{ peer: Peer }>('getPeer', { peer_id: peer.id })).peer.direct_path.state;
}

function write<T>(work: (trx: Trx) => Promise<T>): Promise<T> {
  return inAccount(platform.store, platform.admin.accountId, work);
}

/** As all hubs see it. */
async function seen(peer: Peer, seenBy = 2): Promise<void> {
  const { accountId } = platform.admin;
  const { direct_key: directKey } = await write((trx) =>
    trx.selectFrom('peers').select('direct_key').where('id', '=', peer.id).executeTakeFirstOrThrow(),
  );
  const endpoint = '198.51.100.9:4000';
  const place = { accountId, networkId, peerId: peer.id, directKey: directKey ?? '' };
  const { store, bus, services } = platform;
  await followObserved(
    { store, bus, services },
    { accountId, action: 'observed_direct_endpoint' },
    (context) =>
      followDirectEndpoint(context, { ...place, natKind: 'cone', endpoint, seenBy, complete: true }),
  );
}

test('a spoke waits as long as no place is left, and no longer', async () => {
  const others = [];
  for (let i = 0; i < directSpokesMax; i++) others.push(await attach(`spoke-${i}`));
  for (const other of others) await seen(other);
  const late = await attach('late');
  expect(await stateOf(late)).toBe('unknown');
  await seen(late);
  expect(await stateOf(late)).toBe('limit');
  await run('detachPeer', { peer_id: others[0]?.id, approve: true });
  expect(await stateOf(late)).toBe('unknown');
  await seen(late);
  expect(await stateOf(late)).toBe('possible');
  for (const one of [...others.slice(1), late]) await run('detachPeer', { peer_id: one.id, approve: true });
});

describe('where a hub says that a spoke is', () => {
  const place = '198.51.100.9';
  async function machineOf(peer: Peer, observed: string | null, addresses: readonly string[]): Promise<void> {
    await write((trx) =>
      trx
        .updateTable('instances')
        .set({ observed_address: observed, addresses: JSON.stringify(addresses) })
        .where('id', '=', peer.node_instance_id)
        .execute(),
    );
  }

  test('is told to others when the platform sees it there too, or the machine has the address [9.8]', async () => {
    const spoke = await attach('vouched for');
    await machineOf(spoke, place, []);
    await seen(spoke, 1);
    expect(await stateOf(spoke)).toBe('possible');
    const own = await attach('vouches for itself');
    await machineOf(own, '2001:db8::9', [place]);
    await seen(own, 1);
    expect(await stateOf(own)).toBe('possible');
  });

  test('is told to nobody on the word of one hub, nor of two against the platform [9.8]', async () => {
    const spoke = await attach('lied about');
    await machineOf(spoke, '203.0.113.77', ['10.0.0.1']);
    await seen(spoke, 1);
    expect(await stateOf(spoke)).toBe('unknown');
    await seen(spoke, 2);
    expect(await stateOf(spoke)).toBe('unknown');
    await machineOf(spoke, '10.0.0.1', ['10.0.0.1']);
    await seen(spoke, 1);
    expect(await stateOf(spoke)).toBe('unknown');
    await seen(spoke, 2);
    expect(await stateOf(spoke)).toBe('possible');
  });
});

test('switched on again, what hubs have seen meanwhile is known of the NAT too', async () => {
  const spoke = await attach('behind a NAT');
  await run('updateNetwork', { network_id: networkId, direct_paths: false });
  expect(await stateOf(spoke)).toBe('switched_off');
  await write(async (trx) => {
    const { direct_key: key } = await trx
      .selectFrom('peers')
      .select('direct_key')
      .where('id', '=', spoke.id)
      .executeTakeFirstOrThrow();
    const at = { account_id: platform.admin.accountId, instance_id: hubMachine, interface: 'wg-n' };
    const nothing = { last_handshake_at: null, rx_bytes: 0, tx_bytes: 0 };
    await trx
      .insertInto('tunnel_observations')
      .values({ ...at, ...nothing, public_key: key ?? '', endpoint: '198.51.100.9:4000' })
      .execute();
  });
  await write((trx) =>
    trx
      .updateTable('instances')
      .set({ observed_address: '198.51.100.9' })
      .where('id', '=', spoke.node_instance_id)
      .execute(),
  );
  await run('updateNetwork', { network_id: networkId, direct_paths: true });
  expect(await stateOf(spoke)).toBe('possible');
  const row = await write((trx) =>
    trx.selectFrom('peers').select('nat_kind').where('id', '=', spoke.id).executeTakeFirstOrThrow(),
  );
  expect(row.nat_kind).toBe('cone');
});
