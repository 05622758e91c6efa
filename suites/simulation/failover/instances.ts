// The instances of the simulation: candidates and hubs with the agent's own leases, watches and document, and around
// them what a machine is beside that: a line to one process of the platform, a disk, and a kernel that goes on when the
// agent ends.
import type { HolderHealth } from '@powernode/core/intent/virtual-ip';
import { probeIntervalMs } from '@powernode/core/limits/probe';
import { probeAddressVia } from '@powernode/core/net/probe-address';
import { newestCapability } from '@powernode/core/wire/capability';
import { type EntryValue, isKnownEntry } from '@powernode/core/wire/document';
import { NodeDocument } from '@powernode/core/wire/node-document';
import type { Hello, NodeMessage, PlatformMessage } from '@powernode/core/wire/node-stream';
import { PathIndex } from '../../../packages/agent/plan/path-index.ts';
import { proberConfigOf } from '../../../packages/agent/plan/prober-config.ts';
import { nothingToProbe, type ProberConfig } from '../../../packages/agent/probe/config.ts';
import { Leases } from '../../../packages/agent/probe/leases.ts';
import { type WatchChange, Watches } from '../../../packages/agent/probe/watches.ts';
import type { Held } from '../../../packages/platform/deliver/nodes/node-state.ts';
import { DocumentHolding } from '../../../packages/platform/deliver/simulated-node.ts';
import { candidatePeer, hubPeer, idOf, virtualIpId } from './database.ts';
import { Line, Member, type World } from './world.ts';

/** Streams are given up sooner than in production, so that more happens. */
export const lineDeadMs = 2_500;
const pingMs = 700;
/** The prober looks for peers that fell silent so often. */
const watchUpdateMs = 40;

/** What is on a line: frames of the protocol, and the pings of WebSocket. */
export type Frame =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'ping'; readonly word: string }
  | { readonly kind: 'pong'; readonly word: string };

/** What instances need of a process of the platform. */
export interface NodeListener extends Member {
  readonly isListening: boolean;
  accept(instanceId: string, line: Line): void;
}

abstract class Instance extends Member {
  line: Line | null = null;
  protected config: ProberConfig = nothingToProbe;
  /** On disk. */
  readonly #document = new DocumentHolding();
  #held: Held | null = null;
  /** What the kernel was read back to equal, since this agent runs. */
  #applied: Held | null = null;
  #pings = 0;
  readonly #asked = new Map<string, () => void>();
  readonly #listeners: () => readonly NodeListener[];
  readonly instanceId: string;

  constructor(
    world: World,
    of: { readonly name: string; readonly id: string },
    listeners: () => readonly NodeListener[],
  ) {
    super(world, of.name);
    this.instanceId = of.id;
    this.#listeners = listeners;
  }

  begin(): void {
    this.alive = true;
    this.#applied = null;
    this.#connect();
    this.#beat();
    this.after(1 + this.world.random() * 30, () => this.#apply());
  }

  override end(): void {
    super.end();
    this.line?.close(0);
    this.line = null;
  }

  protected say(message: NodeMessage): void {
    this.#send({ kind: 'text', text: JSON.stringify(message) });
  }

  /** Calls when the process is known to have read all that was said before. */
  protected whenRead(run: () => void): void {
    const word = `${++this.#pings}`;
    this.#asked.set(word, run);
    this.#send({ kind: 'ping', word });
  }

  protected get entries(): ReadonlyMap<string, EntryValue> {
    return this.#document.entries;
  }

  protected abstract greeted(): void;
  protected abstract configured(): void;
  protected abstract received(message: PlatformMessage): void;

  #send(frame: Frame): void {
    this.line?.send(0, frame);
  }

  #beat(): void {
    this.after(pingMs, () => {
      this.whenRead(() => undefined);
      if (this.line !== null && this.world.now - this.line.heard[0] > lineDeadMs) this.line.close(0);
      this.#beat();
    });
  }

  #connect(): void {
    const listener = this.world.one(this.#listeners());
    if (!listener.alive || !listener.isListening || this.world.isCut(this.name, listener.name)) {
      this.after(100 + this.world.random() * 200, () => this.#connect());
      return;
    }
    const line = new Line(this.world, this, listener);
    line.onClose[0] = () => {
      if (this.line === line) this.line = null;
      if (this.alive) this.after(20 + this.world.random() * 200, () => this.#connect());
    };
    line.onFrame[0] = (frame) => this.#read(frame as Frame);
    this.line = line;
    this.#asked.clear();
    listener.accept(this.instanceId, line);
    const hello: Hello = {
      kind: 'hello',
      capability: newestCapability,
      run: idOf(0x1000 + this.life),
      agent_version: 'simulated',
      hostname: this.name,
      held: this.#held,
      applied: this.#applied,
      addresses: [],
      underlay: [],
      unused_keys: [],
    };
    this.say(hello);
    this.greeted();
  }

  #read(frame: Frame): void {
    if (frame.kind === 'ping') return this.#send({ kind: 'pong', word: frame.word });
    if (frame.kind === 'pong') {
      const asked = this.#asked.get(frame.word);
      this.#asked.delete(frame.word);
      return asked?.();
    }
    const message = JSON.parse(frame.text) as PlatformMessage;
    if (message.kind === 'document') {
      this.#document.replace(message.entries.filter(isKnownEntry));
      this.#holds(message);
    } else if (message.kind === 'delta') {
      if (message.base !== this.#held?.revision) return this.say({ kind: 'resync' });
      this.#document.change({ set: message.set.filter(isKnownEntry), remove: message.remove });
      this.#holds(message);
    } else this.received(message);
  }

  #holds({ revision, hash }: Held): void {
    this.#held = { revision, hash };
    this.after(1 + this.world.random() * 30, () => this.#apply());
  }

  #apply(): void {
    const held = this.#held;
    if (held === null || (this.#applied?.revision === held.revision && this.#applied.hash === held.hash))
      return;
    const index = new PathIndex();
    index.update(NodeDocument.of(this.entries), 'all');
    this.config = proberConfigOf(index);
    this.configured();
    this.#applied = held;
    this.say({ kind: 'applied', ...held });
  }
}

export class Candidate extends Instance {
  /** Whether the service at the address answers on this machine. */
  serves = true;
  /** Its document has a health check. */
  #isAsked = false;
  /** What it said of the service last, on this stream; null: nothing. */
  #said: HolderHealth | null = null;
  #leases = new Leases();
  readonly #hubs: () => readonly Hub[];
  readonly #address: string;

  constructor(parts: {
    readonly world: World;
    readonly number: number;
    readonly listeners: () => readonly NodeListener[];
    readonly hubs: () => readonly Hub[];
  }) {
    const peer = candidatePeer(parts.number);
    super(parts.world, { name: `node${parts.number}`, id: peer.id }, parts.listeners);
    this.#address = peer.hostAddress;
    this.#hubs = parts.hubs;
  }

  override begin(): void {
    this.#leases = new Leases();
    super.begin();
    this.#turn();
  }

  protected greeted(): void {
    this.#said = null;
  }

  protected received(message: PlatformMessage): void {
    if (message.kind !== 'lease_ack') return;
    this.#leases.acknowledged(message, this.steadyMs);
    this.#write();
  }

  protected configured(): void {
    this.#leases.configure(this.config.leases, this.steadyMs);
    const entry = this.entries.get(`virtual_ip/${virtualIpId}`);
    this.#isAsked = this.entries.has(`health_check/${virtualIpId}`);
    const isHeldAlone = entry?.kind === 'virtual_ip' && entry.lease === null;
    if (isHeldAlone) this.world.mayAnswer(this.name, Number.POSITIVE_INFINITY);
    else if (entry === undefined || this.world.answers.get(this.name) === Number.POSITIVE_INFINITY) {
      this.world.mayAnswer(this.name, 0);
    }
    this.#write();
  }

  /** Probes the hubs of its document and renews its lease. */
  #turn(): void {
    const sentAtMs = this.steadyMs;
    for (const { target } of this.config.targets) this.#probe(target, sentAtMs);
    const renewal = this.#leases.renewal(sentAtMs);
    if (renewal !== null && this.line !== null) {
      this.say({ kind: 'lease_renew', sequence: renewal.sequence, leases: [...renewal.leases] });
    }
    this.#check();
    this.#write();
    this.after(probeIntervalMs, () => this.#turn());
  }

  #check(): void {
    const found: HolderHealth = this.serves ? 'healthy' : 'failing';
    const health = this.#isAsked ? found : null;
    if (health === this.#said || this.line === null) return;
    this.#said = health;
    const since = new Date(this.wallMs).toISOString();
    const last_error = health === 'failing' ? 'the connection was refused' : null;
    const nothing = { tunnels: [], subsystems: [], drift: [], routes: [], rules: [] };
    this.say({
      kind: 'observed',
      ...nothing,
      virtual_ip_health: [{ virtual_ip_id: virtualIpId, health, since, last_error }],
    });
  }

  #probe(target: string, sentAtMs: number): void {
    const hub = this.#hubs().find((one) => one.isAt(target));
    if (hub === undefined) return;
    this.world.datagram(this, hub, () => {
      const isWitness = hub.probed({ address: this.#address, answeredAt: target });
      if (isWitness === null) return;
      this.world.datagram(hub, this, () => {
        if (isWitness) this.#leases.witnessed(target, sentAtMs);
        this.#write();
      });
    });
  }

  /** What the kernel is to answer for; it counts in steps of its own. */
  #write(): void {
    for (const { timeoutMs } of this.#leases.toWrite(this.steadyMs)) {
      // An address without a lease is in no set of the kernel.
      if (this.world.answers.get(this.name) === Number.POSITIVE_INFINITY) continue;
      const until = this.world.now + timeoutMs / this.rate + 8 * this.world.random();
      this.world.mayAnswer(this.name, timeoutMs === 0 ? 0 : until);
    }
  }
}

export class Hub extends Instance {
  #watches = new Watches();
  /** The newest report on each peer. */
  readonly #reports = new Map<string, WatchChange>();
  #posted: WatchChange[] = [];
  readonly #addresses: ReadonlySet<string>;

  constructor(parts: {
    readonly world: World;
    readonly slot: number;
    readonly slots: number;
    readonly listeners: () => readonly NodeListener[];
  }) {
    const peer = hubPeer(parts.slot);
    super(parts.world, { name: `hub${parts.slot}`, id: peer.id }, parts.listeners);
    const slots = Array.from({ length: parts.slots }, (_, i) => i + 1);
    this.#addresses = new Set(slots.map((slot) => probeAddressVia(peer.hostAddress, slot)));
  }

  override begin(): void {
    this.#watches = new Watches();
    this.#reports.clear();
    this.#posted = [];
    super.begin();
    this.#updateWatches();
  }

  isAt(address: string): boolean {
    return this.#addresses.has(address);
  }

  /** Answers a probe: whether a lease may rest on the answer. null: it has no such address now. */
  probed(at: { readonly address: string; readonly answeredAt: string }): boolean | null {
    if (!this.config.answering.some(({ address }) => address === at.answeredAt)) return null;
    const { isWitness, change } = this.#watches.answering(at, this.steadyMs);
    if (change !== null) this.#report([change]);
    return isWitness;
  }

  protected greeted(): void {
    this.#send([...this.#reports.values()]);
  }

  protected received(): void {}

  protected configured(): void {
    this.#watches.configure(this.config.watches, this.steadyMs);
    const watched = new Set(this.config.watches.map(({ peerId }) => peerId));
    for (const peerId of this.#reports.keys()) if (!watched.has(peerId)) this.#reports.delete(peerId);
  }

  #updateWatches(): void {
    this.#report(this.#watches.update(this.steadyMs, 1));
    this.after(watchUpdateMs, () => this.#updateWatches());
  }

  /** The prober is a thread of its own; what it posts arrives in order. */
  #report(changes: readonly WatchChange[]): void {
    this.#posted.push(...changes);
    if (this.#posted.length === 0 || this.#posted.length > changes.length) return;
    this.after(this.world.random() * 3, () => {
      const posted = this.#posted.splice(0);
      for (const change of posted) this.#reports.set(change.peerId, change);
      this.#send(posted);
    });
  }

  #send(changes: readonly WatchChange[]): void {
    if (changes.length === 0 || this.line === null) return;
    this.say({ kind: 'paths', peers: changes.map(({ peerId, alive }) => ({ peer_id: peerId, alive })) });
    this.whenRead(() => this.#watches.confirm(changes));
  }
}
