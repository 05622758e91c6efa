// What nodes say of themselves in hello, and the keys they publish: gathered, written, and told on to whoever
// decides what follows from where a node is. The statements: arrival-rows.ts.
import { publicKey } from '@powernode/core/intent/common';
import { arrivalGatherMs, unusedKeysMax } from '@powernode/core/limits';
import { canonicalAddress, parseAddress } from '@powernode/core/net/address';
import { isPubliclyRoutable } from '@powernode/core/net/prefix';
import type { Hello } from '@powernode/core/wire/node-stream';
import type { Logger } from 'pino';
import { type EventBus, publishEvents } from '../../events/event-bus.ts';
import type { Store } from '../../store/open-store.ts';
import { inAccount } from '../../store/tenancy.ts';
import type { Clock } from '../../trust/clock.ts';
import type { NodeState } from '../nodes/node-state.ts';
import { type ArrivalRow, writeArrivals } from './arrival-rows.ts';
import { NodeBatch } from './node-batch.ts';

/** Where a machine is, as its stream and its own words show. */
export interface ObservedMachine {
  readonly accountId: string;
  readonly instanceId: string;
  readonly observedAddress: string | null;
  /** Its observed address is its own and is routable. */
  readonly publiclyReachable: boolean;
}

export interface ArrivalParts {
  readonly store: Pick<Store, 'db'>;
  readonly bus: EventBus;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called when a machine is elsewhere than before, and for each machine once in this process. */
  readonly placed: (machine: ObservedMachine) => void;
}

export interface Facts {
  readonly agentVersion: string;
  readonly observedAddress: string | null;
  readonly addresses: readonly string[];
  readonly publiclyReachable: boolean;
}

interface Arrival {
  /** null: only more keys came. */
  readonly facts: Facts | null;
  readonly keys: readonly string[];
  /** `keys` is all that the node has: others that it had published cannot be given any more. */
  readonly keysAreAll: boolean;
}

export class Arrivals {
  readonly #parts: ArrivalParts;
  readonly #batch: NodeBatch;
  readonly #waiting = new Map<NodeState, Arrival>();

  constructor(parts: ArrivalParts) {
    this.#parts = parts;
    this.#batch = new NodeBatch({
      clock: parts.clock,
      log: parts.log,
      what: 'what nodes say of themselves',
      delayMs: arrivalGatherMs,
      write: (accountId, nodes) => this.#write(accountId, nodes),
    });
  }

  arrived(node: NodeState, hello: Hello, remoteAddress: string): void {
    const keys = hello.unused_keys.filter(isPublicKey);
    this.#add(node, { facts: factsOf(hello, remoteAddress), keys, keysAreAll: true });
  }

  keys(node: NodeState, publicKeys: readonly string[]): void {
    this.#add(node, { facts: null, keys: publicKeys.filter(isPublicKey), keysAreAll: false });
  }

  flush(): Promise<void> {
    return this.#batch.flush();
  }

  #add(node: NodeState, arrival: Arrival): void {
    this.#waiting.set(node, merged(this.#waiting.get(node), arrival));
    this.#batch.add(node);
  }

  async #write(accountId: string, nodes: readonly NodeState[]): Promise<void> {
    const taken = new Map<NodeState, Arrival>();
    for (const node of nodes) {
      const arrival = this.#waiting.get(node);
      if (arrival !== undefined) taken.set(node, arrival);
      this.#waiting.delete(node);
    }
    const rows = Array.from(taken, ([node, arrival]): ArrivalRow => ({ node, ...arrival }));
    try {
      const { store, clock, bus } = this.#parts;
      const { moved, events, spent } = await inAccount(store, accountId, (trx) =>
        writeArrivals(trx, { accountId, rows, clock }),
      );
      publishEvents(bus, events);
      for (const { node, facts } of rows) {
        if (facts !== null) this.#place(node, facts, moved);
        const keys = spent.get(node.instanceId);
        if (keys !== undefined) node.stream?.spent(keys);
      }
    } catch (error) {
      for (const [node, arrival] of taken) {
        const later = this.#waiting.get(node);
        this.#waiting.set(node, later === undefined ? arrival : merged(arrival, later));
      }
      throw error;
    }
  }

  #place(node: NodeState, facts: Facts, moved: ReadonlySet<string>): void {
    if (node.placed && !moved.has(node.instanceId)) return;
    node.placed = true;
    this.#parts.placed({
      accountId: node.accountId,
      instanceId: node.instanceId,
      observedAddress: facts.observedAddress,
      publiclyReachable: facts.publiclyReachable,
    });
  }
}

function merged(earlier: Arrival | undefined, later: Arrival): Arrival {
  if (earlier === undefined || later.keysAreAll) return later;
  const keys = [...new Set([...earlier.keys, ...later.keys])].slice(-unusedKeysMax);
  return { facts: earlier.facts, keys, keysAreAll: earlier.keysAreAll };
}

function isPublicKey(text: string): boolean {
  return publicKey.safeParse(text).success;
}

export function factsOf(hello: Pick<Hello, 'agent_version' | 'addresses'>, remoteAddress: string): Facts {
  const observed = parseAddress(remoteAddress);
  const observedAddress = canonicalAddress(remoteAddress);
  const addresses = [...new Set(hello.addresses.flatMap((text) => canonicalAddress(text) ?? []))];
  return {
    agentVersion: hello.agent_version,
    observedAddress,
    addresses,
    publiclyReachable:
      observed !== null &&
      observedAddress !== null &&
      isPubliclyRoutable(observed) &&
      addresses.includes(observedAddress),
  };
}
