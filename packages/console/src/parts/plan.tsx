// What a change would do to which values and which machines.
import type { Plan } from '@powernode/core/intent/autonomy';
import { count } from './format.ts';
import { Icon } from './icon.tsx';
import { labelOf, wordsOf } from './values.ts';

/** With few machines one wants to see all of it; with many, their names first. */
const openedAtOnceMax = 3;

export function PlanView({ plan }: { readonly plan: Plan }) {
  if (plan.node_count === 0) {
    return (
      <div className="stack">
        <PlanFields plan={plan} />
        <p className="muted">No instance changes.</p>
        <PlanNotes plan={plan} />
      </div>
    );
  }
  return (
    <div className="stack">
      <PlanFields plan={plan} />
      <PlanNotes plan={plan} />
      <p>
        <strong>{count(plan.node_count, 'instance changes', 'instances change')}</strong>
        {plan.truncated ? `; the first ${plan.nodes.length} are listed.` : '.'}
      </p>
      <div className="plan">
        {plan.nodes.map((node) => (
          <details key={node.instance_id} open={plan.nodes.length <= openedAtOnceMax}>
            <summary>
              <Icon name="chevron" />
              <strong>{node.hostname}</strong>
              <span className="muted">{count(node.changes_count, 'change')}</span>
            </summary>
            <ul className="plan-changes">
              {node.changes.map((change) => (
                <li className="plan-change" key={change.key} data-tone={change.op === 'set' ? 'ok' : 'bad'}>
                  <span>
                    <span aria-hidden="true">{change.op === 'set' ? '+' : '−'}</span>
                    <span className="sr-only">{change.op}</span>
                  </span>
                  <code>{change.detail}</code>
                </li>
              ))}
              {node.changes_count > node.changes.length ? (
                <li className="muted">
                  and {count(node.changes_count - node.changes.length, 'more', 'more')}
                </li>
              ) : null}
            </ul>
          </details>
        ))}
      </div>
    </div>
  );
}

/** What is, and what would be. */
export function PlanFields({ plan }: { readonly plan: Plan }) {
  const { fields = [], names = {} } = plan;
  if (fields.length === 0) return null;
  const words = (value: unknown) => wordsOf(value, (id) => names[id] ?? null);
  return (
    <ul className="stack-tight" aria-label="Values">
      {fields.map(({ path, before, after }) => (
        <li key={path}>
          {labelOf(path)}: <del>{words(before)}</del> → <ins>{words(after)}</ins>
        </li>
      ))}
    </ul>
  );
}

/** Why something becomes what it does, and what will not work. */
function PlanNotes({ plan }: { readonly plan: Plan }) {
  const { notes = [] } = plan;
  if (notes.length === 0) return null;
  return (
    <ul className="stack-tight">
      {notes.map((note) => (
        <li key={`${note.code} ${note.detail}`}>{note.detail}</li>
      ))}
    </ul>
  );
}

/** Why the platform asks for a change by itself; null: somebody asked for it. */
export function evidenceOf(value: unknown): string | null {
  const { evidence } = (value ?? {}) as { readonly evidence?: unknown };
  return typeof evidence === 'string' && evidence !== '' ? evidence : null;
}

/** A plan that was kept as text: what waits for approval has one, or has none. */
export function readPlan(value: unknown): Plan | null {
  const plan = value as Partial<Plan> | null;
  const fits = typeof plan === 'object' && plan !== null && Array.isArray(plan.nodes);
  return fits && typeof plan.node_count === 'number' ? (plan as Plan) : null;
}
