// The typed client: every action with the parameters and results of its definition, over the generic HTTP call.
// Results are trusted to have their type: they come from the platform that served this very code, of one build.
import { CallError } from '@powernode/client/call-error';
import { type CallOptions, type Fetch, PlatformClient } from '@powernode/client/platform-client';
import type { ActionKey, Actions } from '@powernode/core/actions/catalogue';
import type { OutputOf, ParametersOf } from '@powernode/core/actions/define';
import type { deferredOperation, Plan } from '@powernode/core/intent/autonomy';
import { actionFacts, type ChangeAction, type ReadAction } from './actions.ts';

export type { ChangeAction, ReadAction };
export type Parameters<K extends ActionKey> = ParametersOf<Actions[K]>;
export type Output<K extends ActionKey> = OutputOf<Actions[K]>;
export type Deferred = (typeof deferredOperation)['_output'];

/** What became of a change: it is made, or it waits for somebody's decision. */
export type Answer<K extends ChangeAction> =
  | { readonly kind: 'done'; readonly body: Output<K> }
  | { readonly kind: 'pending'; readonly deferred: Deferred };

/** What a dry run answers: what would be there, and what would change on which machines. */
export interface ChangePreview<K extends ChangeAction> {
  readonly body: Output<K>;
  readonly plan: Plan;
}

export interface ClientParts {
  readonly fetch: Fetch;
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
  previewChange<K extends ChangeAction>(
    key: K,
    parameters: Parameters<K>,
    signal?: AbortSignal,
  ): Promise<ChangePreview<K>>;
}

export function createClient(parts: ClientParts): Client {
  const platform = new PlatformClient({
    url: '',
    token: parts.token,
    timeoutMs: null,
    fetch: async (url, init) => {
      const response = await parts.fetch(url, init);
      const said = Date.parse(response.headers.get('date') ?? '');
      parts.onContact?.({ answered: true, at: Number.isNaN(said) ? null : new Date(said) });
      return response;
    },
  });

  async function call(
    key: ActionKey,
    parameters: object,
    options: CallOptions,
  ): Promise<Record<string, unknown>> {
    try {
      return (await platform.call(actionFacts[key].name, parameters, options)).body;
    } catch (error) {
      if (error instanceof CallError && error.unreachable) parts.onContact?.({ answered: false, at: null });
      if (error instanceof CallError && error.code === 'unauthenticated') parts.onUnauthenticated?.(error);
      throw error;
    }
  }

  return {
    async read(key, parameters, signal) {
      return (await call(key, parameters, { signal })) as Output<typeof key>;
    },
    async change(key, parameters) {
      const body = await call(key, parameters, {
        headers: { 'idempotency-key': parts.newIdempotencyKey() },
      });
      if (body['pending'] === true)
        return { kind: 'pending', deferred: body['deferred_operation'] as Deferred };
      return { kind: 'done', body: body as Output<typeof key> };
    },
    async previewChange(key, parameters, signal) {
      const body = await call(key, { ...parameters, dry_run: true }, { signal });
      return { body: body as Output<typeof key>, plan: body['plan'] as Plan };
    },
  };
}
