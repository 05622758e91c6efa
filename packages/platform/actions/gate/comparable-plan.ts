// Whether two plans of a request show the same.
import { canonicalJson } from '@powernode/core/compile/digest';
import type { Plan } from '@powernode/core/intent/autonomy';

/** Keys of what a trial makes are other ones each time. */
export function comparablePlan(plan: unknown): string {
  const { nodes, ...rest } = membersOf(plan);
  const shown = (nodes ?? []).map(({ changes, ...node }) => ({
    ...node,
    changes: changes.map(({ op, detail }) => ({ op, detail })),
  }));
  return canonicalJson(JSON.parse(JSON.stringify({ ...rest, nodes: shown })) as unknown);
}

export function membersOf(plan: unknown): Partial<Plan> {
  return typeof plan === 'object' && plan !== null ? plan : {};
}
