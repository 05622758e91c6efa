// Operators at work: several changes at once over all hosts, chosen by chance among those that the acknowledged
// state allows. Some collide on purpose (the same object, an old revision); the platform then has to refuse.
import { setTimeout as pause } from 'node:timers/promises';
import { sdwanActions } from '@powernode/core/actions/sdwan';
import type { Network } from '@powernode/core/intent/network';
import type { Peer } from '@powernode/core/intent/peer';
import type { Chance } from '../../stage/random.ts';
import type { Ledger } from './ledger.ts';
import type { Operator } from './operator.ts';

/** A host that can be attached. `address`: where it can be called; null: behind a NAT. */
export interface Machine {
  readonly instanceId: string;
  readonly address: string | null;
}

export interface WorkloadParts {
  readonly operator: Operator;
  readonly ledger: Ledger;
  readonly machines: readonly Machine[];
  /** A network, a hub and a spoke in it that stay, so that the end has something to reach. */
  readonly kept: { readonly networkId: string; readonly hubId: string; readonly spokeId: string };
}

/** Each network costs its hosts some processes of wireguard-go. */
const networksMax = 4;
const thinkMs = 300;
const weights = {
  createNetwork: 4,
  updateNetwork: 10,
  deleteNetwork: 2,
  attach: 20,
  detach: 8,
  rotate: 14,
  setTags: 10,
  update: 14,
} as const;
type Kind = keyof typeof weights;

export class Workload {
  readonly #parts: WorkloadParts;
  readonly #errors: unknown[] = [];
  #stopped = false;
  #working: Promise<void>[] = [];
  #names = 0;

  constructor(parts: WorkloadParts) {
    this.#parts = parts;
  }

  start(chances: readonly Chance[]): void {
    this.#working = chances.map((chance) =>
      this.#work(chance).catch((error: unknown) => {
        this.#errors.push(error);
      }),
    );
  }

  /** Returns when every change that was begun is acknowledged or refused. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#working);
    if (this.#errors.length > 0) throw new AggregateError(this.#errors, 'operators were told something odd');
  }

  async #work(chance: Chance): Promise<void> {
    while (!this.#stopped) {
      await this.#change(chance.weighted(weights), chance);
      await pause(chance.below(thinkMs));
    }
  }

  async #change(kind: Kind, chance: Chance): Promise<void> {
    const { ledger, kept } = this.#parts;
    const [network, peer] = [chance.oneOf(ledger.networks()), chance.oneOf(ledger.peers())];
    switch (kind) {
      case 'createNetwork':
        return this.#createNetwork(chance);
      case 'updateNetwork':
        return network === null ? undefined : this.#updateNetwork(network, chance);
      case 'deleteNetwork':
        return network === null || network.id === kept.networkId ? undefined : this.#deleteNetwork(network);
      case 'attach':
        return network === null ? undefined : this.#attach(network, chance);
      case 'detach':
        return peer === null || [kept.hubId, kept.spokeId].includes(peer.id) ? undefined : this.#detach(peer);
      case 'rotate':
        return peer === null ? undefined : this.#rotate(peer);
      case 'setTags':
        return peer === null ? undefined : this.#setTags(peer, chance);
      case 'update':
        return peer === null ? undefined : this.#update(peer, chance);
    }
  }

  async #createNetwork(chance: Chance): Promise<void> {
    const { operator, ledger } = this.#parts;
    if (ledger.networks().length >= networksMax) return;
    const outcome = await operator.change(sdwanActions.createNetwork, {
      name: `net ${++this.#names}`,
      topology_strategy: someStrategy(chance),
      mtu: someMtu(chance),
    });
    if (outcome.kind === 'acknowledged') ledger.wroteNetwork(outcome.answer.network);
  }

  async #updateNetwork(network: Network, chance: Chance): Promise<void> {
    const { operator, ledger } = this.#parts;
    const outcome = await operator.change(sdwanActions.updateNetwork, {
      network_id: network.id,
      description: `changed at ${network.revision}`,
      ...(chance.below(2) === 0 ? { mtu: someMtu(chance) } : {}),
      ...(chance.below(3) === 0 ? { topology_strategy: someStrategy(chance) } : {}),
      ...sometimes(chance, { if_revision: network.revision }),
    });
    if (outcome.kind === 'acknowledged') ledger.wroteNetwork(outcome.answer.network);
  }

  async #deleteNetwork(network: Network): Promise<void> {
    const { operator, ledger } = this.#parts;
    const parameters = { network_id: network.id, approve: true };
    const outcome = await operator.change(sdwanActions.deleteNetwork, parameters);
    if (outcome.kind === 'acknowledged') ledger.deletedNetwork(outcome.answer.network);
  }

  async #attach(network: Network, chance: Chance): Promise<void> {
    const { operator, ledger, machines } = this.#parts;
    const inside = new Set(
      ledger.peers().flatMap((peer) => (peer.network_id === network.id ? [peer.node_instance_id] : [])),
    );
    const machine = chance.oneOf(machines.filter(({ instanceId }) => !inside.has(instanceId)));
    if (machine === null) return;
    const outcome = await operator.change(sdwanActions.attachPeer, {
      network_id: network.id,
      node_instance_id: machine.instanceId,
      ...somePlace(machine, chance),
      ...sometimes(chance, { tags: someTags(chance) }),
    });
    if (outcome.kind === 'acknowledged') ledger.wrotePeer(outcome.answer.peer);
  }

  async #detach(peer: Peer): Promise<void> {
    const { operator, ledger } = this.#parts;
    const outcome = await operator.change(sdwanActions.detachPeer, { peer_id: peer.id, approve: true });
    if (outcome.kind === 'acknowledged') ledger.detachedPeer(outcome.answer.peer);
  }

  async #rotate(peer: Peer): Promise<void> {
    const { operator, ledger } = this.#parts;
    const outcome = await operator.change(sdwanActions.rotatePeerKey, { peer_id: peer.id });
    if (outcome.kind === 'acknowledged') ledger.wrotePeer(outcome.answer.peer);
  }

  async #setTags(peer: Peer, chance: Chance): Promise<void> {
    const { operator, ledger } = this.#parts;
    const outcome = await operator.change(sdwanActions.setPeerTags, {
      peer_id: peer.id,
      tags: someTags(chance),
      ...sometimes(chance, { if_revision: peer.revision }),
    });
    if (outcome.kind === 'acknowledged') ledger.wrotePeer(outcome.answer.peer);
  }

  async #update(peer: Peer, chance: Chance): Promise<void> {
    const { operator, ledger, machines, kept } = this.#parts;
    const machine = machines.find(({ instanceId }) => instanceId === peer.node_instance_id);
    if (machine === undefined) return;
    const { endpoint_address, ...reach } = somePlace(machine, chance);
    const outcome = await operator.change(sdwanActions.updatePeer, {
      peer_id: peer.id,
      ...(peer.id === kept.hubId ? {} : reach),
      ...(endpoint_address === undefined ? {} : { endpoint_address }),
      ...sometimes(chance, { if_revision: peer.revision }),
    });
    if (outcome.kind === 'acknowledged') ledger.wrotePeer(outcome.answer.peer);
  }
}

function sometimes<T extends object>(chance: Chance, parameters: T): T | Record<string, never> {
  return chance.below(2) === 0 ? parameters : {};
}

function someStrategy(chance: Chance): Network['topology_strategy'] {
  return chance.below(3) === 0 ? 'full_mesh' : 'hub_and_spoke';
}

function someMtu(chance: Chance): number {
  return 1280 + 20 * chance.below(8);
}

function someTags(chance: Chance): string[] {
  return ['red', 'green', 'blue', 'black'].filter(() => chance.below(2) === 0);
}

/** Ports of declared endpoints: below those that a kernel gives to whoever asks for any. */
const declaredPortFirst = 20_000;

/** Only what is true of the machine: one behind a NAT is never declared reachable. */
function somePlace(
  machine: Machine,
  chance: Chance,
): { publicly_reachable?: boolean | null; endpoint_address?: string | null } {
  const reachable = chance.oneOf(machine.address === null ? [false, null] : [true, true, false, null]);
  if (machine.address === null) return { publicly_reachable: reachable };
  const port = declaredPortFirst + chance.below(20);
  const endpoint = chance.oneOf([null, null, machine.address, `${machine.address}:${port}`]);
  return { publicly_reachable: reachable, ...sometimes(chance, { endpoint_address: endpoint }) };
}
