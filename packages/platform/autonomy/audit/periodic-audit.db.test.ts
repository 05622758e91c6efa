// The periodic audit over a real database: what it finds, once; what is over; when it looks, and that one process does.
import type { ActionKey } from '@powernode/core/actions/catalogue';
import type { Finding } from '@powernode/core/intent/findings';
import {
  auditAfterChangeMs,
  auditIntervalMs,
  findingEventsPerAuditMax,
} from '@powernode/core/limits/coordination';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Caller } from '../../actions/invoke-types.ts';
import { exclusively } from '../../coordination/exclusive.ts';
import { JobRunner } from '../../coordination/jobs.ts';
import { inPlatform } from '../../store/tenancy.ts';
import { startTestPlatform, type TestPlatform } from '../../testing/test-platform.ts';
import { SimulatedClock } from '../../trust/clock.fixture.ts';
import { auditCategory, PeriodicAudit } from './periodic-audit.ts';

let platform: TestPlatform;
let owner: Caller;
let networkId = '';
const clock = new SimulatedClock(Date.now());
const opened: PeriodicAudit[] = [];
const running = new AbortController().signal;

beforeAll(async () => {
  platform = await startTestPlatform();
  owner = platform.admin;
  networkId = await network('tokyo');
});
afterEach(() => {
  for (const audit of opened.splice(0)) audit.close();
});
afterAll(() => platform.close());

function run<Answer = Record<string, Record<string, unknown>>>(
  key: ActionKey,
  input: object,
  caller = owner,
): Promise<Answer> {
  return platform.call(key, input, caller) as unknown as Promise<Answer>;
}

async function network(name: string, caller = owner): Promise<string> {
  const { network: made } = await run('createNetwork', { name, routing_mode: 'ibgp' }, caller);
  return String(made?.['id']);
}

function open(wake: () => void = () => undefined): PeriodicAudit {
  const { store, bus, services } = platform;
  const log = pino({ level: 'silent' });
  const now = () => new Date(clock.now());
  const audit = new PeriodicAudit({ store, bus, services: { ...services, now }, clock, log, wake });
  opened.push(audit);
  return audit;
}

/** A look at all accounts. */
const look = () => open().run(running);

async function findings(input: object = {}): Promise<Finding[]> {
  return (await run<{ findings: Finding[] }>('listFindings', { limit: 500, ...input })).findings;
}

interface Told {
  readonly kind: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

async function told(caller = owner): Promise<Told[]> {
  const asked = { kind_prefix: 'sdwan.finding', limit: 500 };
  const { events } = await run<{ events: Told[] }>('recentEvents', asked, caller);
  return events;
}

/** The second statement never decides. */
function shadowedPolicy(name: string) {
  const match = { prefix: 'fd00:7::/64', prefix_le: 128 };
  const statements = [
    { seq: 10, match, action: 'deny' },
    { seq: 20, match: { prefix: 'fd00:7::/64', prefix_le: 100 }, action: 'permit' },
  ];
  return { network_id: networkId, name, direction: 'import', statements };
}

const rule = (name: string, action: string) => ({
  ...{ network_id: networkId, name, direction: 'ingress', action },
  ...{ selector: { kind: 'all' }, protocol: 'tcp', port_range: '5432' },
});

describe('what an audit finds', () => {
  test('is kept from when it began until it is over, with one event for each', async () => {
    const { route_policy: policy } = await run('createRoutePolicy', shadowedPolicy('prefer'));
    const { firewall_rule: accept } = await run('createFirewallRule', rule('allow', 'accept'));
    await run('createFirewallRule', rule('deny', 'drop'));
    expect(await findings()).toEqual([]);
    await look();
    const began = await findings({ network_id: networkId });
    const about = (name: string) => began.filter(({ object }) => object.name === name);
    expect(about('prefer').find(({ object }) => object.seq === 20)).toMatchObject({
      kind: 'sdwan.route_policy_shadowed',
      severity: 'warning',
      by: { type: 'route_policy', name: 'prefer', seq: 10 },
      recovered_at: null,
    });
    expect(about('allow')).toMatchObject([{ by: { type: 'firewall_rule', name: 'deny' }, skill: null }]);
    const first = await told();
    expect(first.map(({ kind }) => kind)).toEqual(began.map(() => 'sdwan.finding.began'));
    clock.set(60_000);
    await look();
    expect(await findings()).toEqual(began);
    expect(await told()).toEqual(first);
    expect(await findings({ kind: 'sdwan.route_policy_shadowed' })).toHaveLength(1);
    expect(await findings({ kind: 'sdwan.bgp_session_down' })).toEqual([]);
    // Another name, or another cause, is no other finding.
    await run('updateRoutePolicy', { route_policy_id: policy?.['id'], name: 'renamed' });
    await look();
    const renamed = (await findings()).find(({ object }) => object.seq === 20);
    expect(renamed).toMatchObject({ object: { name: 'renamed' }, by: { name: 'renamed' } });
    expect(renamed?.began_at).toBe(began.find(({ object }) => object.seq === 20)?.began_at);
    expect(await told()).toEqual(first);
    await run('deleteFirewallRule', { firewall_rule_id: accept?.['id'], approve: true });
    await look();
    expect((await findings()).some(({ object }) => object.name === 'allow')).toBe(false);
    expect(await findings({ recovered: true })).toMatchObject([
      { object: { name: 'allow' }, recovered_at: new Date(clock.now()).toISOString() },
    ]);
    const [over, ...others] = await told();
    expect(over).toMatchObject({
      kind: 'sdwan.finding.recovered',
      payload: { network_id: networkId, object: { name: 'allow' } },
    });
    expect(others).toEqual(first);
  });

  test('comes again as another one', async () => {
    const before = await findings({ recovered: true });
    await run('createFirewallRule', rule('allow', 'accept'));
    await look();
    expect(await findings({ recovered: true })).toEqual(before);
    expect((await findings()).filter(({ object }) => object.name === 'allow')).toHaveLength(1);
  });

  test('goes with its network, without a word', async () => {
    const other = await network('osaka');
    await run('createFirewallRule', { ...rule('a', 'accept'), network_id: other });
    await run('createFirewallRule', { ...rule('b', 'accept'), network_id: other });
    await look();
    expect(await findings({ network_id: other })).not.toEqual([]);
    const before = await told();
    await run('deleteNetwork', { network_id: other, approve: true });
    await look();
    expect((await findings()).some(({ network_id: id }) => id === other)).toBe(false);
    expect(await told()).toEqual(before);
  });

  test('is told by so many events at a time, and the last says how many there were more', async () => {
    const many = findingEventsPerAuditMax + 10;
    for (let i = 0; i <= many; i++) await run('createFirewallRule', rule(`same-${i}`, 'accept'));
    const before = (await told()).length;
    const known = (await findings()).length;
    await look();
    const begun = (await findings()).length - known;
    expect(begun).toBeGreaterThanOrEqual(many);
    const events = await told();
    expect(events.length - before).toBe(findingEventsPerAuditMax);
    expect(events[0]?.payload).toMatchObject({ unreported_count: begun - findingEventsPerAuditMax });
  });
});

describe('the policy of an account', () => {
  const set = (mode: string | null) => run('setPolicy', { category: auditCategory, mode });

  test.each(['blocked', 'require_approval'])('%s: the platform looks at nothing by itself', async (mode) => {
    await set(null);
    await look();
    expect(await findings()).not.toEqual([]);
    await set(mode);
    const before = await told();
    await look();
    expect(await findings()).toEqual([]);
    expect(await told()).toEqual(before);
    const asked = { network_id: networkId };
    expect((await run<{ count: number }>('auditRoutePolicies', asked)).count).toBeGreaterThan(0);
  });

  test('notify_and_proceed: its events are marked', async () => {
    await set('notify_and_proceed');
    await look();
    expect((await told())[0]).toMatchObject({ kind: 'sdwan.finding.began', payload: { notify: true } });
    await set(null);
  });
});

describe('an audit is due', () => {
  test('once, soon after changes, and for the account that changed', async () => {
    const { account } = await run<{ account: { id: string } }>('createAccount', { name: 'other' });
    const { operator } = await run('createOperator', { account_id: account.id, name: 'o', role: 'owner' });
    const made = await run('createApiToken', { operator_id: operator?.['id'], name: 't' });
    const other = await platform.callerOf(String(made['api_token']?.['token']));
    const otherNetwork = await network('berlin', other);
    let wakes = 0;
    const audit = open(() => wakes++);
    await audit.run(running);
    await run('createFirewallRule', { ...rule('a', 'accept'), network_id: otherNetwork }, other);
    await clock.advance(auditAfterChangeMs - 1_000);
    await run('createFirewallRule', { ...rule('b', 'accept'), network_id: otherNetwork }, other);
    expect(wakes).toBe(0);
    await clock.advance(1_000);
    expect(wakes).toBe(1);
    const before = await told();
    await audit.run(running);
    expect((await told(other)).map(({ payload }) => payload['network_id'])).toEqual([otherNetwork]);
    expect(await told()).toEqual(before);
    await clock.advance(auditAfterChangeMs);
    expect(wakes).toBe(1);
    // Reading, and what is about other things, is no change.
    await run('listNetworks', {}, other);
    await run('createJoinToken', {}, other);
    await clock.advance(auditAfterChangeMs);
    expect(wakes).toBe(1);
  });

  test('for all accounts after the interval', async () => {
    const audit = open();
    await audit.run(running);
    const before = await told();
    // Behind the back of everybody who listens.
    await inPlatform(platform.store, (trx) => trx.deleteFrom('findings').execute());
    await audit.run(running);
    expect(await told()).toEqual(before);
    await clock.advance(auditIntervalMs);
    await audit.run(running);
    expect((await told()).length).toBeGreaterThan(before.length);
  });
});

test('of two processes that both take themselves for the leader one audits, and nothing is told twice', async () => {
  await platform.call('setPolicy', { category: auditCategory, mode: 'blocked' });
  await look();
  await platform.call('setPolicy', { category: auditCategory, mode: null });
  const before = (await told()).length;
  const ran: number[] = [];
  const runners = [1, 2].map((n) => {
    const jobs = new JobRunner({
      clock,
      log: pino({ level: 'silent' }),
      random: () => 0,
      leader: { leads: () => true, exclusively: (name, work) => exclusively(platform.store, name, work) },
    });
    const audit = open();
    const job = { name: 'policy_audit', intervalMs: auditIntervalMs, firstMs: 0, runsOn: 'leader' } as const;
    jobs.add({
      ...job,
      run: async (stopping) => {
        await audit.run(stopping);
        ran.push(n);
      },
    });
    return jobs;
  });
  await clock.advance(0);
  await expect.poll(() => ran.length).toBeGreaterThan(0);
  await Promise.all(runners.map((jobs) => jobs.stop()));
  const begun = (await told()).length - before;
  expect(begun).toBe(Math.min((await findings()).length, findingEventsPerAuditMax));
  // Without the lock, as where one was paused in the middle: the database keeps what is open once.
  await platform.call('setPolicy', { category: auditCategory, mode: 'blocked' });
  await look();
  await platform.call('setPolicy', { category: auditCategory, mode: null });
  const from = (await told()).length;
  await Promise.all([look(), look()]);
  expect((await told()).length - from).toBe(begun);
});
