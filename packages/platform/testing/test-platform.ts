// A whole platform for tests, over a real database and without listeners: the gate, its actions and delivery.
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type ActionKey, definitionOf } from '@powernode/core/actions/catalogue';
import type { Permission } from '@powernode/core/intent/account';
import type { UnderlayFact } from '@powernode/core/net/underlay';
import { pino } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { createAuthenticate } from '../access/authenticate.ts';
import { tokenState } from '../access/callers.ts';
import { createStreamRights, type StreamRights } from '../access/stream-rights.ts';
import type { Services } from '../actions/context.ts';
import { leaveFleet } from '../actions/fleet/leave-fleet.ts';
import { createGate } from '../actions/gate/invoke.ts';
import { handlers } from '../actions/handlers.ts';
import type { Caller, Invoke } from '../actions/invoke-types.ts';
import { loadFleet } from '../actions/load-fleet.ts';
import { nouns } from '../actions/nouns.ts';
import { followDirectEndpoint } from '../actions/sdwan/observed/direct-endpoints.ts';
import { followObservation } from '../actions/sdwan/observed/machine.ts';
import type { FailoverController } from '../autonomy/failover/controller.ts';
import { openFailover } from '../autonomy/failover/open-failover.ts';
import { openLeadership } from '../coordination/stored-leadership.ts';
import { followObserved } from '../coordination/system-actor.ts';
import { createDelivery } from '../deliver/delivery.ts';
import type { Delivery } from '../deliver/delivery-port.ts';
import { type EventBus, inProcessBus } from '../events/event-bus.ts';
import { installCommand } from '../install/command.ts';
import { ensureFirstAdministrator } from '../start/first-administrator.ts';
import type { Store } from '../store/open-store.ts';
import { inAccount, inPlatform } from '../store/tenancy.ts';
import { openTestStore } from '../store/test-database.ts';
import type { Authority } from '../trust/authority.ts';
import { openAuthority } from '../trust/authority-store.ts';
import { systemClock } from '../trust/clock.ts';
import { SealKey } from '../trust/seal.ts';
import { digestOfToken, makeApiToken, makeBootstrapToken, makeJoinToken } from '../trust/tokens.ts';

export interface TestPlatform {
  readonly store: Store;
  readonly bus: EventBus;
  readonly delivery: Delivery;
  readonly authority: Authority;
  readonly services: Services;
  readonly invoke: Invoke;
  readonly authenticate: ReturnType<typeof createAuthenticate>;
  readonly steady: () => number;
  readonly rights: StreamRights;
  /** The first administrator. */
  readonly admin: Caller;
  readonly adminToken: string;
  /** Runs an action and answers its body; throws what the action throws. */
  readonly call: (key: ActionKey, input: object, caller?: Caller) => Promise<Record<string, never>>;
  /** The caller that a token makes. */
  readonly callerOf: (token: string) => Promise<Caller>;
  /** A running machine of the account with unused keys, as enrolment and its first hello leave it. */
  readonly addMachine: (accountId: string, hostname: string, facts?: MachineFacts) => Promise<string>;
  /** The process that was started with it, and further ones. */
  readonly first: TestProcess;
  readonly startProcess: () => Promise<TestProcess>;
  readonly close: () => Promise<void>;
}

export interface MachineFacts {
  /** Publicly reachable at this address. */
  readonly publicAddress?: string;
  /** What it has outside its overlays. */
  readonly underlay?: readonly UnderlayFact[];
}

/** One process of a platform. Several may be at one database and one bus. */
export interface TestProcess {
  readonly delivery: Delivery;
  readonly services: Services;
  readonly invoke: Invoke;
  readonly close: () => Promise<void>;
}

interface ProcessParts {
  readonly store: Store;
  readonly bus: EventBus;
  readonly authority: Authority;
  readonly sealKey: SealKey;
  readonly isShared: boolean;
}

async function startTestProcess(parts: ProcessParts): Promise<TestProcess> {
  const { store, bus, authority, sealKey } = parts;
  const log = pino({ level: process.env['TEST_LOG'] ?? 'silent' });
  const delivery = await createDelivery({
    store,
    bus,
    authority,
    log,
    clock: systemClock,
    platformVersion: 'test',
    loadFleet,
    onObserved: (machine) =>
      followObserved({ store, bus, services }, { ...machine, action: 'observed_endpoint' }, (context) =>
        followObservation(context, machine),
      ),
    onDirectEndpoint: async (direct) => {
      const by = { ...direct, action: 'observed_direct_endpoint' } as const;
      const { change } = await followObserved({ store, bus, services }, by, (context) =>
        followDirectEndpoint(context, direct),
      );
      return change;
    },
    onLeave: (machine) => leaveFleet({ store, bus, services }, machine),
  });
  const processId = uuidv7();
  const virtualIps = openFailover({
    store,
    bus,
    delivery,
    log,
    leadership: openLeadership({ store, clock: systemClock, log, processId, isShared: parts.isShared }),
    processId,
    services: () => services,
  });
  const services = testServices({ delivery, virtualIps, authority });
  await virtualIps.start();
  const invoke = createGate({
    store,
    bus,
    services,
    handlers,
    sealer: {
      seal: (purpose, plain) => sealKey.seal({ purpose, secret: Buffer.from(plain) }),
      open: (purpose, sealed) => sealKey.open({ purpose, sealed }).toString('utf8'),
    },
  });
  return {
    delivery,
    services,
    invoke,
    async close() {
      await virtualIps.close();
      await delivery.close();
    },
  };
}

export async function startTestPlatform({ isShared = false } = {}): Promise<TestPlatform> {
  const { store, close: closeStore } = await openTestStore();
  const sealKey = SealKey.parse(randomBytes(32).toString('base64'), 'the test');
  const bus = inProcessBus((error) => {
    throw error;
  });
  const authority = await openAuthority({ kind: 'nodes', store, sealKey, clock: systemClock });
  const parts = { store, bus, authority, sealKey, isShared };
  const first = await startTestProcess(parts);
  const { services, invoke } = first;
  const directory = await mkdtemp(path.join(tmpdir(), 'pn-test-'));
  await ensureFirstAdministrator({ store, services, dataDir: directory });
  const adminToken = (await readFile(path.join(directory, 'admin-token'), 'utf8')).trim();
  await rm(directory, { recursive: true });
  const callerOf = async (token: string) => {
    const state = await inPlatform(store, (trx) =>
      tokenState(trx, { digest: digestOfToken(token) }, new Date()),
    );
    if (state.kind === 'bad') throw new Error(`the token is ${state.why}`);
    return state.caller;
  };
  const admin = await callerOf(adminToken);
  const steady = () => performance.now();
  const rights = createStreamRights({ store, bus, now: services.now, log: pino({ level: 'silent' }) });
  return {
    store,
    bus,
    delivery: first.delivery,
    authority,
    services,
    invoke,
    authenticate: createAuthenticate({ store, now: services.now, steady }),
    steady,
    rights,
    admin,
    adminToken,
    callerOf,
    first,
    startProcess: () => startTestProcess(parts),
    async call(action, input, caller = admin) {
      const outcome = await invoke({
        caller,
        action,
        input,
        correlationId: `test-${definitionOf(action).name}`,
      });
      return outcome.body as Record<string, never>;
    },
    addMachine: (accountId, hostname, facts) =>
      addMachine(store, { accountId, hostname, facts: facts ?? {} }),
    async close() {
      rights.close();
      await first.close();
      await bus.close();
      await closeStore();
    },
  };
}

function testServices(parts: {
  readonly delivery: Delivery;
  readonly virtualIps: FailoverController;
  readonly authority: Authority;
}): Services {
  return {
    deliverer: parts.delivery,
    virtualIps: parts.virtualIps,
    nouns,
    now: () => new Date(),
    newId: uuidv7,
    newApiToken: makeApiToken,
    newJoinToken: () => makeJoinToken(parts.authority.fingerprint()),
    installCommand: (token) =>
      installCommand({ platform: 'https://127.0.0.1:7443', pin: 'sha256//test', token }),
    newBootstrapToken: makeBootstrapToken,
    randomName: (length) => randomBytes(length).toString('hex').slice(0, length),
    randomPoolBits: () => BigInt(`0x${randomBytes(5).toString('hex')}`),
    nodeUrl: () => 'https://192.0.2.1:7443',
    consoleUrl: () => 'https://192.0.2.1',
    listeners: () => [
      { what: 'the listener for instances', address: null, port: 7443 },
      { what: 'the listener for operators', address: '127.0.0.1', port: 7070 },
    ],
    platformVersion: 'test',
  };
}

/** WireGuard keys are any 32 bytes to the platform: it never sees the private half. */
function randomPublicKey(): string {
  return randomBytes(32).toString('base64');
}

async function addMachine(
  store: Store,
  machine: { readonly accountId: string; readonly hostname: string; readonly facts: MachineFacts },
): Promise<string> {
  const id = uuidv7();
  const { publicAddress } = machine.facts;
  await inAccount(store, machine.accountId, async (trx) => {
    await trx
      .insertInto('instances')
      .values({
        id,
        account_id: machine.accountId,
        hostname: machine.hostname,
        status: 'running',
        provider: 'joined',
        tags: '[]',
        addresses: JSON.stringify(publicAddress === undefined ? [] : [publicAddress]),
        observed_address: publicAddress ?? null,
        publicly_reachable: publicAddress !== undefined,
        underlay: JSON.stringify(machine.facts.underlay ?? []),
        subsystems: '[]',
      })
      .execute();
    await trx
      .insertInto('node_keys')
      .values(
        Array.from({ length: 4 }, () => ({
          account_id: machine.accountId,
          instance_id: id,
          public_key: randomPublicKey(),
        })),
      )
      .execute();
  });
  return id;
}

/** A caller that may do exactly these things. */
export function withPermissions(caller: Caller, permissions: Iterable<Permission>): Caller {
  return { ...caller, permissions: new Set(permissions) };
}
