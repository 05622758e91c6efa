// The last way into an account cannot be taken, and no policy keeps an owner out of its own account.
import type { ActionKey } from '@powernode/core/actions/catalogue';
import { ProductError } from '@powernode/core/errors';
import { wayInWarningMs } from '@powernode/core/limits/requests';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Caller } from '../actions/invoke-types.ts';
import { inPlatform } from '../store/tenancy.ts';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';
import { warnOfLastWayIn } from './last-way-in.ts';

let platform: TestPlatform;
let names = 0;
let accountId: string;
/** The account's first owner, with two tokens that an administrator of the platform made. */
let owner: Caller;
let own: Caller;

beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.close());
beforeEach(async () => {
  names += 1;
  const { account } = await call('createAccount', { name: `account-${names}` });
  accountId = String(account?.['id']);
  owner = await operator('owner');
  own = await given(owner.operatorId);
});

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

async function operator(role: string): Promise<Caller> {
  names += 1;
  const made = (await call('createOperator', { account_id: accountId, name: `operator-${names}`, role }))[
    'operator'
  ];
  const token = (await call('createApiToken', { operator_id: made?.['id'], name: 'given' }))['api_token'];
  return platform.callerOf(String(token?.['token']));
}

async function tokenOf(caller: Caller, more: object = {}): Promise<Caller> {
  const { api_token: token } = await call('createApiToken', { name: 'own', ...more }, caller);
  return platform.callerOf(String(token?.['token']));
}

/** By the platform's first administrator. */
async function given(operator_id: unknown, more: object = {}): Promise<Caller> {
  const { api_token: token } = await call('createApiToken', { operator_id, name: 'given', ...more });
  return platform.callerOf(String(token?.['token']));
}

const revoke = (caller: Caller, by: Caller) =>
  codeOf(call('revokeApiToken', { api_token_id: caller.tokenId, approve: true }, by));

describe('the last way in', () => {
  it('is not revoked; one of several is [9.3]', async () => {
    expect(await revoke(owner, own)).toBe('done');
    expect(await revoke(own, own)).toBe('conflict');
    expect(await platform.callerOf('').catch(() => 'gone')).toBe('gone');
    // A token that may do less, or of somebody lesser, is none.
    await tokenOf(own, { permissions: ['system.events.read', 'system.operators.manage'] });
    await operator('admin');
    expect(await revoke(own, own)).toBe('conflict');
  });

  it('is not taken from two sides at once [9.3]', async () => {
    const [one, two] = await Promise.all([revoke(owner, own), revoke(own, owner)]);
    expect([one, two].toSorted()).toEqual(['conflict', 'done']);
  });

  it('does not end with who made it [9.3]', async () => {
    // The second owner has only what the first one made.
    const { operator: second } = await call('createOperator', { name: 'second', role: 'owner' }, own);
    const made = await call('createApiToken', { operator_id: second?.['id'], name: 'given' }, own);
    const other = await platform.callerOf(String(made['api_token']?.['token']));
    const disable = (id: string, by: Caller) => codeOf(call('disableOperator', { operator_id: id }, by));
    const lower = (id: string, by: Caller) =>
      codeOf(call('updateOperator', { operator_id: id, role: 'viewer' }, by));
    expect(await disable(own.operatorId, other)).toBe('conflict');
    expect(await lower(own.operatorId, other)).toBe('conflict');
    // One of its own making goes back to the first owner, too.
    await tokenOf(other);
    expect(await disable(own.operatorId, other)).toBe('conflict');
    await given(second?.['id']);
    expect(await disable(own.operatorId, other)).toBe('done');
    await expect(platform.callerOf(String(made['api_token']?.['token']))).rejects.toThrow('maker disabled');
  });

  it('is not taken from another account by an operator that made it [9.3]', async () => {
    const { operator: helper } = await call('createOperator', { name: `helper-${names}`, role: 'owner' });
    const made = await call('createApiToken', { operator_id: helper?.['id'], name: 'given' });
    const founder = await platform.callerOf(String(made['api_token']?.['token']));
    const { account } = await call('createAccount', { name: `founded-${names}` }, founder);
    const account_id = account?.['id'];
    const first = await call('createOperator', { account_id, name: 'first', role: 'owner' }, founder);
    const operator_id = first['operator']?.['id'];
    const handed = await call('createApiToken', { operator_id, name: 'given' }, founder);
    const disable = () => codeOf(call('disableOperator', { operator_id: founder.operatorId }));
    expect(await disable()).toBe('conflict');
    await tokenOf(await platform.callerOf(String(handed['api_token']?.['token'])));
    expect(await disable()).toBe('conflict');
    await given(operator_id);
    expect(await disable()).toBe('done');
  });

  it('to the administration of the platform is not taken, by whatever token [9.3]', async () => {
    const { admin } = platform;
    const permissions = [...admin.permissions].filter((one) => !one.startsWith('system.accounts.'));
    const limited = await tokenOf(admin, { permissions });
    // An owner of the first account with a way in, who does not administer the platform, made with an own token.
    const { operator: colleague } = await call(
      'createOperator',
      { name: `colleague-${names}`, role: 'owner' },
      limited,
    );
    expect(colleague).toMatchObject({ platform_admin: false });
    const aside = await given(colleague?.['id']);
    await inPlatform(platform.store, (trx) =>
      trx
        .updateTable('api_tokens')
        .set({ created_by: null, created_with: null })
        .where('id', '=', aside.tokenId)
        .execute(),
    );
    const operator_id = admin.operatorId;
    const disable = (by: Caller) => codeOf(call('disableOperator', { operator_id }, by));
    expect(await disable(limited)).toBe('conflict');
    expect(await disable(admin)).toBe('conflict');
    for (const by of [limited, admin]) {
      expect(await codeOf(call('updateOperator', { operator_id, role: 'viewer' }, by))).toBe('conflict');
      expect(await codeOf(call('updateOperator', { operator_id, disabled: true }, by))).toBe('conflict');
      expect(await revoke(admin, by)).toBe('conflict');
    }
  });

  it('that expires is warned of once, two weeks before [9.3]', async () => {
    const lasting = await given(own.operatorId, { expires_in_seconds: wayInWarningMs / 1000 + 3600 });
    expect(await revoke(owner, lasting)).toBe('done');
    expect(await revoke(own, lasting)).toBe('done');
    const look = async (at: number) => {
      const events = await inPlatform(platform.store, (trx) => warnOfLastWayIn(trx, new Date(at)));
      return events.filter((event) => event.account_id === accountId).map(({ payload }) => payload);
    };
    expect(await look(Date.now())).toEqual([]);
    const warned = await look(Date.now() + 7_200_000);
    expect(warned).toMatchObject([{ api_token_id: lasting.tokenId }]);
    expect(await look(Date.now() + 7_300_000)).toEqual([]);
    const { events } = await call('recentEvents', { kind_prefix: 'system.account.way_in' }, lasting);
    expect(events).toMatchObject([{ severity: 'warning' }]);
  });
});

describe('no policy keeps an owner from undoing it', () => {
  const categories = ['system.policy_set', 'system.approval_decide'];
  it.each(['blocked', 'require_approval'])('when both are %s [9.3]', async (mode) => {
    const admin = await operator('admin');
    for (const category of categories.toReversed()) {
      await call('setPolicy', { category, mode }, admin);
    }
    const input = { category: 'system.account_create', mode: 'blocked' };
    const refused = call('setPolicy', input, admin);
    if (mode === 'blocked') expect(await codeOf(refused)).toBe('policy_blocked');
    else expect(await refused).toMatchObject({ pending: true });
    // What an admin asked for meanwhile is decided by an owner.
    if (mode === 'require_approval') {
      const approval_id = (await refused)['deferred_operation']?.['id'];
      const decided = await call('decideApproval', { approval_id, decision: 'approve' }, own);
      expect(decided['approval']).toMatchObject({ status: 'approved' });
    }
    for (const category of categories) {
      const { policy } = await call('setPolicy', { category, mode: null }, own);
      expect(policy).toMatchObject({ category, mode: policy?.['default_mode'] });
    }
    expect(await codeOf(call('setPolicy', { ...input, mode: null }, admin))).toBe('done');
  });
});
