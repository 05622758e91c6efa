// Whatever an operator of any rank asks for with any token, nobody ends with more than they had but by the gift of
// somebody who had it, and nobody is taken from by those below. Generated from the list of actions.
import { type ActionKey, actionKeys, definitionOf } from '@powernode/core/actions/catalogue';
import { ProductError } from '@powernode/core/errors';
import {
  type Permission,
  permissionNames,
  type Role,
  role as roleSchema,
} from '@powernode/core/intent/account';
import { seededRandom } from '@powernode/core/testing/random';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { permissionsOf } from './access/permissions.ts';
import {
  type Census,
  census,
  isWithin,
  type Rights,
  rightsOf,
  undueGains,
  undueLosses,
} from './access/rights-census.fixture.ts';
import type { Caller } from './actions/invoke-types.ts';
import { inPlatform } from './store/tenancy.ts';
import { inputFor, makeObjects, makeTenant, otherValues } from './testing/tenant.fixture.ts';
import { startTestPlatform, type TestPlatform } from './testing/test-platform.ts';

const roles = roleSchema.options;
/** The long form tries everything; otherwise a part is drawn anew each time. */
const isLong = process.env['POWERNODE_LONG'] === '1';
const decisions = isLong ? 4000 : 400;
const seed = Number(process.env['POWERNODE_SEED'] ?? Date.now() % 2 ** 31);
const random = seededRandom(seed);
const isDrawn = () => isLong || random() < 0.2;

/** What a token is limited to; null: not. Narrowed further to what its operator may do. */
const limits: readonly (readonly Permission[] | null)[] = [
  null,
  ['system.operators.manage', 'system.operators.read'],
  ['system.api_tokens.manage', 'system.api_tokens.read'],
  ['system.policies.manage', 'system.policies.read', 'system.sdwan.networks.manage'],
  ['system.approvals.decide', 'system.approvals.read'],
  [
    'system.accounts.manage',
    'system.operators.manage',
    'system.api_tokens.manage',
    'system.approvals.decide',
  ],
  permissionNames.filter((name) => name.startsWith('system.sdwan.') || name.endsWith('.read')),
];

interface Actor {
  readonly name: string;
  readonly caller: Caller;
}

let platform: TestPlatform;
let otherAccount: string;
/** One object of each noun, by the id of the account. */
const objects = new Map<string, Readonly<Record<string, string>>>();
/** All operators to do something to, and their tokens. */
let operatorIds: string[] = [];
let tokenIds: string[] = [];
const actors: Actor[] = [];
let made = 0;

beforeAll(async () => {
  platform = await startTestPlatform();
  process.stdout.write(`rights: seed ${seed}\n`);
  const other = await makeTenant(platform, 'other');
  otherAccount = other.caller.accountId;
  objects.set(otherAccount, other.ids);
  objects.set(platform.admin.accountId, (await makeObjects(platform, 'first', platform.admin)).ids);
  for (const account_id of [platform.admin.accountId, otherAccount]) {
    for (const role of roles) await addActors(account_id, role);
  }
  // Owners of the first account that do not administer the platform came from earlier versions.
  await addActors(platform.admin.accountId, 'owner', false);
  await inPlatform(platform.store, async (trx) => {
    operatorIds = (await trx.selectFrom('operators').select('id').execute()).map(({ id }) => id);
    tokenIds = (await trx.selectFrom('api_tokens').select('id').execute()).map(({ id }) => id);
  });
});
afterAll(() => platform.close());

async function call<Answer>(key: ActionKey, input: object): Promise<Answer> {
  return (await platform.call(key, input)) as unknown as Answer;
}

async function addActors(account_id: string, role: Role, platformAdmin = true): Promise<void> {
  made += 1;
  const label = `${account_id === otherAccount ? 'other' : 'first'} ${role} ${made}`;
  const { operator } = await call<{ operator: { id: string; platform_admin: boolean } }>('createOperator', {
    account_id,
    name: label,
    role,
  });
  if (!platformAdmin) {
    await inPlatform(platform.store, (trx) =>
      trx.updateTable('operators').set({ platform_admin: false }).where('id', '=', operator.id).execute(),
    );
  }
  const may = permissionsOf({ role, platform_admin: operator.platform_admin && platformAdmin });
  for (const limit of limits) {
    const permissions = limit?.filter((permission) => may.includes(permission));
    const { api_token: token } = await call<{ api_token: { token: string } }>('createApiToken', {
      operator_id: operator.id,
      name: limit?.join(' ').slice(0, 90) ?? 'whole',
      ...(permissions === undefined ? {} : { permissions }),
    });
    actors.push({
      name: `${label} ${limit?.join(',') ?? 'whole'}`,
      caller: await platform.callerOf(token.token),
    });
  }
}

/** Actions that nobody gets done here, with the reason. */
const neverDone: Readonly<Partial<Record<ActionKey, string>>> = {
  executeSkill: 'there is no BGP session to look into (routing.db.test.ts)',
  changePeerRole: 'only the platform asks for it, when it sees a machine otherwise',
  retryRolledBack: 'no machine has taken a change back',
};

/** What gives or takes rights themselves has tests of its own. */
const giving: ReadonlySet<ActionKey> = new Set([
  'createAccount',
  'createOperator',
  'updateOperator',
  'disableOperator',
  'createApiToken',
  'revokeApiToken',
]);

/** All others that change something: what destroys comes last, and of that what others live in. */
const others = actionKeys
  .filter((key) => definitionOf(key).category !== null && !giving.has(key))
  .map((key) => ({ key, at: orderOf(key) }))
  .sort((a, b) => a.at - b.at)
  .map(({ key }) => key);

function orderOf(key: ActionKey): number {
  const last: readonly ActionKey[] = ['detachPeer', 'terminateInstance', 'deleteNetwork'];
  const takesAway = definitionOf(key).hints.destructive && key !== 'failoverVirtualIp';
  return takesAway ? 2 + last.indexOf(key) : 0;
}

type Asked = readonly [ActionKey, Readonly<Record<string, unknown>>];

/** Every way to give or take something, to and from everybody. */
function* givingAndTaking(): Generator<Asked> {
  const accounts = [undefined, platform.admin.accountId, otherAccount];
  for (const role of roles) {
    for (const account_id of accounts) {
      yield ['createOperator', { ...optional({ account_id }), name: `new ${role} ${account_id}`, role }];
    }
  }
  for (const operator_id of operatorIds) {
    for (const role of roles) yield ['updateOperator', { operator_id, role }];
    for (const disabled of [true, false]) yield ['updateOperator', { operator_id, disabled }];
    yield ['updateOperator', { operator_id, name: `renamed ${operator_id}` }];
    yield ['disableOperator', { operator_id }];
  }
  for (const operator_id of [undefined, ...operatorIds]) {
    for (const permissions of [undefined, permissionNames, ['system.operators.manage'], []] as const) {
      yield ['createApiToken', { name: 'new', ...optional({ operator_id, permissions }) }];
    }
  }
  for (const api_token_id of tokenIds) {
    yield ['revokeApiToken', { api_token_id }];
    yield ['revokeApiToken', { api_token_id, approve: true }];
  }
  yield ['createAccount', { name: 'one more' }];
}

function optional(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** The answer, or null where it was refused. */
async function attempt(actor: Actor, [action, input]: Asked): Promise<string | null> {
  try {
    const { caller } = actor;
    const { body } = await platform.invoke({ caller, action, input, correlationId: 'rights' });
    return JSON.stringify(body);
  } catch (error) {
    if (error instanceof ProductError) return null;
    throw error;
  }
}

/** Every token in an answer may do no more than who got it, who may make what lets others in. */
async function refuseSecrets(answer: string, most: Rights, what: string): Promise<void> {
  for (const [token] of answer.matchAll(/pnt_[A-Za-z0-9_-]{43}/g)) {
    const shown = rightsOf(await platform.callerOf(token));
    expect(isWithin(shown, most), what).toBe(true);
  }
  for (const [prefix, key] of [
    ['pnj_', 'createJoinToken'],
    ['pnb_', 'createAccessGrant'],
  ] as const) {
    const { permission } = definitionOf(key);
    if (answer.includes(prefix))
      expect(permission !== null && most.permissions.has(permission), what).toBe(true);
  }
}

/** Puts back what a case changed, so that each begins with the same ranks. */
async function restore(before: Census): Promise<void> {
  await inPlatform(platform.store, async (trx) => {
    const known = [...before.rights.keys()];
    await trx.deleteFrom('api_tokens').where('id', 'not in', known).execute();
    await trx
      .updateTable('approvals')
      .set({ status: 'rejected' })
      .where('status', '=', 'pending')
      .where(
        'id',
        'not in',
        [...objects.values()].map((ids) => String(ids['approval_id'])),
      )
      .execute();
    for (const table of ['join_tokens', 'access_grants'] as const) {
      await trx.updateTable(table).set({ revoked_at: null }).where('id', 'in', known).execute();
      await trx.updateTable(table).set({ revoked_at: new Date() }).where('id', 'not in', known).execute();
    }
    await trx.deleteFrom('operators').where('id', 'not in', known).execute();
    await trx.updateTable('api_tokens').set({ revoked_at: null }).execute();
    for (const row of operatorRows)
      await trx.updateTable('operators').set(row).where('id', '=', row.id).execute();
  });
}

let operatorRows: {
  id: string;
  name: string;
  role: Role;
  platform_admin: boolean;
  disabled_at: Date | null;
}[] = [];
let beginning: Census;
beforeAll(async () => {
  beginning = await census(platform.store);
  operatorRows = await inPlatform(platform.store, (trx) =>
    trx.selectFrom('operators').select(['id', 'name', 'role', 'platform_admin', 'disabled_at']).execute(),
  );
});

async function evaluate(answer: string, acted: readonly Actor[], what: string): Promise<void> {
  const callers = acted.map(({ caller }) => caller);
  const rights = callers.map(rightsOf);
  const after = await census(platform.store);
  const gains = undueGains(beginning, after, rights);
  const losses = undueLosses(beginning, after, callers);
  expect({ gains, losses }, what).toEqual({ gains: [], losses: [] });
  for (const one of rights) await refuseSecrets(answer, one, what);
  await restore(beginning);
}

describe('nobody ends with more than they had, and nobody loses anything to those below', () => {
  test('whoever gives or takes whatever, to and from whomever [9.1]', { timeout: 300_000 }, async () => {
    let count = 0;
    for (const actor of actors) {
      for (const asked of givingAndTaking()) {
        if (!isDrawn()) continue;
        const answer = await attempt(actor, asked);
        if (answer === null) continue;
        count += 1;
        await evaluate(answer, [actor], `seed ${seed}, ${actor.name}: ${JSON.stringify(asked)}`);
      }
    }
    // What is allowed is done: a test that everything is refused in proves nothing.
    expect(count, `seed ${seed}`).toBeGreaterThan(isLong ? 500 : 50);
  });

  test('whoever decides what somebody else asked for [9.1]', { timeout: 300_000 }, async () => {
    for (const category of ['operator_create', 'operator_update', 'operator_disable', 'api_token_create']) {
      await waitForApproval(`system.${category}`);
    }
    await waitForApproval('system.api_token_revoke');
    const all = [...givingAndTaking()];
    let approved = 0;
    // Few of the decisions that are drawn are allowed; the test goes on until there was one.
    for (let count = 0; count < decisions || (approved === 0 && count < 20 * decisions); count++) {
      const [requester, decider, asked] = [pick(actors), pick(actors), pick(all)];
      const what = `seed ${seed}, ${requester.name}, decided by ${decider.name}: ${JSON.stringify(asked)}`;
      const answer = await attempt(requester, asked);
      if (answer === null) continue;
      const id = (JSON.parse(answer) as { deferred_operation?: { id: string } }).deferred_operation?.id;
      if (id === undefined) {
        await evaluate(answer, [requester], what);
        continue;
      }
      const decided = await attempt(decider, ['decideApproval', { approval_id: id, decision: 'approve' }]);
      if (decided?.includes('"status":"approved"') === true) approved += 1;
      await evaluate(decided ?? '', [requester, decider], what);
    }
    expect(approved).toBeGreaterThan(0);
  });

  test.each(others)('%s with whatever token [9.1]', async (key) => {
    for (const actor of shuffled(actors)) {
      const own = objects.get(actor.caller.accountId) ?? {};
      await asked(actor, key, own);
      const [foreign] = [...objects.values()].filter((ids) => ids !== own);
      if (isDrawn()) await asked(actor, key, foreign ?? {});
    }
    // What waits for a decision is done at last, by those who may decide.
    const deciders = actors.filter(({ caller }) => caller.permissions.has('system.approvals.decide'));
    for (const actor of deciders) {
      await asked(actor, key, objects.get(actor.caller.accountId) ?? {}, { approve: true });
    }
  });

  test('all of them were done by somebody, but those that are listed here with the reason [9.1]', () => {
    const undone = others.filter((key) => !done.has(key)).sort();
    expect(undone, `seed ${seed}; done: ${JSON.stringify([...done])}`).toEqual(Object.keys(neverDone).sort());
  });
});

/** How often each action was done, and not only asked for. */
const done = new Map<ActionKey, number>();

async function asked(
  actor: Actor,
  key: ActionKey,
  ids: Readonly<Record<string, string>>,
  more: object = {},
): Promise<void> {
  const input = { ...(await parameters(key, ids)), ...more };
  const answer = await attempt(actor, [key, input]);
  if (answer === null) return;
  if (!answer.includes('"pending":true')) done.set(key, (done.get(key) ?? 0) + 1);
  await evaluate(answer, [actor], `seed ${seed}, ${actor.name}: ${key} ${JSON.stringify(input)}`);
}

function shuffled<T>(values: readonly T[]): T[] {
  return values
    .map((value) => ({ value, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ value }) => value);
}

async function waitForApproval(category: string): Promise<void> {
  await platform.call('setPolicy', { category, mode: 'require_approval' });
  await inPlatform(platform.store, (trx) =>
    trx
      .insertInto('policies')
      .values({ id: platform.services.newId(), account_id: otherAccount, category, mode: 'require_approval' })
      .execute(),
  );
}

function pick<T>(values: readonly T[]): T {
  const value = values[Math.floor(random() * values.length)];
  if (value === undefined) throw new Error('nothing to pick from');
  return value;
}

let count = 0;

/** Parameters that fit the action, with a name and a port that nothing else has. */
async function parameters(
  key: ActionKey,
  ids: Readonly<Record<string, string>>,
): Promise<Record<string, unknown>> {
  count += 1;
  const { input, subject } = definitionOf(key);
  const fitting = inputFor(key, ids);
  if ('name' in fitting) fitting['name'] = `something ${count}`;
  if (key === 'setPolicy') return { category: 'sdwan.peer_detach', mode: 'require_approval' };
  // Of an address that all its holders have, none is the target.
  if (key === 'failoverVirtualIp') return { virtual_ip_id: ids['virtual_ip_id'] };
  if (key === 'createPortMapping') fitting['external_port'] = 10_000 + count;
  if (key === 'createInstance') return { ...fitting, ...offered, hostname: `machine-${count}` };
  if (key === 'attachPeer') {
    const accountId = [...objects].find(([, of]) => of === ids)?.[0] ?? '';
    fitting['node_instance_id'] = await platform.addMachine(accountId, `machine-${count}`);
  }
  if (!key.startsWith('update')) return fitting;
  const values = otherValues(ids, key);
  const field = Object.keys(input).find((name) => name !== subject && !(name in fitting) && name in values);
  return field === undefined ? fitting : { ...fitting, [field]: values[field] };
}

/** The offer of the one provider that every platform has. */
const offered = {
  template_id: '01980000-0000-7000-8000-000000000001',
  provider_region_id: '01980000-0000-7000-8000-000000000002',
  provider_instance_type_id: '01980000-0000-7000-8000-000000000003',
};
