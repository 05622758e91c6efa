// A network on real hosts: its models, the documents that core compiles of them, and agents that apply these. A change
// is one to the models; only what differs is sent, as the platform does.

import type { Item, NetworkModel, PeerModel } from '@powernode/core/compile/model';
import { NetworkIndex } from '@powernode/core/compile/network-index';
import { type CompiledEntry, diffEntries, isEmptyPatch } from '@powernode/core/compile/patch';
import { uuid } from '@powernode/core/explain/random-network.fixture';
import type { Fleet } from '../../../packages/agent/fixtures/agents.ts';
import { within } from './within.ts';

const applyMs = 120_000;

export interface Shape {
  readonly handle: string;
  readonly prefix: string;
  readonly ipv4Prefix: string | null;
  readonly topologyStrategy: NetworkModel['topologyStrategy'];
  readonly hubs: readonly string[];
  readonly spokes: readonly string[];
  /** Spokes that others may call. */
  readonly open: readonly string[];
}

export class KernelNetwork {
  readonly index: NetworkIndex;
  readonly shape: Shape;
  readonly #fleet: Fleet;
  readonly #given = new Map<string, readonly CompiledEntry[]>();
  readonly #revisions: Map<string, number>;
  readonly #number: number;

  /**
   * `revisions` are those of the hosts' documents, which live longer than a network. `number` is that of the network
   * among those that the same hosts are given.
   */
  constructor(
    fleet: Fleet,
    shape: Shape,
    past: { readonly revisions: Map<string, number>; readonly number: number },
  ) {
    this.#fleet = fleet;
    this.shape = shape;
    this.#revisions = past.revisions;
    this.#number = past.number;
    const network: NetworkModel = {
      id: uuid(1, fleet.platform.said.length),
      accountId: uuid(0, 1),
      handle: shape.handle,
      prefix: shape.prefix,
      ipv4Prefix: shape.ipv4Prefix,
      mtu: 1420,
      topologyStrategy: shape.topologyStrategy,
      firewallDefaultPolicy: 'accept',
      rematchConnections: true,
    };
    const names = [...shape.hubs, ...shape.spokes];
    this.index = new NetworkIndex(
      network,
      names.map((name, i) => this.#peer(network, name, i + 1)),
    );
  }

  get names(): readonly string[] {
    return [...this.shape.hubs, ...this.shape.spokes];
  }

  peerOf(name: string): PeerModel {
    const peer = this.index.peer(uuid(2, this.names.indexOf(name) + 1));
    if (peer === undefined) throw new Error(`no peer on ${name}`);
    return peer;
  }

  nameOf(peerId: string): string {
    return this.names[Number.parseInt(peerId.slice(-8), 16) - 1] ?? '';
  }

  /** The n-th addresses of the network, IPv6 first. */
  addresses(n: number): string[] {
    const { prefix, ipv4Prefix } = this.shape;
    const ipv6 = prefix.replace('/64', (0x100 + n).toString(16));
    return ipv4Prefix === null ? [ipv6] : [ipv6, ipv4Prefix.replace(/0\/\d+$/, String(n))];
  }

  setItem(item: Item): void {
    const before = this.index.item(item.id);
    this.index.changeItem(before === undefined ? { before: null, after: item } : { before, after: item });
  }

  removeItem(item: Item): void {
    this.index.changeItem({ before: item, after: null });
  }

  setPolicy(firewallDefaultPolicy: NetworkModel['firewallDefaultPolicy']): void {
    this.index.changeNetwork({ ...this.index.network, firewallDefaultPolicy });
  }

  setRematch(rematchConnections: boolean): void {
    this.index.changeNetwork({ ...this.index.network, rematchConnections });
  }

  setTags(name: string, tags: readonly string[]): void {
    const before = this.peerOf(name);
    this.index.change({ before, after: { ...before, tags: [...tags].sort() } });
  }

  /** Sends what differs, and waits until every machine was read back to be so. */
  async apply(): Promise<void> {
    await this.#give((name) => this.index.compile(this.peerOf(name).instanceId));
  }

  /** Takes everything away. */
  async remove(): Promise<void> {
    await this.#give(() => []);
  }

  async #give(entriesOf: (name: string) => readonly CompiledEntry[]): Promise<void> {
    const { platform } = this.#fleet;
    const from = platform.said.length;
    const given: [name: string, revision: number][] = [];
    for (const name of this.names) {
      const entries = entriesOf(name);
      const patch = diffEntries(this.#given.get(name) ?? [], entries);
      this.#given.set(name, entries);
      if (isEmptyPatch(patch)) continue;
      const revision = (this.#revisions.get(name) ?? 0) + 1;
      this.#revisions.set(name, revision);
      const set = Array.from(patch.set.values(), ({ value }) => value);
      await within(applyMs, platform.put(name, set, [...patch.remove]), () => `${name} was not given`);
      given.push([name, revision]);
    }
    await Promise.all(
      given.map(([name, revision]) =>
        within(
          applyMs,
          platform.applied(name, revision, from),
          () => `${name} is not at revision ${revision}\n${this.#wordsOf(name, from)}`,
        ),
      ),
    );
  }

  /** What an agent has told and logged in the end. */
  #wordsOf(name: string, from: number): string {
    const { platform, logs } = this.#fleet;
    const told = platform.said.slice(from).filter(({ hostname }) => hostname === name);
    const log = (logs.get(name) ?? '').trimEnd().split('\n');
    return [...told.slice(-5).map(({ message }) => JSON.stringify(message)), ...log.slice(-10)].join('\n');
  }

  #peer(network: NetworkModel, name: string, n: number): PeerModel {
    const [hostAddress = '', ipv4Address = null] = this.addresses(n);
    const isHub = this.shape.hubs.includes(name);
    // Keys of its own, as from the platform: agents delete those that were left out for a while.
    const keys = this.#fleet.member(name).keys.slice(2 * this.#number);
    const isMet = isHub || this.shape.open.includes(name);
    return {
      id: uuid(2, n),
      networkId: network.id,
      instanceId: uuid(3, n),
      hostAddress,
      ipv4Address,
      publicKey: keys[0] ?? '',
      directKey: isHub ? null : (keys[1] ?? null),
      directEndpoint: null,
      hubSlot: isHub ? this.shape.hubs.indexOf(name) + 1 : null,
      endpoint: isMet ? `${underlayOf(this.#fleet, name).ipv4}:51820` : null,
      listenPort: 51820,
      tags: [],
      draining: false,
    };
  }
}

/** Where a host is on the switch. */
export function underlayOf(fleet: Fleet, name: string): { readonly ipv6: string; readonly ipv4: string } {
  const number = fleet.stage.hosts.findIndex((host) => host.name === name) + 1;
  return { ipv6: `2001:db8:200::${number}`, ipv4: `198.18.200.${number}` };
}
