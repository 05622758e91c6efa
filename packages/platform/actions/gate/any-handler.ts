// A handler without the types of its action: its parameters were checked against the action's own schema.
import type { ActionKey } from '@powernode/core/actions/catalogue';
import type { ActionContext, Handlers } from '../context.ts';

export type AnyHandler = (
  context: ActionContext,
  input: Record<string, unknown>,
) => Promise<Record<string, unknown>>;

export function handlerOf(handlers: Handlers, key: ActionKey): AnyHandler {
  return handlers[key] as unknown as AnyHandler;
}
