// The typed client: every action with the parameters and results of its definition, over the generic HTTP call.
// Results are trusted to have their type: they come from the platform that served this very code, of one build.
import type { Actions } from '@powernode/core/actions/catalogue';
import type { OutputOf, ParametersOf } from '@powernode/core/actions/define';
import type { deferredOperation, Plan } from '@powernode/core/intent/autonomy';
import { actionFacts, type ConsoleAction } from './actions.ts';
import { CallError, isRecord, parseJson, problemOfAnswer, unreachable } from './problem.ts';

export type Parameters<K extends ConsoleAction> = ParametersOf<Actions[K]>;
export type Output<K extends ConsoleAction> = OutputOf<Actions[K]>;
export type Deferred = (typeof deferredOperation)['_output'];

/** The actions that only read, and those that change something. */
export type ReadAction = {
  [K in ConsoleAction]: (typeof actionFacts)[K]['category'] extends null ? K : never;
}[ConsoleAction];
export type ChangeAction = Exclude<ConsoleAction, ReadAction>;

/** What became of a change: it is made, or it waits for somebody's decision. */
export type Answer<K extends ChangeAction> =
  | { readonly kind: 'done'; readonly body: Output<K> }
  | { readonly kind: 'pending'; readonly deferred: Deferred };

/** What a dry run answers: what would be there, and what would change on which machines. */
export interface Rehearsal<K extends ChangeAction> {
  readonly body: Output<K>;
  readonly plan: Plan;
}

export interface ClientParts {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly token: () => string | null;
  /** Told of every answer, and of every silence: `at` is the platform's own clock where it said so. */
  readonly onContact?: (contact: { readonly answered: boolean; readonly at: Date | null }) => void;
  /** The token is not valid (any more). */
  readonly onUnauthenticated?: (error: CallError) => void;
  readonly newIdempotencyKey: () => string;
}

export interface Client {
  read<K extends ReadAction>(key: K, parameters: Parameters<K>, signal?: AbortSignal): Promise<Output<K>>;
  change<K extends ChangeAction>(key: K, parameters: Parameters<K>): Promise<Answer<K>>;
  /** What the change would do, without doing it. */
  rehearse<K extends ChangeAction>(
    key: K,
    parameters: Parameters<K>,
    signal?: AbortSignal,
  ): Promise<Rehearsal<K>>;
}

export function createClient(parts: ClientParts): Client {
  return {
    async read(key, parameters, signal) {
      return (await call(parts, { key, parameters, signal })) as Output<typeof key>;
    },
    async change(key, parameters) {
      const idempotencyKey = parts.newIdempotencyKey();
      const body = await call(parts, { key, parameters, idempotencyKey });
      if (body['pending'] === true)
        return { kind: 'pending', deferred: body['deferred_operation'] as Deferred };
      return { kind: 'done', body: body as Output<typeof key> };
    },
    async rehearse(key, parameters, signal) {
      const body = await call(parts, { key, parameters: { ...parameters, dry_run: true }, signal });
      return { body: body as Output<typeof key>, plan: body['plan'] as Plan };
    },
  };
}

interface Call {
  readonly key: ConsoleAction;
  readonly parameters: object;
  readonly signal?: AbortSignal | undefined;
  readonly idempotencyKey?: string;
}

async function call(parts: ClientParts, request: Call): Promise<Record<string, unknown>> {
  const response = await send(parts, request);
  const text = await readText(parts, response);
  if (!response.ok) throw failure(parts, problemOfAnswer(response.status, text));
  const body = parseJson(text);
  if (!isRecord(body)) throw failure(parts, problemOfAnswer(response.status, text));
  return body;
}

async function send(parts: ClientParts, request: Call): Promise<Response> {
  const token = parts.token();
  const headers: Record<string, string> = { 'content-type': 'application/json', accept: 'application/json' };
  if (token !== null) headers['authorization'] = `Bearer ${token}`;
  if (request.idempotencyKey !== undefined) headers['idempotency-key'] = request.idempotencyKey;
  try {
    return await parts.fetch(`/api/v1/actions/${actionFacts[request.key].name}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(request.parameters),
      cache: 'no-store',
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    });
  } catch (error) {
    throw silence(parts, error);
  }
}

async function readText(parts: ClientParts, response: Response): Promise<string> {
  try {
    const text = await response.text();
    const said = Date.parse(response.headers.get('date') ?? '');
    parts.onContact?.({ answered: true, at: Number.isNaN(said) ? null : new Date(said) });
    return text;
  } catch (error) {
    throw silence(parts, error);
  }
}

/** A request that was given up on purpose is nobody's silence. */
function silence(parts: ClientParts, error: unknown): unknown {
  if (error instanceof DOMException && error.name === 'AbortError') return error;
  parts.onContact?.({ answered: false, at: null });
  return unreachable(error);
}

function failure(parts: ClientParts, problem: CallError['problem']): CallError {
  const error = new CallError(problem);
  if (error.unreachable) parts.onContact?.({ answered: false, at: null });
  if (error.code === 'unauthenticated') parts.onUnauthenticated?.(error);
  return error;
}
