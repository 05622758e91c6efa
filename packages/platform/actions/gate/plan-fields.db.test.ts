// What is and what would be, in each plan of a change: generated from the list of actions, for each of their parameters.
import { type ActionKey, actionKeys, definitionOf } from '@powernode/core/actions/catalogue';
import { questionFor } from '@powernode/core/actions/question';
import type { Plan } from '@powernode/core/intent/autonomy';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeTenant, otherValues, type Tenant } from '../../testing/tenant.fixture.ts';
import { startTestPlatform, type TestPlatform } from '../../testing/test-platform.ts';

let platform: TestPlatform;
let tenant: Tenant;
let ids: Record<string, string>;
beforeAll(async () => {
  platform = await startTestPlatform();
  tenant = await makeTenant(platform, 'plan');
  const { operator } = await call('createOperator', { name: 'colleague', role: 'viewer' });
  const policies = (await call('listPolicies', {}))['policies'] as unknown as Record<string, string>[];
  const policy = policies.find(({ category }) => category === 'sdwan.network_create');
  ids = { ...tenant.ids, operator_id: String(operator?.['id']), policy_id: String(policy?.['id']) };
});
afterAll(() => platform.close());

type Members = Record<string, unknown>;
type Body = Record<string, Members>;

async function call(key: ActionKey, input: object): Promise<Body> {
  return platform.call(key, input, tenant.caller);
}

const planOf = (body: Body) => body['plan'] as unknown as Plan;

/** A role is only changed to what a machine is seen as: role-change.db.test.ts has it. */
const updates = actionKeys.filter((key) => {
  const { revised, hints } = definitionOf(key);
  return revised && !hints.destructive && key !== 'changePeerRole';
});

/** Each is an object of its own, and no field of the peer. */
const objects = ['subnets'];

/** Each update with one after the other of its parameters. */
const settings = updates.flatMap((key) => {
  const { input, subject, name } = definitionOf(key);
  return Object.keys(input)
    .filter((parameter) => parameter !== subject && parameter in otherValues({}))
    .filter((parameter) => !objects.includes(parameter))
    .map((parameter) => [name, parameter, key] as const);
});

/** Whose fields have another name than the parameter. */
const fieldOf: Readonly<Record<string, string>> = {
  subnets: 'lan_subnets',
  drain: 'status',
};

/** The object as it is, by its own reading action or from its list. */
async function objectOf(key: ActionKey): Promise<Members> {
  const { subject, output } = definitionOf(key);
  const [noun] = Object.keys(output);
  const id = ids[subject ?? ''];
  const reading = actionKeys.find((one) => {
    const other = definitionOf(one);
    return other.category === null && other.subject === subject && Object.keys(other.output)[0] === noun;
  });
  if (reading !== undefined) return (await call(reading, { [subject ?? '']: id }))[noun ?? ''] ?? {};
  const rows = (await call('listOperators', {}))['operators'] as unknown as Members[];
  return rows.find((row) => row['id'] === id) ?? {};
}

describe('the plan of a change says what is and what would be', () => {
  test.each(settings)('%s { %s } [9.5]', async (_, parameter, key) => {
    const { subject, output } = definitionOf(key);
    const value = parameter === 'tags' ? [key] : otherValues(ids, key)[parameter];
    const input = { [subject ?? '']: ids[subject ?? ''], [parameter]: value };
    const before = await objectOf(key);
    const previewed = await call(key, { ...input, dry_run: true });
    const after = previewed[Object.keys(output)[0] ?? ''] ?? {};
    const path = fieldOf[parameter] ?? parameter;
    const fields = planOf(previewed).fields ?? [];
    expect(fields).toContainEqual({ path, before: before[path] ?? null, after: after[path] ?? null });
    for (const field of fields) {
      expect(field).toEqual({
        path: field.path,
        before: before[field.path] ?? null,
        after: after[field.path] ?? null,
      });
    }
    await call(key, { ...input, approve: true });
  });
});

/** Lines of the question that a person is asked, without the identifiers. */
function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => !/^ {2}[a-z_]+_id: "[0-9a-f-]{36}"$/.test(line));
}

test('whoever decides reads both, in the approval and in the question, by the names of machines [9.5]', async () => {
  const asked = { virtual_ip_id: ids['virtual_ip_id'], failover_holder_peer_ids: [], name: 'way in' };
  await call('setPolicy', { category: 'sdwan.virtual_ip_update', mode: 'require_approval' });
  await call('updateVirtualIp', {
    virtual_ip_id: ids['virtual_ip_id'],
    name: 'resolver',
    primary_holder_peer_id: ids['peer_id'],
    failover_holder_peer_ids: [ids['hub_peer_id']],
    approve: true,
  });
  const waiting = await call('updateVirtualIp', asked);
  expect(planOf(waiting).fields?.map(({ path }) => path)).toEqual(['name', 'failover_holder_peer_ids']);
  const id = waiting['deferred_operation']?.['id'];
  const { approval } = await call('getApproval', { approval_id: id });
  expect(approval?.['plan']).toEqual(planOf(waiting));
  const { summary, input, plan } = approval as { summary: string; input: Members; plan: unknown };
  const [first, ...lines] = linesOf(questionFor({ summary, input, plan }).text);
  expect(first).toBe('Change a virtual IP: way in');
  expect(lines.slice(0, 2)).toEqual([
    '  name: "resolver" → "way in"',
    '  failover_holder_peer_ids: ["plan-hub"] → []',
  ]);
  expect(lines[2]).toMatch(/^It changes /);
  await call('decideApproval', { approval_id: id, decision: 'reject' });
});

test('what is not there before, or not after, has no values that change', async () => {
  const made = await call('createNetwork', { name: 'new', dry_run: true });
  expect(planOf(made)).not.toHaveProperty('fields');
  const ended = await call('detachPeer', { peer_id: ids['peer_id'], dry_run: true });
  expect(planOf(ended)).not.toHaveProperty('fields');
  const same = await call('updateNetwork', { network_id: ids['network_id'], name: 'renamed', dry_run: true });
  expect(planOf(same)).not.toHaveProperty('fields');
});

test('what takes a right away by another name than its field says which [9.5]', async () => {
  const { operator } = await call('createOperator', { name: 'leaver', role: 'viewer' });
  const previewed = await call('disableOperator', { operator_id: operator?.['id'], dry_run: true });
  expect(planOf(previewed).fields).toEqual([{ path: 'disabled', before: false, after: true }]);
});
