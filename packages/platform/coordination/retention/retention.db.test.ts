// Retention over a real database: every table has a rule or a reason, what is over goes, what operators want stays, and
// readers of what went are told.

import {
  changesKeptDays,
  eventsKeptDays,
  eventsKeptPerAccountMin,
  retentionBatchRows,
} from '@powernode/core/limits/coordination';
import { changesKeptPerAccount } from '@powernode/core/limits/node-stream';
import { sql } from 'kysely';
import { pino } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Caller } from '../../actions/invoke-types.ts';
import { changeSource } from '../../deliver/load.ts';
import { inPlatform } from '../../store/tenancy.ts';
import { createEventStreams, eventsDeleted } from '../../surfaces/http/event-stream.ts';
import { makeTenant, type Tenant } from '../../testing/tenant.fixture.ts';
import { startTestPlatform, type TestPlatform } from '../../testing/test-platform.ts';
import { Retention } from './purge.ts';
import { retentionRules } from './rules.ts';

const dayMs = 24 * 3600 * 1000;
const settings = { eventsDays: eventsKeptDays, changesDays: changesKeptDays };

let platform: TestPlatform;
let caller: Caller;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.close());

/** An account of its own for each test. */
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
});

/** Runs as if so many days had passed. */
function runAfter(days: number, stopping = new AbortController().signal) {
  const now = () => new Date(Date.now() + days * dayMs);
  const log = pino({ level: 'silent' });
  return new Retention({ store: platform.store, settings, now, log }).run(stopping);
}

async function count(table: string, accountId = caller.accountId): Promise<number> {
  const { rows } = await inPlatform(platform.store, (trx) =>
    sql<{ count: number }>`
      select count(*)::int as count from ${sql.table(table)} where account_id = ${accountId}
    `.execute(trx),
  );
  return rows[0]?.count ?? 0;
}

/** Events of the past, a second apart, the last one so many days ago. */
async function pastEvents(number: number, daysAgo: number): Promise<string[]> {
  const last = Date.now() - daysAgo * dayMs;
  const rows = Array.from({ length: number }, (_, i) => {
    const msecs = last - (number - 1 - i) * 1000;
    return { id: uuidv7({ msecs }), at: new Date(msecs) };
  });
  await inPlatform(platform.store, (trx) =>
    trx
      .insertInto('events')
      .values(
        rows.map(({ id, at }) => ({
          id,
          at,
          account_id: caller.accountId,
          kind: 'test.happened',
          severity: 'info' as const,
          actor: JSON.stringify({ kind: 'platform', id: null, name: 'platform' }),
          correlation_id: 'test',
          payload: '{}',
        })),
      )
      .execute(),
  );
  return rows.map(({ id }) => id);
}

test('every table of the database has a rule, or a reason to be kept, and no other has', async () => {
  const { rows } = await inPlatform(platform.store, (trx) =>
    sql<{ name: string }>`
      select table_name as name from information_schema.tables
      where table_schema = current_schema() and table_type = 'BASE TABLE'
    `.execute(trx),
  );
  const tables = rows.map(({ name }) => name).filter((name) => name !== 'schema_migrations');
  expect(new Set(Object.keys(retentionRules))).toEqual(new Set(tables));
  for (const [table, { because }] of Object.entries(retentionRules)) expect(because, table).not.toBe('');
});

describe('what operators want', () => {
  const lists = [
    ['listNetworks', 'networks'],
    ['listInstances', 'instances'],
    ['listPeers', 'peers'],
    ['listVirtualIps', 'virtual_ips'],
    ['listPortMappings', 'port_mappings'],
    ['listFirewallRules', 'firewall_rules'],
    ['listUserDevices', 'user_devices'],
    ['listOperators', 'operators'],
    ['listApiTokens', 'api_tokens'],
    ['listPolicies', 'policies'],
  ] as const;
  let tenant: Tenant;
  const look = async () => {
    const shown: unknown[] = [];
    for (const [key, noun] of lists) {
      const needsNetwork = [
        'listPeers',
        'listVirtualIps',
        'listPortMappings',
        'listFirewallRules',
        'listUserDevices',
      ];
      const input = needsNetwork.includes(key) ? { network_id: tenant.ids['network_id'] } : {};
      const answer = (await platform.call(key, input, tenant.caller)) as Record<string, unknown>;
      shown.push(answer[noun]);
    }
    return shown;
  };

  test('is there after ten years as it is today', async () => {
    tenant = await makeTenant(platform, `tenant-${uuidv7()}`);
    const before = await look();
    expect(before.flat().length).toBeGreaterThan(lists.length);
    await runAfter(3_650);
    expect(await look()).toEqual(before);
    // Its join token and its open grant have expired by then.
    expect(await count('join_tokens', tenant.caller.accountId)).toBe(0);
    expect(await count('access_grants', tenant.caller.accountId)).toBe(0);
  });

  test('is deleted together with the keys and records of what was ended by an action', async () => {
    tenant = await makeTenant(platform, `tenant-${uuidv7()}`);
    const { ids, caller: owner } = tenant;
    const approve = { approve: true };
    await platform.call('revokeUserDevice', { user_device_id: ids['user_device_id'], ...approve }, owner);
    await platform.call('revokeApiToken', { api_token_id: ids['api_token_id'], ...approve }, owner);
    await platform.call('terminateInstance', { instance_id: ids['instance_id'], ...approve }, owner);
    await platform.call('decideApproval', { approval_id: ids['approval_id'], decision: 'reject' }, owner);
    const machines = await count('instances', owner.accountId);
    await runAfter(89);
    const left = () =>
      Promise.all(['api_tokens', 'user_devices', 'approvals'].map((name) => count(name, owner.accountId)));
    const [tokens = 0, devices = 0, approvals = 0] = await left();
    await runAfter(91);
    expect(await left()).toEqual([tokens - 1, devices, approvals]);
    await runAfter(eventsKeptDays + 1);
    expect((await left())[1]).toBe(devices - 1);
    expect((await left())[2]).toBe(0);
    expect(await count('instances', owner.accountId)).toBe(machines - 1);
  });
});

describe('credentials', () => {
  test('a token stays for as long as one that was made with it', async () => {
    const { api_token: parent } = (await platform.call(
      'createApiToken',
      { name: 'parent', expires_in_seconds: 60 },
      caller,
    )) as never as { api_token: { id: string; token: string } };
    const holder = await platform.callerOf(parent.token);
    await platform.call('createApiToken', { name: 'child', expires_in_seconds: 59 }, holder);
    const tokens = await count('api_tokens');
    await runAfter(91);
    expect(await count('api_tokens')).toBe(tokens - 1);
    await runAfter(91);
    expect(await count('api_tokens')).toBe(tokens - 2);
  });

  test('a token stays for as long as a join token that was made with it [9.1]', async () => {
    const { api_token: parent } = (await platform.call(
      'createApiToken',
      { name: 'parent', expires_in_seconds: 60 },
      caller,
    )) as never as { api_token: { token: string } };
    await platform.call('createJoinToken', {}, await platform.callerOf(parent.token));
    const tokens = await count('api_tokens');
    await runAfter(91);
    expect(await count('join_tokens', caller.accountId)).toBe(0);
    expect(await count('api_tokens')).toBe(tokens);
    await runAfter(91);
    expect(await count('api_tokens')).toBe(tokens - 1);
  });

  test('the sealed answer to a call with an Idempotency-Key is gone a day later', async () => {
    await platform.invoke({
      caller,
      action: 'createJoinToken',
      input: {},
      idempotencyKey: 'once',
      correlationId: 'test',
    });
    await runAfter(0.9);
    expect(await count('idempotency_keys')).toBe(1);
    await runAfter(1.1);
    expect(await count('idempotency_keys')).toBe(0);
  });

  test('a key that a peer gave up goes when its machine was heard since; one in use and one unused stay', async () => {
    const id = await platform.addMachine(caller.accountId, 'machine', { publicAddress: '203.0.113.9' });
    const { network } = (await platform.call('createNetwork', { name: 'net' }, caller)) as never as {
      network: { id: string };
    };
    const place = { network_id: network.id, node_instance_id: id };
    const { peer } = (await platform.call('attachPeer', place, caller)) as never as { peer: { id: string } };
    expect(await count('node_keys')).toBe(4);
    await runAfter(1_000);
    expect(await count('node_keys')).toBe(4);
    await platform.call('detachPeer', { peer_id: peer.id, approve: true }, caller);
    await runAfter(1_000);
    expect(await count('node_keys')).toBe(4);
    await inPlatform(platform.store, (trx) =>
      trx
        .updateTable('instances')
        .set({ last_heartbeat_at: new Date(Date.now() + 100 * dayMs) })
        .where('id', '=', id)
        .execute(),
    );
    await runAfter(101);
    expect(await count('node_keys')).toBe(2);
  });
});

describe('events', () => {
  test('old ones go, the newest of each account stay however old they are', async () => {
    const ids = await pastEvents(eventsKeptPerAccountMin + 500, eventsKeptDays + 1);
    const others = await count('events');
    await runAfter(0);
    expect(await count('events')).toBe(eventsKeptPerAccountMin);
    const gone = ids[others - eventsKeptPerAccountMin - 1] ?? '';
    const row = await inPlatform(platform.store, (trx) =>
      trx
        .selectFrom('accounts')
        .select('events_deleted_to')
        .where('id', '=', caller.accountId)
        .executeTakeFirstOrThrow(),
    );
    expect(row.events_deleted_to).toBe(gone);
  });

  test('those that are not old stay, however many there are', async () => {
    await pastEvents(eventsKeptPerAccountMin + 500, eventsKeptDays - 1);
    const before = await count('events');
    await runAfter(0);
    expect(await count('events')).toBe(before);
  });

  test('a reader that comes back from before is told first, and then misses nothing', async () => {
    const ids = await pastEvents(eventsKeptPerAccountMin + 10, eventsKeptDays + 1);
    const streams = createEventStreams(platform);
    await runAfter(0);
    const rest = await inPlatform(platform.store, (trx) =>
      trx
        .selectFrom('events')
        .select('id')
        .where('account_id', '=', caller.accountId)
        .orderBy('id')
        .execute(),
    );
    const from = ids[2] ?? '';
    const read = await readIds(streams, from, rest.length + 1);
    const [first, ...others] = read;
    const deletedTo = ids[ids.indexOf(rest[0]?.id ?? '') - 1];
    expect(first).toEqual({ id: deletedTo, event: eventsDeleted });
    expect(others.map(({ id }) => id)).toEqual(rest.map(({ id }) => id));
    // From there it goes on as any other, and one of only some kinds is told as well.
    const again = await readIds(streams, deletedTo ?? '', 1);
    expect(again[0]?.id).toBe(rest[0]?.id);
    const [told] = await readIds(streams, from, 1, 'no.such.kind');
    expect(told?.event).toBe(eventsDeleted);
  });

  test('recent_events says on its last page what is not there any more, and only there', async () => {
    await pastEvents(eventsKeptPerAccountMin + 10, eventsKeptDays + 1);
    const recent = async (input: object) =>
      (await platform.call('recentEvents', input, caller)) as never as {
        deleted_to?: string;
        has_more: boolean;
      };
    expect(await recent({ limit: 500 })).not.toHaveProperty('deleted_to');
    await runAfter(0);
    expect(await recent({ limit: 1 })).not.toHaveProperty('deleted_to');
    const since = new Date(Date.now() - dayMs).toISOString();
    expect(await recent({ limit: 500, since })).not.toHaveProperty('deleted_to');
    const last = await recent({ limit: 500, kind_prefix: 'no.such.kind' });
    expect(Date.parse(last.deleted_to ?? '')).toBeLessThan(Date.now() - eventsKeptDays * dayMs);
  });
});

interface Frame {
  readonly id: string;
  readonly event: string;
}

async function readIds(
  streams: ReturnType<typeof createEventStreams>,
  lastEventId: string,
  wanted: number,
  kindPrefix = '',
): Promise<Frame[]> {
  const response = await streams.open({ caller, kindPrefix, lastEventId });
  const reader = response.body?.getReader();
  let text = '';
  let frames: Frame[] = [];
  while (frames.length < wanted) {
    const { value } = (await reader?.read()) ?? {};
    text += new TextDecoder().decode(value);
    frames = [...text.matchAll(/^id: (\S+)\nevent: (\S+)$/gm)].map(([, id = '', event = '']) => ({
      id,
      event,
    }));
  }
  await reader?.cancel();
  return frames.slice(0, wanted);
}

describe('changes', () => {
  /** So many more of the account, of long ago. */
  async function pastChanges(number: number): Promise<number> {
    return inPlatform(platform.store, async (trx) => {
      const { change_sequence: first } = await trx
        .selectFrom('accounts')
        .select('change_sequence')
        .where('id', '=', caller.accountId)
        .executeTakeFirstOrThrow();
      await sql`
        insert into changes (account_id, sequence, at, changes)
        select ${caller.accountId}::uuid, ${first} + n, now() - interval '300 days', '[]'
        from generate_series(1, ${number}::int) n
      `.execute(trx);
      await sql`update accounts set change_sequence = ${first + number} where id = ${caller.accountId}`.execute(
        trx,
      );
      return first + number;
    });
  }
  const source = (onDeleted: (why: Error) => void) => changeSource(platform.store, onDeleted);

  test('what a start of the platform replays stays, however old it is', async () => {
    const last = await pastChanges(changesKeptPerAccount + retentionBatchRows + 300);
    await runAfter(0);
    expect(await count('changes')).toBe(changesKeptPerAccount);
    const rows = await source(() => undefined).read(caller.accountId, last - changesKeptPerAccount);
    expect(rows[0]?.sequence).toBe(last - changesKeptPerAccount + 1);
  });

  test('system_list_changes says on its last page what is not there any more, and only there', async () => {
    const last = await pastChanges(changesKeptPerAccount + 300);
    const list = async (input: object) =>
      (await platform.call('listChanges', input, caller)) as never as { deleted_to?: number };
    expect(await list({ from_sequence: last - 100, limit: 500 })).not.toHaveProperty('deleted_to');
    await runAfter(0);
    expect(await list({ limit: 10 })).not.toHaveProperty('deleted_to');
    expect(await list({ from_sequence: last - 100, limit: 500 })).not.toHaveProperty('deleted_to');
    expect(
      await list({ from_sequence: last - changesKeptPerAccount - 1, network_id: uuidv7() }),
    ).toMatchObject({
      deleted_to: last - changesKeptPerAccount,
    });
  });

  test('a process that is further behind than they are kept is told, and takes none of the rest', async () => {
    await pastChanges(changesKeptPerAccount + 300);
    let said = '';
    const { read } = source((why) => void (said = why.message));
    expect((await read(caller.accountId, 0))[0]?.sequence).toBe(1);
    await runAfter(0);
    await expect(read(caller.accountId, 0)).rejects.toThrow('not kept any more');
    expect(said).toContain(caller.accountId);
  });
});

describe('a run', () => {
  async function pastKeys(number: number) {
    await inPlatform(platform.store, (trx) =>
      sql`
        insert into idempotency_keys (account_id, operator_id, key, request_digest, status, body, created_at)
        select ${caller.accountId}::uuid, ${caller.operatorId}::uuid, 'key-' || n, '', 200, 'null', now() - interval '2 days'
        from generate_series(1, ${number}::int) n
      `.execute(trx),
    );
  }

  test('deletes in transactions of a batch, and ends after one when the process ends', async () => {
    await pastKeys(retentionBatchRows * 2 + 5);
    const stopping = new AbortController();
    stopping.abort();
    expect(await runAfter(0, stopping.signal)).toEqual(new Map());
    expect(await runAfter(0)).toEqual(new Map([['idempotency_keys', retentionBatchRows * 2 + 5]]));
    expect(await count('idempotency_keys')).toBe(0);
  });

  test('waits for nobody who holds a row, and takes it the next time', async () => {
    await pastKeys(3);
    const letGo = Promise.withResolvers<void>();
    const isHeld = Promise.withResolvers<void>();
    const holding = inPlatform(platform.store, async (trx) => {
      await sql`select 1 from idempotency_keys where key = 'key-2' for update`.execute(trx);
      isHeld.resolve();
      await letGo.promise;
    });
    await isHeld.promise;
    await runAfter(0);
    expect(await count('idempotency_keys')).toBe(1);
    letGo.resolve();
    await holding;
    await runAfter(0);
    expect(await count('idempotency_keys')).toBe(0);
  });

  test('at the same time in two processes deletes each row once', async () => {
    await pastKeys(retentionBatchRows * 3);
    const runs = await Promise.all([runAfter(0), runAfter(0)]);
    const total = runs.reduce((sum, deleted) => sum + (deleted.get('idempotency_keys') ?? 0), 0);
    expect(total).toBe(retentionBatchRows * 3);
  });
});
