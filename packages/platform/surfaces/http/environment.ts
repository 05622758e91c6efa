// What every handler of the operators' HTTP surface finds in its context.
import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import type { Caller } from '../../actions/invoke-types.ts';

export interface HttpEnv {
  Bindings: HttpBindings;
  Variables: {
    /** Ties together what this request causes. */
    correlationId: string;
    /** Set where a token was asked for. */
    caller: Caller;
  };
}

export type HttpContext = Context<HttpEnv>;

/** The client's address, for limiting guesses; in-process requests of tests have none. */
export function sourceOf(context: HttpContext): string {
  return context.env?.incoming?.socket.remoteAddress ?? 'in-process';
}
