// A plan for people: which fields of the object would change, which machines, and how.
import { withNamesOf } from '@powernode/core/actions/plan-fields';
import type { Plan } from '@powernode/core/intent/autonomy';
import { clean } from './text.ts';

const marks = { set: '+', remove: '-' } as const;

export function isPlan(value: Readonly<Record<string, unknown>>): boolean {
  return Array.isArray(value['nodes']) && typeof value['node_count'] === 'number';
}

export function planText(plan: Plan): string {
  return `${fieldsText(plan)}${nodesText(plan)}`;
}

function fieldsText({ fields = [], names }: Plan): string {
  if (fields.length === 0) return '';
  const valueText = (value: unknown) => clean(JSON.stringify(withNamesOf(value, names)));
  const lines = fields.map(
    ({ path, before, after }) => `  ${clean(path)}: ${valueText(before)} → ${valueText(after)}\n`,
  );
  return `These values would change:\n${lines.join('')}`;
}

function nodesText(plan: Plan): string {
  if (plan.node_count === 0) return 'No instance would change.\n';
  const count = plan.node_count === 1 ? 'One instance' : `${plan.node_count} instances`;
  const lines = [`${count} would change:`];
  for (const node of plan.nodes) {
    lines.push(`  ${clean(node.hostname)}  (${node.instance_id})`);
    for (const change of node.changes) {
      lines.push(`    ${marks[change.op]} ${clean(change.key)}  ${clean(change.detail)}`.trimEnd());
    }
    const rest = node.changes_count - node.changes.length;
    if (rest > 0) lines.push(`    and ${rest} more`);
  }
  const unnamed = plan.node_count - plan.nodes.length;
  if (unnamed > 0) lines.push(`  and ${unnamed} more instances`);
  return `${lines.join('\n')}\n`;
}
