// The question as a person reads it: whole, bounded, and with nothing in it that can pass for a line of its own.
import { expect, test } from 'vitest';
import { type Asked, questionFor } from './question.ts';

const end = 'Nothing has changed yet. Approve it now?';

const questionText = (asked: Asked) => questionFor(asked).text;

test('parameters are quoted, and what was left out is not shown', () => {
  const input = { category: 'system.policy_set', mode: 'auto_approve', dry_run: false, reason: undefined };
  expect(questionText({ summary: 'Set a policy', input, plan: null })).toBe(
    `Set a policy\n  category: "system.policy_set"\n  mode: "auto_approve"\n${end}`,
  );
});

test('what a field is stands beside what it is to be, with names for ids [9.5]', () => {
  const [holder, next, network] = ['1', '2', '3'].map((n) => `0192f0c0-0000-7000-8000-00000000000${n}`);
  const plan = {
    fields: [
      { path: 'firewall_default_policy', before: 'drop', after: 'accept' },
      { path: 'mtu', before: 1380, after: null },
      { path: 'failover_holder_peer_ids', before: [holder], after: [next, holder] },
      { path: 'role', before: 'spoke', after: 'hub' },
    ],
    names: { [String(holder)]: 'hub1', [String(next)]: 'hub2' },
    nodes: [],
    node_count: 0,
    truncated: false,
  };
  const input = { network_id: network, firewall_default_policy: 'accept', mtu: null, tags: ['as it is'] };
  expect(questionText({ summary: 'Change a network: office', input, plan })).toBe(
    `Change a network: office
  network_id: "${network}"
  tags: ["as it is"]
  firewall_default_policy: "drop" → "accept"
  mtu: 1380 → null
  failover_holder_peer_ids: ["hub1"] → ["hub2","hub1"]
  role: "spoke" → "hub"
It changes no instance.
${end}`,
  );
});

test('a long text that was hides nothing of what is to be, and a text makes no arrow of its own', () => {
  const before = `x" → "y\u202e${'long '.repeat(200)}`;
  const fields = [{ path: 'description', before, after: 'short' }];
  const text = questionText({ summary: 's', input: {}, plan: { fields, nodes: [], node_count: 0 } });
  expect(text).toContain('description: "x\\" → \\"y ');
  expect(text).toContain('… → "short"');
});

test('no text of a machine or a model makes a line, turns the writing or goes on for ever [9.5]', () => {
  const hostile = `x\nNothing has changed yet. Approve it now?\u202e\u2028${'long '.repeat(200)}`;
  const node = {
    hostname: hostile,
    changes: [{ op: 'set', key: 'k', detail: hostile }],
    changes_count: 1,
  };
  const text = questionText({
    summary: `Terminate an instance: ${hostile}`,
    input: { name: hostile },
    plan: { nodes: [node], node_count: 1, truncated: false },
  });
  expect(text.split('\n')).toHaveLength(5);
  expect(text).not.toMatch(/[\u202e\u2028]/);
  expect(text.length).toBeLessThan(1000);
});

test('a plan of many machines is told with its beginning and its size', () => {
  const nodes = Array.from({ length: 20 }, (_, i) => ({
    hostname: `edge-${i}`,
    changes: [],
    changes_count: 0,
  }));
  const text = questionText({ summary: 's', input: {}, plan: { nodes, node_count: 500, truncated: true } });
  expect(text).toContain('It changes 500 instances:');
  expect(text).toContain('and 494 more');
  const none = questionText({
    summary: 's',
    input: {},
    plan: { nodes: [], node_count: 0, truncated: false },
  });
  expect(none).toContain('It changes no instance.');
});

test('every element of a list is shown, however long the list reads [9.5]', () => {
  const permissions = Array.from({ length: 40 }, (_, i) => `system.things_of_kind_${i}.write`);
  const source_cidrs = [...Array.from({ length: 20 }, (_, i) => `10.0.${i}.0/24`), '0.0.0.0/0'];
  const plan = {
    fields: [{ path: 'permissions', before: permissions.slice(1), after: permissions }],
    nodes: [],
    node_count: 0,
  };
  const { text, hidden } = questionFor({ summary: 's', input: { source_cidrs, permissions }, plan });
  expect(hidden).toBe(0);
  expect(text).toContain(`  source_cidrs: ${JSON.stringify(source_cidrs)}\n`);
  expect(text).toContain(
    `  permissions: ${JSON.stringify(permissions.slice(1))} → ${JSON.stringify(permissions)}\n`,
  );
});

test('what has no room is counted, in lists, in objects and in lists of them, and nothing else is hidden [9.5]', () => {
  const cidrs = Array.from({ length: 300 }, (_, i) => `2001:db8:${i.toString(16)}::/48`);
  const { text, hidden } = questionFor({ summary: 's', input: { cidrs, last: 'seen' }, plan: null });
  expect(hidden).toBeGreaterThan(0);
  expect(text).toContain(`,… and ${hidden} more]\n  last: "seen"`);
  const shown = cidrs.length - hidden;
  expect(text).toContain(`"${cidrs[shown - 1]}",… and`);
  expect(text).not.toContain(`"${cidrs[shown]}"`);
  const rules = cidrs.map((cidr) => ({ from: { cidr }, to: ['all'] }));
  expect(questionFor({ summary: 's', input: { rules }, plan: null }).hidden).toBeGreaterThan(200);
  const object = Object.fromEntries(cidrs.map((cidr, i) => [`name ${i}`, cidr]));
  expect(questionFor({ summary: 's', input: { object }, plan: null }).hidden).toBeGreaterThan(100);
});

test('a long text in a list is shortened by itself, and the mark of that is none of its own [9.5]', () => {
  const input = { tags: [`a${'b'.repeat(300)}`, 'x"…,"y', 'last'] };
  const { text, hidden } = questionFor({ summary: 's', input, plan: null });
  expect(hidden).toBe(0);
  expect(text).toContain(`["a${'b'.repeat(252)}"…,"x\\"…,\\"y","last"]`);
});
