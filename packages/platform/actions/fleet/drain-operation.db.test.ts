// What a drain is followed by: an operation that says when nothing depends on the machine any more, over every surface.
import { drainWaitMs } from '@powernode/core/limits/coordination';
import { sql } from 'kysely';
import { pino } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { OperationRunner } from '../../coordination/operations/runner.ts';
import type { NodeDelivery } from '../../deliver/deliverer.ts';
import { inPlatform } from '../../store/tenancy.ts';
import { startTestPlatform, type TestPlatform, withPermissions } from '../../testing/test-platform.ts';
import { systemClock } from '../../trust/clock.ts';
import type { Caller, Invocation } from '../invoke-types.ts';
import { productOperations } from '../operation-kinds.ts';

type Body = Record<string, never>;
interface Operation {
  readonly id: string;
  readonly state: string;
  readonly step: string | null;
  readonly detail: string | null;
  readonly result: { virtual_ips_left: unknown[]; instances_out_of_date: { id: string }[] } | null;
}

let platform: TestPlatform;
let caller: Caller;
let hub: string;
let spoke: string;
let network: string;
/** What delivery is made to know of the spoke. */
let known: Partial<NodeDelivery>;

beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.close());

beforeEach(async () => {
  const name = `account-${uuidv7()}`;
  const { account } = (await platform.call('createAccount', { name })) as never as {
    account: { id: string };
  };
  const owner = { account_id: account.id, name: 'owner', role: 'owner' };
  const { operator } = (await platform.call('createOperator', owner)) as never as {
    operator: { id: string };
  };
  const made = await platform.call('createApiToken', { operator_id: operator.id, name: 'token' });
  caller = await platform.callerOf((made as never as { api_token: { token: string } }).api_token.token);
  hub = await platform.addMachine(account.id, 'hub', { publicAddress: '203.0.113.9' });
  spoke = await platform.addMachine(account.id, 'spoke');
  network = (await call<{ network: { id: string } }>('createNetwork', { name: 'net' })).network.id;
  for (const id of [hub, spoke]) await call('attachPeer', { network_id: network, node_instance_id: id });
  known = {};
});

async function call<T = Body>(key: Invocation['action'], input: object, as = caller): Promise<T> {
  return (await platform.call(key, input, as)) as unknown as T;
}

const drain = (input: object = {}) =>
  call<{ operation_id: string | null }>('drainInstance', { instance_id: hub, ...input });

const operation = async (id: string | null) =>
  (await call<{ operation: Operation }>('getOperation', { operation_id: id })).operation;

/** The turns that are due now, and those that wait for a second. */
async function look(): Promise<void> {
  const { delivery, services } = platform;
  const deliverer = Object.create(delivery, {
    sequenceOf: { value: (accountId: string) => delivery.sequenceOf(accountId) },
    nodeDelivery: {
      value: (id: string) => ({ ...delivery.nodeDelivery(id), ...(id === spoke ? known : {}) }),
    },
  }) as typeof delivery;
  const runner = new OperationRunner({
    store: platform.store,
    bus: platform.bus,
    services: { ...services, deliverer },
    kinds: productOperations,
    clock: systemClock,
    log: pino({ level: 'silent' }),
    random: () => 0,
    wake: () => undefined,
  });
  await set(sql`due_at = now()`);
  for (let turns = 0; turns < 3; turns++) {
    await runner.look(new AbortController().signal);
    await runner.idle();
  }
}

const set = (what: ReturnType<typeof sql>) =>
  inPlatform(platform.store, (trx) =>
    sql`update operations set ${what} where account_id = ${caller.accountId} and ended_at is null`.execute(
      trx,
    ),
  );

test('it ends once every machine that is there has applied it', async () => {
  const { operation_id: id } = await drain();
  const sequence = platform.delivery.sequenceOf(caller.accountId);
  known = { connected: true, desiredRevision: sequence, appliedRevision: sequence - 1 };
  await look();
  expect(await operation(id)).toMatchObject({
    state: 'running',
    step: 'leave_hubs',
    detail: '1 instances have not applied it yet: spoke.',
  });
  known = { ...known, appliedRevision: sequence };
  await look();
  expect(await operation(id)).toMatchObject({
    state: 'succeeded',
    step: null,
    result: { virtual_ips_left: [], instances_out_of_date: [] },
  });
});

test('machines that are offline are named and not waited for', async () => {
  const { operation_id: id } = await drain();
  const sequence = platform.delivery.sequenceOf(caller.accountId);
  known = { connected: false, desiredRevision: sequence, appliedRevision: sequence - 1 };
  await look();
  const { state, result } = await operation(id);
  expect(state).toBe('succeeded');
  expect(result?.instances_out_of_date).toEqual([{ id: spoke, name: 'spoke' }]);
});

test('a machine that never applies it is waited for no longer than the limit', async () => {
  const { operation_id: id } = await drain();
  const sequence = platform.delivery.sequenceOf(caller.accountId);
  known = { connected: true, desiredRevision: sequence, appliedRevision: null };
  await look();
  expect(await operation(id)).toMatchObject({ state: 'running' });
  await set(sql`created_at = created_at - ${drainWaitMs} * interval '1 millisecond'`);
  await look();
  expect((await operation(id)).result?.instances_out_of_date).toEqual([{ id: spoke, name: 'spoke' }]);
});

test('a virtual IP that moves is waited for, one that stays is named', async () => {
  const peers = (
    await call<{ peers: { id: string; node_instance_id: string }[] }>('listPeers', { network_id: network })
  ).peers;
  const peerOf = (id: string) => peers.find((peer) => peer.node_instance_id === id)?.id ?? '';
  const { virtual_ip: virtualIp } = await call<{ virtual_ip: { id: string } }>('createVirtualIp', {
    network_id: network,
    name: 'address',
    primary_holder_peer_id: peerOf(spoke),
  });
  const { operation_id: id } = await drain();
  const holder = (columns: ReturnType<typeof sql>) =>
    inPlatform(platform.store, (trx) =>
      sql`update virtual_ips set ${columns} where id = ${virtualIp.id}`.execute(trx),
    );
  await holder(sql`current_holder_peer_id = null, releasing_peer_id = ${peerOf(hub)}`);
  await look();
  expect(await operation(id)).toMatchObject({
    step: 'move_virtual_ips',
    detail: '1 virtual IPs are being moved: address.',
  });
  await holder(sql`current_holder_peer_id = ${peerOf(hub)}, releasing_peer_id = null`);
  await look();
  expect(await operation(id)).toMatchObject({
    state: 'succeeded',
    result: { virtual_ips_left: [{ id: virtualIp.id, name: 'address' }] },
  });
});

test('asking twice is one operation; taking work again ends it, and the next drain has another', async () => {
  const first = await drain();
  expect(await drain()).toMatchObject({ operation_id: first.operation_id });
  expect(await drain({ drain: false })).toMatchObject({ operation_id: null });
  expect(await operation(first.operation_id)).toMatchObject({
    state: 'cancelled',
    detail: 'The instance was returned to service.',
  });
  const second = await drain();
  expect(second.operation_id).not.toBe(first.operation_id);
});

test('the end of the machine ends it', async () => {
  const { operation_id: id } = await drain();
  await call('terminateInstance', { instance_id: hub, approve: true });
  expect(await operation(id)).toMatchObject({ state: 'cancelled' });
});

test('a dry run begins none', async () => {
  expect(await drain({ dry_run: true })).toMatchObject({ operation_id: null });
  expect(await call('listOperations', {})).toMatchObject({ operations: [] });
});

test('cancelling it leaves the machine drained; it needs the right to drain', async () => {
  const { operation_id: id } = await drain();
  const cancel = { operation_id: id, reason: 'enough' };
  const lesser = withPermissions(caller, ['system.operations.manage']);
  await expect(call('cancelOperation', cancel, lesser)).rejects.toMatchObject({ code: 'permission_denied' });
  const blind = withPermissions(caller, ['system.instances.manage']);
  await expect(call('cancelOperation', cancel, blind)).rejects.toMatchObject({ code: 'permission_denied' });
  await call('cancelOperation', cancel);
  await look();
  expect(await operation(id)).toMatchObject({ state: 'cancelled', detail: 'enough' });
  const { instance } = await call<{ instance: { status: string } }>('getInstance', { instance_id: hub });
  expect(instance.status).toBe('draining');
  await expect(call('cancelOperation', cancel)).rejects.toMatchObject({ code: 'conflict' });
});

test('a model that wants it cancelled waits for a person', async () => {
  const { operation_id: id } = await drain();
  const outcome = await platform.invoke({
    caller,
    action: 'cancelOperation',
    input: { operation_id: id },
    overMcp: 'model',
    correlationId: 'model',
  });
  expect(outcome).toMatchObject({ status: 202, body: { pending: true } });
  expect(await operation(id)).toMatchObject({ state: 'queued' });
});

test('each step is an event, in the order of the steps, tied to the call that drained', async () => {
  await drain();
  await look();
  const { events } = await call<{ events: { kind: string; correlation_id: string }[] }>('recentEvents', {
    kind_prefix: 'system.operation.',
  });
  expect(events.map(({ kind }) => kind).reverse()).toEqual([
    'system.operation.queued',
    'system.operation.step_done',
    'system.operation.succeeded',
  ]);
  expect(new Set(events.map((one) => one.correlation_id)).size).toBe(1);
});
