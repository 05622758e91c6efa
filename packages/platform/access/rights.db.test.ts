// Who may give what to whom: the cases that were seen, one by one. The rule over all actions is in rights.db.test.ts
// next to the package.
import type { ActionKey } from '@powernode/core/actions/catalogue';
import { ProductError } from '@powernode/core/errors';
import type { Permission, Role } from '@powernode/core/intent/account';
import { tokenLineMax } from '@powernode/core/limits/trust';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Caller } from '../actions/invoke-types.ts';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.close());

type Body = Record<string, Record<string, unknown>>;

async function call(key: ActionKey, input: object, caller?: Caller): Promise<Body> {
  return platform.call(key, input, caller);
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'done';
  } catch (error) {
    if (error instanceof ProductError) return error.code;
    throw error;
  }
}

interface Operator {
  readonly id: string;
  readonly caller: Caller;
  readonly token: string;
}

let names = 0;
async function operator(role: Role, of: { permissions?: Permission[]; account_id?: string } = {}) {
  names += 1;
  const { permissions, account_id } = of;
  const made = (await call('createOperator', { name: `operator-${names}`, role, account_id }))['operator'];
  const id = String(made?.['id']);
  const token = await tokenFor(id, { permissions });
  return { id, token, caller: await platform.callerOf(token) } satisfies Operator;
}

async function tokenFor(
  operator_id: string | undefined,
  of: { permissions?: Permission[] | undefined; by?: Caller; expires_in_seconds?: number } = {},
): Promise<string> {
  const { by, ...input } = of;
  return String(
    (await call('createApiToken', { operator_id, name: 'a token', ...input }, by))['api_token']?.['token'],
  );
}

async function eventsOf(caller: Caller, kind_prefix: string) {
  const { events } = await call('recentEvents', { kind_prefix, limit: 10 }, caller);
  return events as unknown as { kind: string; actor: Record<string, unknown>; payload: Body }[];
}

describe('a token', () => {
  it('is not made for an operator above its maker [9.1]', async () => {
    const [owner, admin, worker] = [
      await operator('owner'),
      await operator('admin'),
      await operator('operator'),
    ];
    const mine: Permission[] = ['system.operators.manage', 'system.api_tokens.manage'];
    expect(await codeOf(tokenFor(owner.id, { by: admin.caller, permissions: mine }))).toBe(
      'permission_denied',
    );
    const tokens: Permission[] = ['system.api_tokens.manage'];
    expect(await codeOf(tokenFor(admin.id, { by: worker.caller, permissions: tokens }))).toBe(
      'permission_denied',
    );
    expect(await codeOf(tokenFor(worker.id, { by: admin.caller, permissions: tokens }))).toBe('done');
  });

  it('that may manage operators and little else makes nobody owner [9.1]', async () => {
    const limited = await operator('owner', {
      permissions: ['system.operators.manage', 'system.operators.read'],
    });
    const { id } = await operator('viewer');
    for (const role of ['owner', 'viewer'] as const) {
      expect(await codeOf(call('createOperator', { name: `made-${role}`, role }, limited.caller))).toBe(
        'permission_denied',
      );
    }
    expect(await codeOf(call('updateOperator', { operator_id: id, role: 'owner' }, limited.caller))).toBe(
      'permission_denied',
    );
  });

  it('ends with the operator that made it, and may no more than its maker may now [9.1]', async () => {
    const [maker, other] = [await operator('admin'), await operator('admin')];
    // What the platform itself made has no maker that could go.
    const token = await tokenFor(other.id, { by: maker.caller });
    await call('updateOperator', { operator_id: maker.id, role: 'viewer' });
    const narrowed = await platform.callerOf(token);
    expect(narrowed).toMatchObject({ role: 'viewer', operatorId: other.id });
    expect(narrowed.permissions.has('system.operators.manage')).toBe(false);
    await call('disableOperator', { operator_id: maker.id });
    await expect(platform.callerOf(token)).rejects.toThrow('maker disabled');
    await expect(platform.authenticate({ authorization: `Bearer ${token}`, source: 'x' })).rejects.toThrow(
      'disabled',
    );
  });

  it('ends with every operator that it goes back to, and may no more than these and their tokens [9.1]', async () => {
    const [first, second, third] = [
      await operator('admin'),
      await operator('admin'),
      await operator('admin'),
    ];
    const one = await tokenFor(second.id, { by: first.caller });
    const two = await tokenFor(undefined, { by: await platform.callerOf(one) });
    const three = await tokenFor(third.id, { by: await platform.callerOf(two) });
    const made = [two, three];
    const signIn = (token: string) =>
      codeOf(platform.authenticate({ authorization: `Bearer ${token}`, source: 'x' }));
    await call('updateOperator', { operator_id: first.id, role: 'viewer' });
    for (const token of made) {
      const narrowed = await platform.callerOf(token);
      expect(narrowed.role).toBe('viewer');
      expect(narrowed.permissions.has('system.operators.manage')).toBe(false);
    }
    await call('updateOperator', { operator_id: first.id, role: 'admin', disabled: true });
    for (const token of made) expect(await signIn(token)).toBe('unauthenticated');
    await call('updateOperator', { operator_id: first.id, disabled: false });
    for (const token of made) expect(await signIn(token)).toBe('done');
    const { tokenId } = await platform.callerOf(one);
    await call('revokeApiToken', { api_token_id: tokenId, approve: true });
    expect(await signIn(one)).toBe('unauthenticated');
    // Made to take its place, or for others: these end with operators, and not with a token that was revoked.
    for (const token of made) expect(await signIn(token)).toBe('done');
    await call('updateOperator', { operator_id: first.id, disabled: true });
    for (const token of made) expect(await signIn(token)).toBe('unauthenticated');
    // What these operators have from elsewhere stays.
    for (const { token } of [second, third]) expect(await signIn(token)).toBe('done');
    const { api_tokens: listed } = await call('listApiTokens', { operator_id: third.id });
    const states = (listed as unknown as { name: string; status: string }[]).map(({ status }) => status);
    expect(states).toEqual(['active', 'revoked']);
  });

  it('is made with others in a line of a limited length [9.1]', async () => {
    let { caller } = await operator('admin');
    const line = async () => {
      for (let length = 0; length <= tokenLineMax; length += 1) {
        caller = await platform.callerOf(await tokenFor(undefined, { by: caller }));
      }
    };
    expect(await codeOf(line())).toBe('limit_reached');
  });

  it('that expires makes none that lives longer; a limited one makes none that may do more [9.1]', async () => {
    const { id } = await operator('admin');
    const short = await platform.callerOf(await tokenFor(id, { expires_in_seconds: 60 }));
    expect(await codeOf(tokenFor(undefined, { by: short, expires_in_seconds: 3600 }))).toBe(
      'permission_denied',
    );
    const left = await platform.callerOf(await tokenFor(undefined, { by: short }));
    expect(left.token.expiresAt).toEqual(short.token.expiresAt);
    const limited = (await operator('admin', { permissions: ['system.api_tokens.manage'] })).caller;
    const made = await platform.callerOf(await tokenFor(undefined, { by: limited }));
    expect([...made.permissions]).toEqual(['system.api_tokens.manage']);
    expect(made.token.isLimited).toBe(true);
  });

  it('of an operator above is not revoked by one below, but by its maker [9.1]', async () => {
    const [owner, worker] = [await operator('owner'), await operator('operator')];
    const revoke = (api_token_id: string, by: Caller) => codeOf(call('revokeApiToken', { api_token_id }, by));
    expect(await revoke(owner.caller.tokenId, worker.caller)).toBe('permission_denied');
    const colleague = await operator('operator');
    const made = await platform.callerOf(await tokenFor(colleague.id, { by: worker.caller }));
    await call('updateOperator', { operator_id: colleague.id, role: 'owner' });
    expect(await revoke(made.tokenId, worker.caller)).toBe('done');
  });

  it('without the right to join tokens gets none with a machine either [9.1]', async () => {
    const offers = await call('listTemplates', {});
    const [template] = offers['templates'] as unknown as { id: string }[];
    const [region] = (await call('listProviderRegions', {}))['provider_regions'] as unknown as {
      id: string;
    }[];
    const [type] = (await call('listInstanceTypes', {}))['instance_types'] as unknown as { id: string }[];
    const input = {
      template_id: template?.id,
      provider_region_id: region?.id,
      provider_instance_type_id: type?.id,
      hostname: 'asked-for',
    };
    const limited = (await operator('operator', { permissions: ['system.instances.manage'] })).caller;
    expect(await codeOf(call('createInstance', input, limited))).toBe('permission_denied');
    expect(await codeOf(call('createInstance', input, (await operator('operator')).caller))).toBe('done');
  });
});

it('what lets in once ends with the operator that made it [9.1]', async () => {
  const [maker, other] = [await operator('operator'), await operator('operator')];
  const { network } = await call('createNetwork', { name: `network-${names}` });
  const makeBoth = async ({ caller }: Operator) => {
    const grant = { network_id: network?.['id'], device_name_hint: 'a phone' };
    const made = [await call('createJoinToken', {}, caller), await call('createAccessGrant', grant, caller)];
    return made.flatMap((answer) => Object.values(answer)).map((object) => String(object['id']));
  };
  const [gone, stays] = [await makeBoth(maker), await makeBoth(other)];
  await call('disableOperator', { operator_id: maker.id });
  const lists = [await call('listJoinTokens', {}), await call('listAccessGrants', {})];
  const rows = lists
    .flatMap((answer) => Object.values(answer).filter((value) => Array.isArray(value)))
    .flat();
  const statuses = new Map((rows as { id: string; status: string }[]).map(({ id, status }) => [id, status]));
  expect(gone.map((id) => statuses.get(id))).toEqual(['revoked', 'revoked']);
  expect(stays.map((id) => statuses.get(id))).toEqual(['unused', 'unused']);
  const [event] = await eventsOf(platform.admin, 'system.join_token.revoked');
  expect(event?.payload['after']).toMatchObject({ id: gone[0], status: 'revoked' });
});

describe('events', () => {
  it('name the operator, its token, and who made that [9.1]', async () => {
    const maker = await operator('admin');
    const other = await operator('admin');
    const caller = await platform.callerOf(await tokenFor(other.id, { by: maker.caller }));
    await call('createOperator', { name: 'told-of', role: 'viewer' }, caller);
    const [event] = await eventsOf(platform.admin, 'system.operator.created');
    expect(event?.actor).toMatchObject({
      kind: 'operator',
      id: other.id,
      token: { id: caller.tokenId, name: 'a token', created_by: { id: maker.id } },
    });
    const [created] = await eventsOf(platform.admin, 'system.api_token.created');
    expect(created?.payload['after']).toMatchObject({
      created_by: maker.id,
      created_with: maker.caller.tokenId,
    });
  });
});

describe('an administrator of the platform, in another account', () => {
  it('is told of in the events of that account, and asked for by its policies [9.4]', async () => {
    const { account } = await call('createAccount', { name: 'elsewhere' });
    const account_id = String(account?.['id']);
    const owner = await operator('owner', { account_id });
    const kinds = (await eventsOf(owner.caller, 'system.')).map(({ kind }) => kind);
    expect(kinds).toEqual(['system.api_token.created', 'system.operator.created']);
    await call('setPolicy', { category: 'system.operator_create', mode: 'require_approval' }, owner.caller);
    const asked = await call('createOperator', { account_id, name: 'deferred', role: 'owner' });
    expect(asked).toMatchObject({ pending: true });
    const approval_id = asked['deferred_operation']?.['id'];
    const decided = await call('decideApproval', { approval_id, decision: 'approve' }, owner.caller);
    expect(decided['approval']).toMatchObject({ status: 'approved' });
    const [event] = await eventsOf(owner.caller, 'system.operator.created');
    expect(event?.actor).toMatchObject({
      id: platform.admin.operatorId,
      account_id: platform.admin.accountId,
      token: { id: platform.admin.tokenId },
    });
    await call('setPolicy', { category: 'system.operator_create', mode: 'blocked' }, owner.caller);
    const again = call('createOperator', { account_id, name: 'blocked', role: 'viewer' });
    expect(await codeOf(again)).toBe('policy_blocked');
  });
});

describe('a decision', () => {
  it('is not made by those who may not do what they approve; the request stays [9.1]', async () => {
    const [admin, owner] = [await operator('admin'), await operator('owner')];
    const limited = await operator('owner', { permissions: ['system.approvals.decide'] });
    await call('setPolicy', { category: 'system.operator_create', mode: 'require_approval' });
    const asked = await call('createOperator', { name: `made-${names}`, role: 'owner' }, owner.caller);
    const approval_id = asked['deferred_operation']?.['id'];
    const decide = (by: Caller, decision = 'approve') =>
      codeOf(call('decideApproval', { approval_id, decision }, by));
    expect(await decide(admin.caller)).toBe('permission_denied');
    expect(await decide(limited.caller)).toBe('permission_denied');
    expect((await call('getApproval', { approval_id }))['approval']).toMatchObject({ status: 'pending' });
    expect(await decide(admin.caller, 'reject')).toBe('done');
    await call('setPolicy', { category: 'system.operator_create', mode: null });
  });

  it('is not made in advance, by a looser policy, by those who may not make it [9.1]', async () => {
    const limited = await operator('owner', { permissions: ['system.policies.manage'] });
    const set = (mode: string | null, by: Caller) =>
      codeOf(call('setPolicy', { category: 'sdwan.network_delete', mode }, by));
    expect(await set('notify_and_proceed', limited.caller)).toBe('permission_denied');
    expect(await set('blocked', limited.caller)).toBe('done');
    expect(await set(null, limited.caller)).toBe('permission_denied');
    expect(await set(null, (await operator('admin')).caller)).toBe('done');
  });
});
