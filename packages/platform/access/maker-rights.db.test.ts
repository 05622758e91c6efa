// Join tokens and access grants that nobody has used are evaluated by what their maker may do when they are used.
import type { ActionKey } from '@powernode/core/actions/catalogue';
import type { Permission, Role } from '@powernode/core/intent/account';
import { sql } from 'kysely';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Caller } from '../actions/invoke-types.ts';
import { DeviceScene, type Grant, secretOf } from '../actions/sdwan/devices/device-scene.fixture.ts';
import { instanceTypes, providerRegions, templates } from '../providers/offers.ts';
import { inPlatform } from '../store/tenancy.ts';
import { systemClock } from '../trust/clock.ts';
import { createEnrolment, type Enrol } from '../trust/enrol.ts';
import { makeMachine } from '../trust/machine.fixture.ts';

let scene: DeviceScene;
let enrol: Enrol;
beforeAll(async () => {
  scene = await DeviceScene.start();
  const { store, authority, bus } = scene.platform;
  enrol = createEnrolment({ store, authority, bus, clock: systemClock, log: pino({ level: 'silent' }) });
  await scene.renew();
});
afterAll(() => scene.platform.close());

async function call<Answer>(action: ActionKey, input: object, caller?: Caller): Promise<Answer> {
  return (await scene.platform.call(action, input, caller)) as unknown as Answer;
}

interface Maker {
  readonly id: string;
  readonly caller: Caller;
}

let names = 0;
async function maker(
  of: { role?: Role; by?: Caller; permissions?: Permission[]; expires_in_seconds?: number } = {},
): Promise<Maker> {
  const { role = 'operator', by, ...token } = of;
  names += 1;
  const { operator } = await call<{ operator: { id: string } }>('createOperator', {
    name: `m-${names}`,
    role,
  });
  const input = { operator_id: operator.id, name: 'a token', ...token };
  const { api_token: made } = await call<{ api_token: { token: string } }>('createApiToken', input, by);
  return { id: operator.id, caller: await scene.platform.callerOf(made.token) };
}

interface JoinToken {
  readonly id: string;
  readonly token: string;
  readonly status: string;
  readonly expires_at: string;
}

interface Made {
  readonly joinToken: JoinToken;
  readonly grant: Grant;
}

async function makeBoth(caller: Caller, more: object = {}): Promise<Made> {
  const { join_token: joinToken } = await call<{ join_token: JoinToken }>('createJoinToken', more, caller);
  const input = { network_id: scene.networkId, device_name_hint: 'phone', ...more };
  const { access_grant: grant } = await call<{ access_grant: Grant }>('createAccessGrant', input, caller);
  return { joinToken, grant };
}

/** As the lists say, by each of their filters too. */
async function statuses({ joinToken, grant }: Made): Promise<string[]> {
  const { join_tokens: tokens } = await call<{ join_tokens: JoinToken[] }>('listJoinTokens', { limit: 100 });
  const grants = (more: object) =>
    call<{ access_grants: Grant[] }>('listAccessGrants', {
      network_id: scene.networkId,
      limit: 100,
      ...more,
    });
  const listed = (await grants({})).access_grants.find(({ id }) => id === grant.id)?.status;
  for (const status of ['unused', 'used', 'expired', 'revoked']) {
    const found = (await grants({ status })).access_grants;
    expect(found.every((one) => one.status === status)).toBe(true);
    expect(found.some(({ id }) => id === grant.id)).toBe(status === listed);
  }
  const got = await call<{ access_grant: Grant }>('getAccessGrant', { access_grant_id: grant.id });
  expect(got.access_grant.status).toBe(listed);
  return [tokens.find(({ id }) => id === joinToken.id)?.status ?? 'not listed', listed ?? 'not listed'];
}

async function join({ joinToken }: Pick<Made, 'joinToken'>) {
  const machine = await makeMachine();
  const { token } = joinToken;
  const body = { token, csr_pem: machine.csrPem, hostname: 'edge', agent_version: '1', unused_keys: [] };
  return enrol({ body, connectionKey: machine.publicKey, source: scene.freshSource() });
}

const failure = (of: Promise<unknown>): Promise<{ code?: string; message: string } | null> =>
  of.then(
    () => null,
    (error: { code?: string; message: string; members?: object }) => ({ ...error, message: error.message }),
  );

/** What a stranger who has both is answered, in each way there is to use them. */
async function refusals(made: Made) {
  return [
    await failure(join(made)),
    await failure(scene.inspect(secretOf(made.grant))),
    await failure(scene.fetchThrough(made.grant)),
    await failure(scene.issue(made.grant)),
  ];
}

async function expectToWork(made: Made): Promise<void> {
  expect(await statuses(made)).toEqual(['unused', 'unused']);
  await scene.inspect(secretOf(made.grant));
  await join(made);
  await scene.fetchThrough(made.grant);
  expect(await statuses(made)).toEqual(['used', 'used']);
}

const setRole = (id: string, role: Role) => call('updateOperator', { operator_id: id, role });
const setToken = ({ caller }: Maker, set: { permissions?: string; expires_at?: Date }) =>
  inPlatform(scene.platform.store, (trx) =>
    trx.updateTable('api_tokens').set(set).where('id', '=', caller.tokenId).execute(),
  );

describe('an unused join token or access grant', () => {
  test.each<[string, (one: Maker) => Promise<unknown>]>([
    ['whose maker has a lower role', (one) => setRole(one.id, 'viewer')],
    ['whose maker is disabled', (one) => call('disableOperator', { operator_id: one.id })],
    [
      'made with a token that is revoked',
      (one) => call('revokeApiToken', { api_token_id: one.caller.tokenId, approve: true }),
    ],
    [
      'made with a token that lacks the permissions',
      (one) => setToken(one, { permissions: JSON.stringify(['system.sdwan.peers.manage']) }),
    ],
  ])('%s lets nobody in, and answers as a revoked one [9.1] [9.4]', async (_what, lose) => {
    const byHand = await makeBoth(scene.platform.admin);
    await call('revokeJoinToken', { join_token_id: byHand.joinToken.id, approve: true });
    await call('revokeAccessGrant', { access_grant_id: byHand.grant.id, approve: true });
    const one = await maker();
    const made = await makeBoth(one.caller);
    expect(await statuses(made)).toEqual(['unused', 'unused']);
    await lose(one);
    expect(await statuses(made)).toEqual(['revoked', 'revoked']);
    expect(await refusals(made)).toEqual(await refusals(byHand));
    expect(await statuses(made)).toEqual(['revoked', 'revoked']);
  });

  test('made with a token that has expired has expired with it [9.1] [9.4]', async () => {
    const one = await maker({ expires_in_seconds: 1800 });
    const made = await makeBoth(one.caller, { expires_in_seconds: 3600 });
    const { expiresAt } = one.caller.token;
    expect([made.joinToken.expires_at, made.grant.expires_at]).toEqual(
      Array(2).fill(expiresAt?.toISOString()),
    );
    await setToken(one, { expires_at: new Date(Date.now() - 1) });
    expect(await statuses(made)).toEqual(['expired', 'expired']);
    const other = await makeBoth(scene.platform.admin);
    await inPlatform(scene.platform.store, (trx) =>
      sql`update join_tokens set expires_at = now() where id = ${other.joinToken.id}`.execute(trx),
    );
    await scene.backdate(other.grant.id);
    expect(await refusals(made)).toEqual(await refusals(other));
  });

  test('works again once the role of its maker is raised again [9.1]', async () => {
    const one = await maker();
    const made = await makeBoth(one.caller);
    await setRole(one.id, 'viewer');
    expect((await refusals(made)).every((each) => each !== null)).toBe(true);
    await setRole(one.id, 'admin');
    await expectToWork(made);
  });

  test('ends with every operator that the token goes back to, not with a token that was replaced [9.1]', async () => {
    const first = await maker({ role: 'admin' });
    const second = await maker({ by: first.caller });
    const made = await makeBoth(second.caller);
    await call('updateOperator', { operator_id: first.id, disabled: true });
    expect(await statuses(made)).toEqual(['revoked', 'revoked']);
    await call('updateOperator', { operator_id: first.id, disabled: false, role: 'viewer' });
    expect(await statuses(made)).toEqual(['revoked', 'revoked']);
    await setRole(first.id, 'admin');
    await call('revokeApiToken', { api_token_id: first.caller.tokenId, approve: true });
    await expectToWork(made);
  });

  test('for a machine that was asked for takes the right to ask for it as well [9.1]', async () => {
    const one = await maker();
    const { join_token: joinToken } = await call<{ join_token: JoinToken }>(
      'createInstance',
      {
        hostname: 'asked-for',
        template_id: templates[0]?.id,
        provider_region_id: providerRegions[0]?.id,
        provider_instance_type_id: instanceTypes[0]?.id,
      },
      one.caller,
    );
    await setToken(one, { permissions: JSON.stringify(['system.join_tokens.manage']) });
    expect(await failure(join({ joinToken }))).toMatchObject({ code: 'unauthenticated' });
    await setToken(one, {
      permissions: JSON.stringify(['system.join_tokens.manage', 'system.instances.manage']),
    });
    expect(await failure(join({ joinToken }))).toBeNull();
  });

  test('of before the token was known is evaluated by its operator, and by nobody where that is not known [9.1]', async () => {
    const one = await maker();
    const [made, unknown] = [await makeBoth(one.caller), await makeBoth(one.caller)];
    await inPlatform(scene.platform.store, async (trx) => {
      for (const table of ['join_tokens', 'access_grants'] as const) {
        await sql`update ${sql.table(table)} set created_with = null`.execute(trx);
        const { id } = table === 'join_tokens' ? unknown.joinToken : unknown.grant;
        await sql`update ${sql.table(table)} set created_by = null where id = ${id}`.execute(trx);
      }
    });
    await call('revokeApiToken', { api_token_id: one.caller.tokenId, approve: true });
    expect(await statuses(made)).toEqual(['unused', 'unused']);
    await setRole(one.id, 'viewer');
    expect(await statuses(made)).toEqual(['revoked', 'revoked']);
    expect((await refusals(made)).every((each) => each !== null)).toBe(true);
    await expectToWork(unknown);
    await setRole(one.id, 'operator');
    await expectToWork(made);
  });

  test('that waited for an approval is made with the token that fetches it [9.1] [9.2]', async () => {
    const one = await maker();
    const again = await call<{ api_token: { token: string } }>(
      'createApiToken',
      { name: 'next' },
      one.caller,
    );
    const next = await scene.platform.callerOf(again.api_token.token);
    await call('setPolicy', { category: 'system.join_token_create', mode: 'require_approval' });
    const { deferred_operation: waiting } = await call<{ deferred_operation: { id: string } }>(
      'createJoinToken',
      {},
      one.caller,
    );
    await call('setPolicy', { category: 'system.join_token_create', mode: 'auto_approve' });
    await call('decideApproval', { approval_id: waiting.id, decision: 'approve' });
    await call('revokeApiToken', { api_token_id: one.caller.tokenId, approve: true });
    const { approval } = await call<{ approval: { result: { join_token: JoinToken } } }>(
      'getApproval',
      { approval_id: waiting.id },
      next,
    );
    const { join_token: joinToken } = approval.result;
    await call('revokeApiToken', { api_token_id: next.tokenId, approve: true });
    expect(await failure(join({ joinToken }))).toMatchObject({ code: 'unauthenticated' });
  });
});
