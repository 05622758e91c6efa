// The names of objects that explanations and findings speak of.
import type { NameOf, ObjectRef } from '@powernode/core/explain/trace';
import type { ActionContext } from '../../context.ts';

/** What is gone has no name, nor have parts of a node: they are called by their ids. */
export async function namesOf(context: ActionContext, objects: Iterable<ObjectRef>): Promise<NameOf> {
  const byKind = Map.groupBy(objects, ({ type }): string => type);
  const names = new Map<string, string>();
  for (const noun of context.services.nouns) {
    const ids = new Set((byKind.get(noun.kind) ?? []).map(({ id }) => id));
    if (ids.size === 0 || noun.names === undefined) continue;
    for (const [id, name] of await noun.names(context, [...ids])) names.set(`${noun.kind} ${id}`, name);
  }
  return ({ type, id }) => names.get(`${type} ${id}`) ?? id;
}

/**
 * Of sentences whose objects are known only once they are said: `say` runs twice, so that it may have no effects.
 * Cheaper than to read the names of a whole network.
 */
export async function withNames<T>(context: ActionContext, say: (nameOf: NameOf) => T): Promise<T> {
  return say(await namesOf(context, namedIn(say)));
}

function namedIn(say: (nameOf: NameOf) => unknown): ObjectRef[] {
  const named: ObjectRef[] = [];
  say((object) => {
    named.push(object);
    return '';
  });
  return named;
}
