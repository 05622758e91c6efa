// What an explanation is made of: steps, each naming the object that decides, and the verdict that they lead to.
import type { ReachabilityStep } from '../intent/reachability.ts';
import type { Spot } from './prefix-map.ts';

export type ObjectType = NonNullable<ReachabilityStep['object']>['type'];

/** An object of the network, or a part of a node. */
export interface Named {
  readonly type: ObjectType;
  readonly id: string;
}

/** The name of an object, for people. */
export type NameOf = (object: Named) => string;

export interface Step {
  readonly step: ReachabilityStep['step'];
  /** The node where it happens; null: at none. */
  readonly peerId: string | null;
  readonly object: Named | null;
  readonly detail: string;
}

export type Verdict = 'allowed' | 'denied' | 'no_route';

export interface Answer {
  readonly verdict: Verdict;
  /** Rules and routes let it through, and a machine on its way is not reached now. */
  readonly isUnreachable: boolean;
  readonly because: readonly Step[];
}

export interface Packet {
  readonly source: Spot;
  readonly destination: Spot;
  readonly protocol: 'tcp' | 'udp' | 'icmp6';
  /** null: it has none, or any. */
  readonly port: number | null;
}

/** Gathers steps. Sentences are made only where somebody will read them. */
export class Trail {
  readonly #steps: Step[] = [];
  readonly #nameOf: NameOf | null;

  /** null: only the verdict is wanted. */
  constructor(nameOf: NameOf | null) {
    this.#nameOf = nameOf;
  }

  add(step: Omit<Step, 'detail'>, detail: (nameOf: NameOf) => string): void {
    if (this.#nameOf !== null) this.#steps.push({ ...step, detail: detail(this.#nameOf) });
  }

  end(verdict: Verdict, isUnreachable = false): Answer {
    return { verdict, isUnreachable, because: this.#steps };
  }
}
