// The part of a plan that says what becomes of the object's fields: read from the events of the trial, which have the
// object before and after. So no handler has to say it a second time.
import { changedFields, idsIn } from '@powernode/core/actions/plan-fields';
import type { Plan } from '@powernode/core/intent/autonomy';
import type { ActionContext, EventDraft, Turn } from '../context.ts';

type Members = Readonly<Record<string, unknown>>;
type Fields = Pick<Plan, 'fields' | 'names'>;

/** Of the object that the action answers with; empty when it makes it, takes it away or leaves it as it is. */
export function fieldsOfAnswer(context: ActionContext, body: Members): Promise<Fields> {
  if (context.outcome !== null) return fieldsOf(context, context.outcome);
  const answered = new Set(Object.values(body).flatMap((value) => (isObject(value) ? [value['id']] : [])));
  const turns = context.events.map(turnOf).filter(({ before }) => answered.has(before?.['id']));
  const [before, after] = [turns.at(0)?.before ?? null, turns.at(-1)?.after ?? null];
  return before === null || after === null ? Promise.resolve({}) : fieldsOf(context, { before, after });
}

/** Of an object that is there before and after. */
export async function fieldsOf(context: ActionContext, { before, after }: Turn): Promise<Fields> {
  const fields = changedFields(before, after);
  if (fields.length === 0) return {};
  const names = await namesOf(context, idsIn(fields));
  return { fields, ...(Object.keys(names).length === 0 ? {} : { names }) };
}

/** Of objects that fields of others name. */
async function namesOf(context: ActionContext, ids: readonly string[]): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const { isReferredTo, names } of context.services.nouns) {
    if (isReferredTo !== true) continue;
    for (const [id, name] of (await names?.(context, ids)) ?? []) if (name !== '') found[id] = name;
  }
  return found;
}

function turnOf({ payload }: EventDraft): { readonly [Side in keyof Turn]: Members | null } {
  const { before, after } = payload;
  return { before: isObject(before) ? before : null, after: isObject(after) ? after : null };
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
