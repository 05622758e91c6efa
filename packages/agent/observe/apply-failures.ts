// What of the document could not be applied: kept as problems, reported once for each failure, and logged.
import { failureMessageMax } from '@powernode/core/limits/node-stream';
import type { Logger } from 'pino';
import type { NodeStream } from '../link/stream.ts';
import type { Held } from '../state/current-document.ts';
import { networkOf, type Problem } from '../subsystems/problem.ts';
import type { NodeProblems } from './problems.ts';

export interface ApplyFailureParts {
  readonly stream: Pick<NodeStream, 'send'>;
  readonly nodeProblems: Pick<NodeProblems, 'set'>;
  readonly log: Logger;
}

export class ApplyFailures {
  readonly #parts: ApplyFailureParts;
  #problems: readonly Problem[] = [];
  #reported = '';
  /** Errors of the agent itself that were logged since a document was applied, by their stacks. */
  readonly #logged = new Set<string>();

  constructor(parts: ApplyFailureParts) {
    this.#parts = parts;
  }

  get problems(): readonly Problem[] {
    return this.#problems;
  }

  /** A new stream: nothing has been reported. */
  greet(): void {
    this.#reported = '';
  }

  /** The document is applied. */
  over(): void {
    this.#problems = [];
    this.#reported = '';
    this.#logged.clear();
    this.#parts.nodeProblems.set('apply', []);
  }

  /** An error of the agent itself: logged with its stack, once until a document is applied. */
  programmingError(error: unknown): void {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    if (this.#logged.has(stack)) return;
    this.#logged.add(stack);
    this.#parts.log.error({ err: error }, 'the agent met an error of its own; please report it');
  }

  failed(held: Held, problems: readonly Problem[]): void {
    const { stream, nodeProblems, log } = this.#parts;
    this.#problems = problems;
    nodeProblems.set(
      'apply',
      problems.map((one) => ({ ...one, networkId: networkOf(held.entries, one) })),
    );
    const details = new Set(problems.map((problem) => problem.detail));
    const message = [...details].join(' ').slice(0, failureMessageMax);
    const failure = `${held.revision} ${message}`;
    if (failure === this.#reported) return;
    this.#reported = failure;
    stream.send({ kind: 'failed', revision: held.revision, message });
    for (const { code, detail, cause } of problems) {
      log.warn({ revision: held.revision, code, detail, err: cause }, 'not applied; it is tried again');
    }
  }
}
