// No change is no change: whatever is set to what it is already leaves every row of the account as it was. Generated from
// the list of actions.
import { type ActionKey, actionKeys, definitionOf } from '@powernode/core/actions/catalogue';
import { ProductError } from '@powernode/core/errors';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  everythingOf,
  inputFor,
  makeTenant,
  otherValues,
  type Tenant,
} from '../../testing/tenant.fixture.ts';
import { startTestPlatform, type TestPlatform } from '../../testing/test-platform.ts';

let platform: TestPlatform;
let tenant: Tenant;
let ids: Record<string, string>;
beforeAll(async () => {
  platform = await startTestPlatform();
  tenant = await makeTenant(platform, 'same');
  const colleague = await call('createOperator', { name: 'colleague', role: 'viewer' });
  const policies = (await call('listPolicies', {}))['policies'] as unknown as Record<string, string>[];
  const policy = policies.find(({ category }) => category === 'sdwan.network_create');
  ids = {
    ...tenant.ids,
    operator_id: String(colleague['operator']?.['id']),
    policy_id: String(policy?.['id']),
  };
});
afterAll(() => platform.close());

type Body = Record<string, Record<string, unknown>>;

async function call(key: ActionKey, input: object): Promise<Body> {
  return platform.call(key, input, tenant.caller);
}

const everything = () => everythingOf(platform, tenant.caller.accountId);

/** Changes of one object that may be repeated: all updates, and what ends something without deleting it. */
const repeatable = actionKeys.filter((key) => {
  const { category, creates, hints, subject } = definitionOf(key);
  return category !== null && !creates && hints.idempotent && subject !== null;
});
/** A decision is final: a second one is refused. What cancels sets no value, and a role is only changed to what a machine is
 * seen as: both have tests of their own. */
const ownTests: readonly ActionKey[] = ['decideApproval', 'cancelOperation', 'changePeerRole'];
const updates = repeatable.filter((key) => !ownTests.includes(key) && !definitionOf(key).hints.destructive);

/** The action with its subject and, one after the other, each of its other parameters. */
const settings = updates.flatMap((key) => {
  const { input, subject, name } = definitionOf(key);
  return Object.keys(input)
    .filter((field) => field !== subject && field in otherValues({}))
    .map((field) => [name, field, key] as const);
});

function inputOfSetting(key: ActionKey, field: string): Record<string, unknown> {
  const { subject } = definitionOf(key);
  const required = inputFor(key, ids);
  return {
    ...Object.fromEntries(Object.entries(required).filter(([name]) => name === subject)),
    [field]: field === 'tags' ? [key] : otherValues(ids, key)[field],
    approve: true,
  };
}

/** They have no other value that the only hub of the test could take, or they name the object. */
const notTried = ['account_id', 'category', 'external_address', 'decision', 'reason'];

test('each parameter of every update is tried', () => {
  const parameters = new Set(updates.flatMap((key) => Object.keys(definitionOf(key).input)));
  const subjects = new Set(updates.map((key) => definitionOf(key).subject));
  const missing = [...parameters].filter(
    (name) => !subjects.has(name) && !(name in otherValues({})) && !notTried.includes(name),
  );
  expect(missing).toEqual([]);
});

/** Of an object, or of each of a list. */
const stampsOf = (shown: unknown) =>
  [shown].flat().map((one) => {
    const { revision, updated_at } = one as Record<string, unknown>;
    return { revision, updated_at };
  });

describe('an update', () => {
  test.each(settings)(
    '%s { %s } changes once; the same again changes nothing [9.13]',
    async (_, field, key) => {
      const input = inputOfSetting(key, field);
      const before = await everything();
      const first = await call(key, input);
      const after = await everything();
      expect(after).not.toBe(before);
      const second = await call(key, input);
      expect(await everything()).toBe(after);
      const [noun] = Object.keys(first);
      expect(stampsOf(second[noun ?? ''])).toEqual(stampsOf(first[noun ?? '']));
    },
  );

  test.each(updates.map((key) => [definitionOf(key).name, key] as const))(
    '%s of nothing changes nothing, also where the policy asks for an approval [9.13]',
    async (_, key) => {
      const { category, subject } = definitionOf(key);
      const repeated = settings.filter(([, , one]) => one === key).at(-1)?.[1];
      if (repeated === undefined) throw new Error(`no value is known for any parameter of ${key}`);
      const { approve: _approve, ...input } = inputOfSetting(key, repeated);
      expect(input).toHaveProperty(subject ?? '');
      await call('setPolicy', { category: category?.name, mode: 'require_approval', approve: true });
      await call(key, { ...input, approve: true });
      const before = await everything();
      const outcome = await platform.invoke({
        caller: tenant.caller,
        action: key,
        input,
        correlationId: 'again',
      });
      expect(outcome).toMatchObject({ status: 200 });
      expect(await everything()).toBe(before);
    },
  );
});

test('what is ended already is ended once [9.13]', async () => {
  const endings = repeatable.filter((key) => definitionOf(key).hints.destructive);
  expect(endings.length).toBeGreaterThan(5);
  for (const key of endings) {
    const input = { ...inputFor(key, ids), approve: true };
    const end = () =>
      call(key, input).catch((error: unknown) => {
        if (!(error instanceof ProductError) || !['not_found', 'conflict'].includes(error.code)) throw error;
      });
    await end();
    const after = await everything();
    await end();
    expect(await everything(), key).toBe(after);
  }
});

describe('what nodes do not have to know', () => {
  test.each([
    ['updateNetwork', { description: 'another' }],
    ['updateNetwork', { name: 'another' }],
    ['updateFirewallRule', { name: 'another' }],
    ['updateVirtualIp', { name: 'another' }],
    ['updateUserDevice', { name: 'another' }],
    ['updateInstance', { hostname: 'another' }],
    // It was detected to be none, so that nobody has to know.
    ['updatePeer', { publicly_reachable: false }],
  ] as const)('%s %o reaches no node and takes no number [9.13]', async (key, change) => {
    const fresh = await makeTenant(platform, `${key}-${Object.keys(change)[0]}`.replaceAll('_', '-'));
    const { accountId } = fresh.caller;
    const nodes = [fresh.ids['instance_id']].map((id) => platform.delivery.node(id ?? '')?.desiredRevision);
    const sequence = platform.delivery.sequenceOf(accountId);
    await platform.call(key, { ...inputFor(key, fresh.ids), ...change }, fresh.caller);
    expect(platform.delivery.sequenceOf(accountId)).toBe(sequence);
    expect([fresh.ids['instance_id']].map((id) => platform.delivery.node(id ?? '')?.desiredRevision)).toEqual(
      nodes,
    );
    // The next change follows without a gap.
    await platform.call('setPeerTags', { peer_id: fresh.ids['peer_id'], tags: ['next'] }, fresh.caller);
    expect(platform.delivery.sequenceOf(accountId)).toBe(sequence + 1);
  });
});
