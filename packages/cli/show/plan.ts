// A plan for people: which machines would change, and how.
import type { Plan } from '@powernode/core/intent/autonomy';
import { clean } from './text.ts';

const marks = { set: '+', remove: '-' } as const;

export function isPlan(value: Readonly<Record<string, unknown>>): boolean {
  return Array.isArray(value['nodes']) && typeof value['node_count'] === 'number';
}

export function planText(plan: Plan): string {
  if (plan.node_count === 0) return 'No machine would change.\n';
  const count = plan.node_count === 1 ? 'One machine' : `${plan.node_count} machines`;
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
  if (unnamed > 0) lines.push(`  and ${unnamed} machines more`);
  return `${lines.join('\n')}\n`;
}
