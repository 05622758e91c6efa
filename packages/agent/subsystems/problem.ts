// What keeps the machine from being as the document says: a code of the table, and a sentence with cause and remedy.
import { ProductError } from '@powernode/core/errors';
import type { NodeSubsystem } from '@powernode/core/intent/common';
import type { EntryValue } from '@powernode/core/wire/document';
import type { NodeProblemCode } from '@powernode/core/wire/node-problems';

export interface Problem {
  /** The part of the node whose step, look or plan made it; `agent`: the agent itself. */
  readonly subsystem: NodeSubsystem;
  readonly code: NodeProblemCode;
  /** For people, one sentence: what, why, and what to do. Never a command. */
  readonly detail: string;
  readonly interface?: string | undefined;
  /** For the log alone: the command and all that it said, or an error of the agent with its stack. */
  readonly cause?: unknown;
}

/** The machine could not be looked at: by which subsystem, and why. */
export class LookFailure extends ProductError {
  readonly reported: { readonly as: NodeSubsystem; readonly code: NodeProblemCode };
  override readonly cause: ProductError;

  constructor(reported: LookFailure['reported'], cause: ProductError) {
    super(cause.code, cause.detail);
    this.reported = reported;
    this.cause = cause;
  }
}

/** The network of the interface that a problem is about. */
export function networkOf(
  entries: ReadonlyMap<string, EntryValue>,
  { interface: name }: Problem,
): string | undefined {
  const entry = entries.get(`interface/${name ?? ''}`);
  return entry?.kind === 'interface' ? entry.network_id : undefined;
}
