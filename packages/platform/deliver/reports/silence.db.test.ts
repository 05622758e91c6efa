// Silent peers are found by a periodic sweep, reported once, and never while another platform process sees the peer.
import { FleetIndex } from '@powernode/core/compile/fleet-index';
import type { NetworkModel, PeerModel } from '@powernode/core/compile/model';
import { networkModel, peerModel } from '@powernode/core/compile/model.fixture';
import { silentAfterMs } from '@powernode/core/limits/overlay';
import { pino } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inProcessBus } from '../../events/event-bus.ts';
import { inAccount, inPlatform } from '../../store/tenancy.ts';
import { openTestStore, type TestStore } from '../../store/test-database.ts';
import { SimulatedClock } from '../../trust/clock.fixture.ts';
import { instanceRow } from '../testing/instance-row.fixture.ts';
import { DirectAndDeviceKeys } from './direct-and-device-keys.ts';
import { PeerHandshakes } from './peer-handshakes.ts';
import { Reports } from './reports.ts';

const accountId = uuidv7();
const instanceId = uuidv7();
const clock = new SimulatedClock();
const network: NetworkModel = networkModel({ id: uuidv7(), accountId });

let database: TestStore;

beforeAll(async () => {
  database = await openTestStore();
  await inPlatform(database.store, async (trx) => {
    await trx.insertInto('accounts').values({ id: accountId, name: 'a', pool_prefix: 'fd00::/48' }).execute();
    await trx
      .insertInto('instances')
      .values(instanceRow({ id: instanceId, account_id: accountId }))
      .execute();
  });
});
afterAll(() => database.close());

function peer(number: number): PeerModel {
  const id = uuidv7();
  return peerModel({
    id,
    networkId: network.id,
    instanceId,
    hostAddress: `fd00::${number}`,
    publicKey: `key ${number}`,
  });
}

async function silentPeers(): Promise<unknown[]> {
  const rows = await inAccount(database.store, accountId, (trx) =>
    trx.selectFrom('events').select(['payload']).where('kind', '=', 'sdwan.peer.silent').execute(),
  );
  return rows.map((row) => row.payload['peer_id']);
}

test('a peer that nobody has seen for five minutes is silent; one that the database has seen is not', async () => {
  const [lost, seenElsewhere, fresh] = [peer(1), peer(2), peer(3)];
  const handshakes = new PeerHandshakes();
  const reports = new Reports({
    store: database.store,
    bus: inProcessBus(() => undefined),
    clock,
    log: pino({ level: 'silent' }),
    fleet: new FleetIndex(),
    handshakes,
    keys: new DirectAndDeviceKeys(),
    onObserved: async () => ({ change: null, againMs: null }),
    onDirectEndpoint: async () => null,
    changed: () => undefined,
    isHeard: () => false,
    deleted: () => undefined,
  });
  const start = clock.now();
  for (const one of [lost, seenElsewhere]) handshakes.load(accountId, one, start, start);
  await clock.advance(silentAfterMs + 1);
  handshakes.load(accountId, fresh, clock.now(), clock.now());
  await inAccount(database.store, accountId, (trx) =>
    trx
      .insertInto('tunnel_observations')
      .values({
        account_id: accountId,
        instance_id: instanceId,
        interface: 'wg-n',
        public_key: seenElsewhere.publicKey,
        last_handshake_at: new Date(clock.now()),
        rx_bytes: 0,
        tx_bytes: 0,
        endpoint: null,
      })
      .execute(),
  );
  await reports.sweepSilence();
  await reports.sweepSilence();
  await reports.close();
  expect(await silentPeers()).toEqual([lost.id]);
});
