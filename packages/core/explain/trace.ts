// The trace of a packet: steps, each with the object that decides, and the verdict.
import type { ReachabilityStep } from '../intent/reachability.ts';
import type { ParsedAddress } from './prefix-map.ts';

export type ObjectType = NonNullable<ReachabilityStep['object']>['type'];

/** An object of the network, or a part of a node. */
export interface ObjectRef {
  readonly type: ObjectType;
  readonly id: string;
}

/** The name of an object, for people. */
export type NameOf = (object: ObjectRef) => string;

export interface TraceStep {
  readonly step: ReachabilityStep['step'];
  /** The node at which it happens; null: at none. */
  readonly peerId: string | null;
  readonly object: ObjectRef | null;
  readonly detail: string;
}

export type Verdict = 'allowed' | 'denied' | 'no_route';

export interface Answer {
  readonly verdict: Verdict;
  /** Rules and routes allow it, and a node of its path is unreachable now. */
  readonly isUnreachable: boolean;
  readonly because: readonly TraceStep[];
}

export interface Packet {
  readonly source: ParsedAddress;
  readonly destination: ParsedAddress;
  readonly protocol: 'tcp' | 'udp' | 'icmp6';
  /** null: it has none, or any. */
  readonly port: number | null;
}

/** Collects steps. Their texts are made only when they are wanted. */
export class Trace {
  readonly #steps: TraceStep[] = [];
  readonly #nameOf: NameOf | null;

  /** null: only the verdict is wanted. */
  constructor(nameOf: NameOf | null) {
    this.#nameOf = nameOf;
  }

  add(step: Omit<TraceStep, 'detail'>, detail: (nameOf: NameOf) => string): void {
    if (this.#nameOf !== null) this.#steps.push({ ...step, detail: detail(this.#nameOf) });
  }

  end(verdict: Verdict, isUnreachable = false): Answer {
    return { verdict, isUnreachable, because: this.#steps };
  }
}
