// No change is no change: what an action leaves as it was is taken back, so that it raises no revision, is no event,
// takes no number of the account's changes and reaches no node.
import { canonicalJson } from '@powernode/core/compile/digest';
import type { ActionContext, EventDraft } from '../context.ts';

type Body = Record<string, unknown>;

/** Carries an answer out of the savepoint that is rolled back. */
class Unchanged extends Error {
  readonly body: Body;
  constructor(body: Body) {
    super('unchanged');
    this.body = body;
  }
}

/**
 * Runs a handler. When each of its events says that its object is after as it was before, all that it did is rolled
 * back, and the answer is that of an object that nobody has touched.
 */
export async function unlessUnchanged(context: ActionContext, run: () => Promise<Body>): Promise<Body> {
  const from = context.events.length;
  try {
    return await context.attempt(async () => {
      const body = await run();
      const own = context.events.slice(from);
      if (own.length > 0 && own.every(isOfNothing)) throw new Unchanged(asBefore(body, own));
      return body;
    });
  } catch (thrown) {
    if (thrown instanceof Unchanged) return thrown.body;
    throw thrown;
  }
}

function isOfNothing({ payload }: EventDraft): boolean {
  const { before, after } = payload;
  if (isObject(before) && isObject(after)) return withoutStamps(before) === withoutStamps(after);
  return isList(before) && isList(after) && textOf(before) === textOf(after);
}

/** Of objects that one action sets together. */
function textOf(list: readonly Body[]): string {
  return list.map(withoutStamps).join('\n');
}

/** Every object carries them (contract §1), and every write renews them. */
function withoutStamps({ revision: _revision, updated_at: _updatedAt, ...rest }: Body): string {
  return canonicalJson(rest);
}

function asBefore(body: Body, events: readonly EventDraft[]): Body {
  const untouched = events.flatMap(({ payload: { before } }): Body[] =>
    isList(before) ? before : isObject(before) ? [before] : [],
  );
  const shown = Object.entries(body).map(([name, value]) => {
    const before = isObject(value) ? untouched.find((one) => one['id'] === value['id']) : undefined;
    if (before === undefined || !isObject(value)) return [name, value];
    return [name, { ...value, revision: before['revision'], updated_at: before['updated_at'] }];
  });
  return Object.fromEntries(shown) as Body;
}

function isList(value: unknown): value is Body[] {
  return Array.isArray(value) && value.every(isObject);
}

function isObject(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
