// What surfaces see of the actions: who calls, what is asked, what comes back. No surface knows more.
import type { ActionKey } from '@powernode/core/actions/catalogue';
import type { Permission, Role } from '@powernode/core/intent/account';

/** A signed-in operator, as one request sees it. */
export interface Caller {
  readonly operatorId: string;
  readonly operatorName: string;
  readonly accountId: string;
  readonly tokenId: string;
  readonly token: CallersToken;
  /** The lesser of the roles of the operator and of the operator that made the token. */
  readonly role: Role;
  /** What the operator, the token and the token's maker all may do. */
  readonly permissions: ReadonlySet<Permission>;
  readonly platformAdmin: boolean;
}

/** What is known of the token in use, beside its id. */
export interface CallersToken {
  readonly name: string;
  /** null: the platform itself. */
  readonly madeBy: { readonly id: string; readonly name: string } | null;
  /** null: never. */
  readonly expiresAt: Date | null;
  /** It may do less than its operator and its maker. */
  readonly isLimited: boolean;
  /** Whoever uses it is held to what a model may do, also where it does not come over MCP. */
  readonly isForModel: boolean;
}

/** Who stands behind a call that comes over MCP: a model, or a person who has answered a question there. */
export type OverMcp = 'model' | 'person';

export interface Invocation {
  readonly caller: Caller;
  readonly action: ActionKey;
  /** As it came: a plain object of parameters, not yet checked. */
  readonly input: unknown;
  readonly idempotencyKey?: string | undefined;
  /** Left out: the call did not come over MCP. */
  readonly overMcp?: OverMcp | undefined;
  /** Ties together what one request causes; in logs, events and answers. */
  readonly correlationId: string;
}

/** 200, 201 for what was created, 202 for what waits for a decision. */
export interface Outcome {
  readonly status: 200 | 201 | 202;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Runs an action for a caller. Throws `ProductError` for every expected failure. */
export type Invoke = (invocation: Invocation) => Promise<Outcome>;

/** Finds out who a bearer token speaks for. Throws `unauthenticated` or `rate_limited`. */
export type Authenticate = (credential: {
  /** The value of the Authorization header, or undefined. */
  readonly authorization: string | undefined;
  /** Address of the client, for limiting guesses. */
  readonly source: string;
}) => Promise<Caller>;
