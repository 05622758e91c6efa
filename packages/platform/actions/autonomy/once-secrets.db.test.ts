// What an approved operation makes that is shown once goes to whoever asked for it, and to nobody else.
import { type ActionKey, actionKeys, definitionOf } from '@powernode/core/actions/catalogue';
import { ProductError } from '@powernode/core/errors';
import { secretFetchMs } from '@powernode/core/limits/requests';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inPlatform } from '../../store/tenancy.ts';
import { startTestPlatform, type TestPlatform } from '../../testing/test-platform.ts';
import { digestOfToken, parseJoinToken } from '../../trust/tokens.ts';
import type { Caller } from '../invoke-types.ts';
import { expireApprovals } from './expire.ts';

let platform: TestPlatform;
let requester: Caller;
let decider: Caller;
let inputs: Partial<Record<ActionKey, object>>;
let names = 0;

beforeAll(async () => {
  platform = await startTestPlatform();
  requester = await operator('admin');
  decider = await operator('admin');
  const { network } = await call('createNetwork', { name: 'network' });
  const [template] = (await call('listTemplates', {}))['templates'] as unknown as { id: string }[];
  const [region] = (await call('listProviderRegions', {}))['provider_regions'] as unknown as { id: string }[];
  const [type] = (await call('listInstanceTypes', {}))['instance_types'] as unknown as { id: string }[];
  inputs = {
    createApiToken: { name: 'asked for', expires_in_seconds: 60 },
    createJoinToken: { expires_in_seconds: 60 },
    createInstance: {
      template_id: template?.id,
      provider_region_id: region?.id,
      provider_instance_type_id: type?.id,
      hostname: 'asked-for',
      expires_in_seconds: 60,
    },
    createAccessGrant: { network_id: network?.['id'], device_name_hint: 'a phone', expires_in_seconds: 60 },
  };
  for (const key of makers) {
    await call('setPolicy', { category: definitionOf(key).category?.name, mode: 'require_approval' });
  }
});
afterAll(() => platform.close());

const makers = actionKeys.filter((key) => definitionOf(key).makesSecret);

type Body = Record<string, Record<string, unknown>>;

async function call(key: ActionKey, input: object, caller?: Caller): Promise<Body> {
  return platform.call(key, input, caller);
}

async function operator(role: string): Promise<Caller> {
  names += 1;
  const { operator: made } = await call('createOperator', { name: `operator-${names}`, role });
  const { api_token: token } = await call('createApiToken', { operator_id: made?.['id'], name: 'own' });
  return platform.callerOf(String(token?.['token']));
}

async function approved(key: ActionKey, input: object = {}): Promise<{ id: string; answer: string }> {
  const asked = await call(key, { ...inputs[key], ...input }, requester);
  const id = String(asked['deferred_operation']?.['id']);
  const answer = await call('decideApproval', { approval_id: id, decision: 'approve' }, decider);
  return { id, answer: JSON.stringify(answer) };
}

async function fetched(approval_id: string, by: Caller, more: object = {}) {
  const { approval = {} } = await call('getApproval', { approval_id, ...more }, by);
  const text = JSON.stringify(approval);
  return { approval, text, secrets: text.match(/pn[tjb]_[A-Za-z0-9_-]{43}(?:_[0-9a-f]{64})?/g) ?? [] };
}

/** The row that a secret lets in by, if any. */
async function rowOf(secret: string) {
  const table = { pnt: 'api_tokens', pnj: 'join_tokens', pnb: 'access_grants' }[secret.slice(0, 3)] ?? '';
  const digest = parseJoinToken(secret)?.digest ?? digestOfToken(secret);
  const { rows } = await inPlatform(platform.store, (trx) =>
    sql<{ expires_at: Date; revoked_at: Date | null }>`
      select expires_at, revoked_at from ${sql.table(table)} where digest = ${digest}
    `.execute(trx),
  );
  return rows[0];
}

async function everything(): Promise<string> {
  return inPlatform(platform.store, async (trx) => {
    const { rows: tables } = await sql<{ name: string }>`
      select table_name as name from information_schema.tables where table_schema = current_schema()
        and table_name <> 'schema_migrations'
    `.execute(trx);
    const dumps = await Promise.all(
      tables.map(({ name }) => sql`select * from ${sql.table(name)}`.execute(trx)),
    );
    return JSON.stringify(dumps.map(({ rows }) => rows));
  });
}

it('is made by every action of which it is said', () => {
  expect(makers.toSorted()).toEqual(Object.keys(inputs).toSorted());
});

describe.each(makers)('the secret of an approved %s', (key) => {
  it('is shown once, to the requester; the decider sees that it is there [9.2]', async () => {
    const { id, answer } = await approved(key);
    expect(answer).not.toMatch(/pn[tjb]_/);
    expect(answer).toContain('"status":"waiting"');
    for (const other of [decider, platform.admin]) {
      const seen = await fetched(id, other);
      expect(seen.secrets).toEqual([]);
      expect(seen.approval).toMatchObject({
        status: 'approved',
        secret: { status: 'waiting', detail: null },
      });
    }
    expect((await fetched(id, requester, { show_secret: false })).secrets).toEqual([]);
    const both = await Promise.all([fetched(id, requester), fetched(id, requester)]);
    const secrets = new Set(both.flatMap((one) => one.secrets));
    expect(secrets.size).toBe(1);
    const [secret = ''] = secrets;
    // It lets in, from now on for as long as was asked for.
    const row = await rowOf(secret);
    expect(row?.revoked_at).toBeNull();
    expect(Math.abs((row?.expires_at.getTime() ?? 0) - Date.now() - 60_000)).toBeLessThan(30_000);
    const again = await fetched(id, requester);
    expect(again.secrets).toEqual([]);
    expect(again.approval['secret']).toMatchObject({ status: 'shown' });
    expect(await everything()).not.toContain(secret);
  });

  it('is revoked when nobody fetches it within a day [9.2]', async () => {
    const { id } = await approved(key, key === 'createInstance' ? { hostname: 'never-fetched' } : {});
    const parts = { store: platform.store, bus: platform.bus };
    const soon = new Date(Date.now() + secretFetchMs - 60_000);
    await expireApprovals({ ...parts, now: () => soon });
    expect((await fetched(id, decider)).approval['secret']).toMatchObject({ status: 'waiting' });
    const later = new Date(Date.now() + secretFetchMs + 1000);
    await expireApprovals({ ...parts, now: () => later });
    const { approval, secrets } = await fetched(id, requester);
    expect(secrets).toEqual([]);
    expect(approval['secret']).toMatchObject({ status: 'lapsed' });
    const { events } = await call('recentEvents', { kind_prefix: 'system.approval.secret_lapsed', limit: 1 });
    const [event] = events as unknown as { payload: Record<string, unknown> }[];
    expect(event?.payload['approval_id']).toBe(id);
    const [object] = Object.entries(event?.payload ?? {}).filter(
      ([name]) => name !== 'approval_id' && name.endsWith('_id'),
    );
    const table = `${object?.[0].replace(/_id$/, '')}s`;
    const { rows } = await inPlatform(platform.store, (trx) =>
      sql<{
        revoked_at: Date | null;
      }>`select revoked_at from ${sql.table(table)} where id = ${object?.[1]}`.execute(trx),
    );
    expect(rows[0]?.revoked_at).toEqual(later);
  });
});

it('is not shown to a lesser token of the requester, and says why [9.2]', async () => {
  const { id } = await approved('createApiToken');
  const { api_token: lesser } = await call(
    'createApiToken',
    { name: 'reads', permissions: ['system.approvals.read'], approve: true },
    requester,
  );
  const seen = await fetched(id, await platform.callerOf(String(lesser?.['token'])));
  expect(seen.secrets).toEqual([]);
  const secret = seen.approval['secret'] as { status: string; detail: string };
  expect(secret).toMatchObject({ status: 'waiting' });
  expect(secret.detail).toContain('system.api_tokens.manage');
  expect((await fetched(id, requester)).secrets).toHaveLength(1);
});

it('is not shown to a token that somebody else made for the requester [9.2]', async () => {
  const tokenOf = async (by: Caller, input: object = {}) => {
    const { api_token: made } = await call('createApiToken', { name: 'more', approve: true, ...input }, by);
    return platform.callerOf(String(made?.['token']));
  };
  const asRequester = await tokenOf(decider, { operator_id: requester.operatorId });
  const { id } = await approved('createApiToken');
  for (const posing of [asRequester, await tokenOf(asRequester)]) {
    const seen = await fetched(id, posing);
    expect(seen.secrets).toEqual([]);
    expect(seen.approval['secret']).toMatchObject({ status: 'waiting' });
    expect((seen.approval['secret'] as { detail: string }).detail).toContain('the token that requested it');
  }
  // One that the requester has made itself, with another one that it has made.
  expect((await fetched(id, await tokenOf(await tokenOf(requester)))).secrets).toHaveLength(1);
  const { body } = await platform.invoke({
    caller: await tokenOf(requester, { for_model: true }),
    action: 'createJoinToken',
    input: {},
    correlationId: 'of a model',
  });
  const approval_id = String((body as Body)['deferred_operation']?.['id']);
  await call('decideApproval', { approval_id, decision: 'approve' }, decider);
  expect((await fetched(approval_id, asRequester)).secrets).toEqual([]);
  expect((await fetched(approval_id, requester)).secrets).not.toEqual([]);
});

it('is not shown to one whose rights have gone since, nor of what was revoked [9.2]', async () => {
  const { id } = await approved('createApiToken');
  const { approval } = await fetched(id, decider);
  const token = (approval['result'] as { api_token: { id: string } }).api_token;
  await call('revokeApiToken', { api_token_id: token.id, approve: true });
  const seen = await fetched(id, requester);
  expect(seen.secrets).toEqual([]);
  expect((seen.approval['secret'] as { detail: string }).detail).toMatch(/revoked/);
});

it('is shown over MCP to nobody, and is not used up there [9.2]', async () => {
  const { id } = await approved('createJoinToken');
  const { body } = await platform.invoke({
    caller: requester,
    action: 'getApproval',
    input: { approval_id: id },
    overMcp: 'person',
    correlationId: 'over mcp',
  });
  expect(JSON.stringify(body)).not.toMatch(/pn[tjb]_/);
  expect((await fetched(id, requester)).secrets.length).toBeGreaterThan(0);
});

it('of what an administrator of the platform asked for elsewhere is fetched from there [9.2]', async () => {
  const { account } = await call('createAccount', { name: 'elsewhere' });
  const account_id = account?.['id'];
  const { operator: owner } = await call('createOperator', { account_id, name: 'owner', role: 'owner' });
  const first = await call('createApiToken', { operator_id: owner?.['id'], name: 'first' });
  const caller = await platform.callerOf(String(first['api_token']?.['token']));
  await call('setPolicy', { category: 'system.api_token_create', mode: 'require_approval' }, caller);
  const asked = await call('createApiToken', { operator_id: owner?.['id'], name: 'second' });
  const approval_id = String(asked['deferred_operation']?.['id']);
  await call('decideApproval', { approval_id, decision: 'approve' }, caller);
  expect((await fetched(approval_id, caller)).secrets).toEqual([]);
  const { secrets } = await fetched(approval_id, platform.admin);
  expect((await platform.callerOf(secrets[0] ?? '')).accountId).toBe(account_id);
  // Others of that account's approvals are not an administrator's of the platform to see.
  const other = await call('createApiToken', { name: 'third' }, caller);
  const thrown = await fetched(String(other['deferred_operation']?.['id']), platform.admin).catch(
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(ProductError);
});
