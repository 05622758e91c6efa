// What a kind of operation is: named steps in an order, each of which may be run again after any kill. A step has up to two
// halves: `act` reaches outside of the database, and is given a key that is the same each time, so that the other side can
// tell a repetition; `record` is one transaction together with the progress of the operation, so that it is done once.
import type { ProductError } from '@powernode/core/errors';
import type { Permission } from '@powernode/core/intent/account';
import type { z } from 'zod';
import type { ActionContext } from '../../actions/context.ts';

export type Memory = Readonly<Record<string, unknown>>;

/** What a step knows of its operation. */
export interface StepInput<Input> {
  readonly input: Input;
  /** What the steps before it, and its own earlier turns, have left. */
  readonly memory: Memory;
  /** The same at each repetition of this step of this operation, and of no other. */
  readonly key: string;
  readonly begunAt: Date;
}

export type StepOutcome =
  /** The next step is due, or the operation has succeeded; `result` counts at the last one. */
  | { readonly kind: 'done'; readonly memory?: Memory; readonly result?: Memory }
  /** It runs again after so long. */
  | { readonly kind: 'wait'; readonly forMs: number; readonly detail: string; readonly memory?: Memory }
  /** What it was for is not so any more: the operation is cancelled. */
  | { readonly kind: 'obsolete'; readonly why: string };

export interface Step<Input> {
  readonly name: string;
  /**
   * `signal` is aborted when the process ends or has lost its turn: what goes on then is somebody else's to repeat. What it
   * answers is for `record`.
   */
  act?(step: StepInput<Input>, signal: AbortSignal): Promise<unknown>;
  record(context: ActionContext, step: StepInput<Input>, acted: unknown): Promise<StepOutcome>;
}

export interface OperationKind<Input = unknown> {
  readonly name: string;
  /** What is stored of an older version is read by it, too. */
  readonly input: z.ZodType<Input>;
  /** Of the action that begins it; needed to cancel it. */
  readonly permission: Permission;
  readonly steps: readonly [Step<Input>, ...Step<Input>[]];
  /** What cancelling undoes, as a step; null: it cannot be cancelled. */
  readonly cancel: Omit<Step<Input>, 'name'> | null;
}

/** By their names. */
export type OperationKinds = ReadonlyMap<string, OperationKind>;

export function operationKinds(kinds: readonly OperationKind[]): OperationKinds {
  return new Map(kinds.map((kind) => [kind.name, kind]));
}

/** Thrown by a step where trying again cannot help: the operation fails at once. */
export class PermanentFailure extends Error {
  readonly problem: ProductError;
  constructor(problem: ProductError) {
    super(problem.detail, { cause: problem });
    this.problem = problem;
  }
}
