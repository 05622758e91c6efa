// What is wrong with this node, gathered from those who find it, and reported as one list: when it has
// changed and has been so for a moment, and after each hello. Since when something is wrong is kept here.
import {
  agentProblemsPauseMs,
  agentProblemsSettleMs,
  nodeProblemDetailMax,
  nodeProblemsMax,
} from '@powernode/core/limits/node-stream';
import {
  byWeight,
  type NodeProblem,
  type NodeProblemCode,
  nodeProblemTable,
  problemKey,
} from '@powernode/core/wire/node-problems';
import { unsupportedDetail } from '@powernode/core/wire/unsupported';
import { type Clock, timestamp } from '../ports/clock.ts';

/** A problem as it is found; its subsystem follows from the code. */
export interface FoundProblem {
  readonly code: NodeProblemCode;
  /** One sentence with the cause and what to do. */
  readonly detail: string;
  readonly networkId?: string | undefined;
  /** The other end, where it concerns the path to one peer. */
  readonly peerId?: string | undefined;
  readonly interface?: string | undefined;
}

/** What of a document this agent does not know, by key. */
export function unsupportedProblems(unsupported: ReadonlyMap<string, unknown>): readonly FoundProblem[] {
  const detail = unsupportedDetail(unsupported.keys());
  return detail === null ? [] : [{ code: 'unsupported', detail }];
}

export interface NodeProblemsParts {
  readonly clock: Clock;
  /** Sends the whole list; only called while the stream is open. */
  readonly send: (problems: readonly NodeProblem[]) => void;
  readonly isOpen: () => boolean;
}

export class NodeProblems {
  readonly #parts: NodeProblemsParts;
  /** By who found them, then by key. */
  readonly #bySource = new Map<string, ReadonlyMap<string, NodeProblem>>();
  #reported = '';
  #reportedAtMs = Number.NEGATIVE_INFINITY;
  #cancel: (() => void) | null = null;

  constructor(parts: NodeProblemsParts) {
    this.#parts = parts;
  }

  /** Everything that this source finds wrong now; replaces what it found before. An empty list: nothing. */
  set(source: string, found: readonly FoundProblem[]): void {
    const before = this.#bySource.get(source);
    const since = timestamp(this.#parts.clock.nowMs());
    const now = new Map<string, NodeProblem>();
    for (const one of found) {
      const problem = problemOf(one, since);
      const key = problemKey(problem);
      const detail = bothDetails(now.get(key)?.detail, problem.detail);
      now.set(key, { ...problem, detail, since: before?.get(key)?.since ?? since });
    }
    this.#bySource.set(source, now);
    this.#reportSoon();
  }

  /** The worst first; as many as a report holds. */
  get all(): readonly NodeProblem[] {
    const merged = new Map<string, NodeProblem>();
    for (const problems of this.#bySource.values()) for (const one of problems) merged.set(...one);
    return [...merged.values()].sort(byWeight).slice(0, nodeProblemsMax);
  }

  /** Hello was said: everything is reported, also that nothing is wrong. */
  greet(): void {
    this.#report(this.all);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  #reportSoon(): void {
    if (this.#cancel !== null || JSON.stringify(this.all) === this.#reported) return;
    const { clock } = this.#parts;
    const pauseMs = this.#reportedAtMs + agentProblemsPauseMs - clock.monotonicMs();
    this.#cancel = clock.after(Math.max(agentProblemsSettleMs, pauseMs), () => {
      this.#cancel = null;
      const { all } = this;
      if (this.#parts.isOpen() && JSON.stringify(all) !== this.#reported) this.#report(all);
    });
  }

  #report(all: readonly NodeProblem[]): void {
    this.stop();
    this.#reported = JSON.stringify(all);
    this.#reportedAtMs = this.#parts.clock.monotonicMs();
    this.#parts.send(all);
  }
}

function problemOf(found: FoundProblem, since: string): NodeProblem {
  const { code, detail, networkId, peerId, interface: name } = found;
  return {
    subsystem: nodeProblemTable[code].subsystem,
    code,
    detail: oneLine(detail),
    ...(networkId === undefined ? {} : { network_id: networkId }),
    ...(peerId === undefined ? {} : { peer_id: peerId }),
    ...(name === undefined ? {} : { interface: name }),
    since,
  };
}

/** Two that are the same problem, such as parts that do not stay as they are written, are reported as one. */
function bothDetails(first: string | undefined, second: string): string {
  return first === undefined || first.includes(second) ? (first ?? second) : oneLine(`${first} ${second}`);
}

function oneLine(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\s]+/gu, ' ').trim();
  if (line.length <= nodeProblemDetailMax) return line;
  // A cut within a surrogate pair would be no text.
  return `${line.slice(0, nodeProblemDetailMax - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
