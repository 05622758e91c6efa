// What nodes say of themselves in hello, and the keys they publish: gathered, written, and passed on to whoever
// decides what follows from where a node is. The statements: arrival-rows.ts.
import type { AccountId } from '@powernode/core/ids';
import { publicKey } from '@powernode/core/intent/common';
import { arrivalGatherMs } from '@powernode/core/limits/node-stream';
import { unusedKeysMax } from '@powernode/core/limits/trust';
import { canonicalAddress, formatAddress, parseAddress } from '@powernode/core/net/address';
import { canonicalPrefix } from '@powernode/core/net/prefix';
import { isPubliclyRoutable, refusedAsEndpoint } from '@powernode/core/net/special-addresses';
import type { UnderlayFact } from '@powernode/core/net/underlay';
import type { Hello } from '@powernode/core/wire/node-stream';
import type { Logger } from 'pino';
import { type EventBus, publishEvents } from '../../events/event-bus.ts';
import type { Store } from '../../store/open-store.ts';
import { inAccount } from '../../store/tenancy.ts';
import type { Clock } from '../../trust/clock.ts';
import type { NodeState } from '../nodes/node-state.ts';
import type { Facts, ObservedMachine, RoutingDaemon } from './arrival.ts';
import { type ArrivalRow, writeArrivals } from './arrival-rows.ts';
import { NodeBatch } from './node-batch.ts';

export interface ArrivalParts {
  readonly store: Pick<Store, 'db'>;
  readonly bus: EventBus;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called when a machine is elsewhere than before or in other surroundings, and for each once in this process. */
  readonly placed: (machine: ObservedMachine) => void;
}

interface Arrival {
  /** null: only more keys came, or another underlay. */
  readonly facts: Facts | null;
  /** What the machine has outside its overlays by now, when it said so after its hello. */
  readonly underlay: readonly UnderlayFact[] | null;
  readonly keys: readonly string[];
  /** Slices that a cluster on the machine has by now. */
  readonly podSlices: readonly string[] | null;
  /** Whether FRR can be used on it by now. */
  readonly routingDaemon: RoutingDaemon | null;
  /** `keys` is all that the node has: others that it had published cannot be given any more. */
  readonly keysAreAll: boolean;
}

const nothingNew: Arrival = {
  facts: null,
  underlay: null,
  keys: [],
  podSlices: null,
  routingDaemon: null,
  keysAreAll: false,
};

export class Arrivals {
  readonly #parts: ArrivalParts;
  readonly #batch: NodeBatch;
  readonly #waiting = new Map<NodeState, Arrival>();

  constructor(parts: ArrivalParts) {
    this.#parts = parts;
    this.#batch = new NodeBatch({
      clock: parts.clock,
      log: parts.log,
      what: 'what instances report of themselves',
      delayMs: arrivalGatherMs,
      write: (accountId, nodes) => this.#write(accountId, nodes),
    });
  }

  arrived(node: NodeState, hello: Hello, remoteAddress: string): void {
    const keys = hello.unused_keys.filter(isPublicKey);
    this.#add(node, { ...nothingNew, facts: factsOf(hello, remoteAddress), keys, keysAreAll: true });
  }

  keys(node: NodeState, publicKeys: readonly string[]): void {
    this.#add(node, { ...nothingNew, keys: publicKeys.filter(isPublicKey) });
  }

  underlay(node: NodeState, facts: readonly UnderlayFact[]): void {
    this.#add(node, { ...nothingNew, underlay: canonicalFacts(facts) });
  }

  podSlices(node: NodeState, slices: readonly string[]): void {
    const canonical = slices.flatMap((text) => canonicalPrefix(text) ?? []);
    this.#add(node, { ...nothingNew, podSlices: [...new Set(canonical)] });
  }

  routingDaemon(node: NodeState, { missing }: RoutingDaemon): void {
    // One line of text, whatever a node says.
    const detail = missing === null ? null : missing.replaceAll(/\p{Cc}+/gu, ' ');
    this.#add(node, { ...nothingNew, routingDaemon: { missing: detail } });
  }

  flush(): Promise<void> {
    return this.#batch.flush();
  }

  #add(node: NodeState, arrival: Arrival): void {
    this.#waiting.set(node, merged(this.#waiting.get(node), arrival));
    this.#batch.add(node);
  }

  async #write(accountId: AccountId, nodes: readonly NodeState[]): Promise<void> {
    const drained = new Map<NodeState, Arrival>();
    for (const node of nodes) {
      const arrival = this.#waiting.get(node);
      if (arrival !== undefined) drained.set(node, arrival);
      this.#waiting.delete(node);
    }
    const rows = Array.from(drained, ([node, arrival]): ArrivalRow => ({ node, ...arrival }));
    try {
      const { store, clock, bus } = this.#parts;
      const { moved, surrounded, events, retired } = await inAccount(store, accountId, (trx) =>
        writeArrivals(trx, { accountId, rows, clock }),
      );
      publishEvents(bus, events);
      for (const machine of surrounded) this.#parts.placed({ accountId, ...machine });
      for (const { node, facts } of rows) {
        if (facts !== null) this.#place(node, facts, moved);
        const keys = retired.get(node.instanceId);
        if (keys !== undefined) node.stream?.retireKeys(keys);
      }
    } catch (error) {
      for (const [node, arrival] of drained) {
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
  const underlay = later.underlay ?? earlier.underlay;
  const podSlices = later.podSlices ?? earlier.podSlices;
  const routingDaemon = later.routingDaemon ?? earlier.routingDaemon;
  return { facts: earlier.facts, keys, keysAreAll: earlier.keysAreAll, underlay, podSlices, routingDaemon };
}

/** Canonical; addresses that name no machine to others say nothing of where it is. */
function ownAddress(text: string): string[] {
  const address = parseAddress(text);
  return address === null || refusedAsEndpoint(address) !== null ? [] : [formatAddress(address)];
}

function isPublicKey(text: string): boolean {
  return publicKey.safeParse(text).success;
}

export function factsOf(
  hello: Pick<Hello, 'agent_version' | 'addresses' | 'underlay' | 'families'>,
  remoteAddress: string,
): Facts {
  const observed = parseAddress(remoteAddress);
  const observedAddress = canonicalAddress(remoteAddress);
  const addresses = [...new Set(hello.addresses.flatMap(ownAddress))];
  return {
    agentVersion: hello.agent_version,
    observedAddress,
    addresses,
    underlay: canonicalFacts(hello.underlay),
    families: ([4, 6] as const).filter((family) => hello.families?.includes(family)),
    publiclyReachable:
      observed !== null &&
      observedAddress !== null &&
      isPubliclyRoutable(observed) &&
      addresses.includes(observedAddress),
  };
}

/** Each once, in canonical text; what cannot be read is left out. */
export function canonicalFacts(facts: readonly UnderlayFact[]): UnderlayFact[] {
  const found = new Map<string, UnderlayFact>();
  for (const fact of facts) {
    const at = canonicalPrefix(fact.at);
    if (at !== null) found.set(`${fact.kind} ${at}`, { ...fact, at });
  }
  return [...found.values()];
}
