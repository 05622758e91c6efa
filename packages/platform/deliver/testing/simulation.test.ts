// Delivery under a simulated clock and seeded chance: changes announced late, out of order or not at all, lines that
// stall and break, platforms that are killed, agents that are upgraded and set back. Whatever happens, every node ends
// with the newest document, as far as it knows its entries, and at no time does one hold a document that is not the one of
// the revision it names, or an entry that it does not know.
import { documentDigest, formatDigest } from '@powernode/core/compile/digest';
import { RandomFleet } from '@powernode/core/compile/random-fleet.fixture';
import { catchUpMs, changesReadMax } from '@powernode/core/limits/node-stream';
import { seededRandom } from '@powernode/core/testing/random';
import { earliestCapability, newestCapability } from '@powernode/core/wire/capability';
import { type EntryTable, type EntryValue, isKnownEntry } from '@powernode/core/wire/document';
import type { Hello, PlatformMessage } from '@powernode/core/wire/node-stream';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { SimulatedClock } from '../../trust/clock.fixture.ts';
import { DeliveryCounters } from '../counters.ts';
import type { NumberedChanges } from '../nodes/account-queue.ts';
import { Dispatcher } from '../nodes/dispatcher.ts';
import { replay } from '../nodes/replay.ts';
import { fillNodes } from '../nodes/start.ts';
import { DocumentHolding } from '../simulated-node.ts';
import type { Channel } from '../stream/channel.ts';
import { DocumentSendLimiter } from '../stream/document-send-limiter.ts';
import { ignoringSubscriber } from '../stream/node-stream-subscriber.ts';
import { Session } from '../stream/session.ts';
import { modelOf } from './fleet-model.fixture.ts';

const accountId = 'account';
const log = pino({ level: 'silent' });

/** Kinds that only the newest agents know, in a world where there are older ones: some that come and go all the time. */
const laterKinds: ReadonlySet<string> = new Set(['peer', 'rule', 'virtual_ip', 'forwarding']);
const splitTable: EntryTable = {
  needs: (kind) => (laterKinds.has(kind) ? newestCapability : earliestCapability),
  newest: newestCapability,
};

function isKnownTo(capability: number, table: EntryTable | undefined): (value: EntryValue) => boolean {
  return (value) => (table?.needs(value.kind) ?? 0) <= capability;
}

/** The platform's end of a line, and what is on it. */
class Line implements Channel {
  readonly #deliver: (frame: string) => void;
  readonly #world: World;
  #toNode: string[] = [];
  #drained: (() => void)[] = [];
  readonly fromNode: string[] = [];
  stalled = false;
  open = true;

  constructor(world: World, deliver: (frame: string) => void) {
    this.#world = world;
    this.#deliver = deliver;
  }

  get backlogBytes(): number {
    return this.stalled ? Number.MAX_SAFE_INTEGER : 0;
  }

  send(frame: string): void {
    this.#toNode.push(frame);
    this.#carry();
  }

  sendLong(pieces: Iterator<string, undefined>): void {
    let frame = '';
    for (let piece = pieces.next(); piece.done !== true; piece = pieces.next()) frame += piece.value;
    this.send(frame);
  }

  ping(): void {}
  close(): void {
    this.cut();
  }
  terminate(): void {
    this.cut();
  }

  whenDrained(run: () => void): void {
    this.#drained.push(run);
    this.#carry();
  }

  release(): void {
    this.stalled = false;
    this.#carry();
  }

  /** What is on it is lost. */
  cut(): void {
    this.open = false;
    this.#toNode = [];
  }

  #carry(): void {
    this.#world.clock.after(1 + this.#world.random() * 30, () => {
      if (!this.open || this.stalled) return;
      for (const frame of this.#toNode.splice(0)) this.#deliver(frame);
      for (const run of this.#drained.splice(0)) run();
    });
  }
}

class Node {
  readonly instanceId: string;
  readonly holding = new DocumentHolding();
  held: { revision: number; hash: string } | null = null;
  line: Line | null = null;
  session: Session | null = null;
  capability: number = newestCapability;
  readonly #world: World;

  constructor(world: World, instanceId: string) {
    this.#world = world;
    this.instanceId = instanceId;
  }

  connect(): void {
    const { platform, clock, counters } = this.#world;
    const state = platform.nodes.get(this.instanceId);
    if (state === undefined) return;
    this.disconnect();
    const line = new Line(this.#world, (frame) => {
      if (this.line === line) this.#received(JSON.parse(frame) as PlatformMessage);
    });
    const session = new Session({
      node: state,
      channel: line,
      remoteAddress: '192.0.2.1',
      dispatcher: platform,
      reports: this.#world.reports,
      subscriber: ignoringSubscriber,
      counters,
      sendLimiter: this.#world.sendLimiter,
      clock,
      log,
      platformVersion: 'simulated',
    });
    state.stream = session;
    this.line = line;
    this.session = session;
    const hello: Hello = {
      kind: 'hello',
      ...(this.capability < newestCapability
        ? { protocol: this.capability }
        : { capability: this.capability }),
      run: this.instanceId,
      agent_version: 'simulated',
      hostname: this.instanceId,
      held: this.held,
      applied: this.held,
      addresses: [],
      underlay: [],
      unused_keys: [],
    };
    this.#say(hello);
  }

  disconnect(): void {
    this.line?.cut();
    this.session?.closed();
    this.line = null;
    this.session = null;
  }

  /** In order, as a line carries it. */
  #say(frame: object): void {
    const { line, session } = this;
    line?.fromNode.push(JSON.stringify(frame));
    this.#world.clock.after(1 + this.#world.random() * 20, () => {
      const next = line?.fromNode.shift();
      if (this.line === line && line?.open === true && next !== undefined) session?.received(next);
    });
  }

  #received(message: PlatformMessage): void {
    if (message.kind !== 'current' && message.kind !== 'document' && message.kind !== 'delta') return;
    if (message.kind === 'current') {
      expect(message.hash).toBe(this.held?.hash);
      return;
    }
    if (message.kind === 'document') this.holding.replace(message.entries.filter(isKnownEntry));
    else if (message.base !== this.held?.revision) return this.#say({ kind: 'resync' });
    else this.holding.change({ ...message, set: message.set.filter(isKnownEntry) });
    expect(formatDigest(this.holding.digest)).toBe(message.hash);
    expect(message.hash).toBe(this.#world.hashAt(message.revision, this));
    const entries = message.kind === 'document' ? message.entries : message.set;
    const isKnown = isKnownTo(this.capability, this.#world.table);
    expect(entries.filter((entry) => !isKnownEntry(entry) || !isKnown(entry))).toEqual([]);
    this.held = { revision: message.revision, hash: message.hash };
    this.#say({ kind: 'applied', ...this.held });
  }
}

class World {
  readonly clock = new SimulatedClock();
  readonly counters = new DeliveryCounters();
  readonly random: () => number;
  readonly nodes: Node[];
  readonly applied = new Map<string, { revision: number; hash: string }>();
  /** As the database has them. */
  readonly capabilities = new Map<string, number>();
  readonly table: EntryTable | undefined;
  readonly reports = {
    arrived: (node: { instanceId: string; capability: number }) =>
      void this.capabilities.set(node.instanceId, node.capability),
    keys: () => undefined,
    failed: () => undefined,
    problems: () => undefined,
    observed: () => undefined,
    applied: (node: { instanceId: string; applied: { revision: number; hash: string } | null }) => {
      if (node.applied !== null) this.applied.set(node.instanceId, node.applied);
    },
  };
  sendLimiter = new DocumentSendLimiter(this.clock);
  platform: Dispatcher;
  readonly #fleet: RandomFleet;
  readonly #instanceIds: readonly string[];
  readonly #rows: NumberedChanges[] = [];
  /** For each revision the hash that each node should have, by the naive compiler; by capability. */
  readonly #hashes: Map<string, string>[] = [];

  constructor(seed: number, nodes: number, table?: EntryTable) {
    this.random = seededRandom(seed);
    this.table = table;
    this.#instanceIds = Array.from({ length: nodes }, (_, i) => `instance-${i}`);
    this.#fleet = new RandomFleet({ accountId, instanceIds: this.#instanceIds, random: this.random });
    this.#remember();
    this.platform = this.#start();
    this.nodes = this.#instanceIds.map((id) => new Node(this, id));
  }

  hashAt(revision: number, { instanceId, capability }: Node): string | undefined {
    return this.#hashes[revision]?.get(`${instanceId} ${capability}`);
  }

  /** One transaction with one or more changes; announced to delivery late, out of order, or not at all. */
  commit(): void {
    const changes = Array.from({ length: 1 + Math.floor(this.random() * 3) }, () => this.#fleet.change());
    const sequence = this.#rows.length + 1;
    this.#rows.push({ sequence, changes: JSON.parse(JSON.stringify(changes)) });
    this.#remember();
    const { platform } = this;
    const dice = this.random();
    if (dice > 0.9) return;
    this.clock.after(this.random() * 60, () => {
      platform.changed(accountId, sequence, dice < 0.7 ? changes : undefined);
    });
  }

  /** Everything in memory is lost; the database is not. */
  restart(): void {
    for (const node of this.nodes) node.disconnect();
    this.platform.close();
    this.sendLimiter = new DocumentSendLimiter(this.clock);
    this.platform = this.#start();
  }

  /** Time for all that is under way, without new trouble. */
  async heal(): Promise<void> {
    for (const node of this.nodes) {
      node.line?.release();
      if (node.line?.open !== true) node.connect();
    }
    for (let i = 0; i < 4; i++) {
      void this.platform.catchUp();
      await this.clock.advance(catchUpMs);
    }
  }

  check(): void {
    for (const node of this.nodes) {
      const { capability } = node;
      const expected = knownTo(this.#fleet.expected(node.instanceId), { capability, table: this.table });
      expect(node.holding.entries).toEqual(expected);
      expect(node.held?.hash).toBe(hashOf(expected));
      const state = this.platform.nodes.get(node.instanceId);
      expect(formatDigest(state?.digest ?? -1n)).toBe(node.held?.hash);
      expect(state?.applied?.hash).toBe(node.held?.hash);
      expect(state?.desiredRevision).toBe(node.held?.revision);
    }
  }

  #remember(): void {
    const capabilities =
      this.table === undefined ? [newestCapability] : [earliestCapability, newestCapability];
    const hashes = this.#instanceIds.flatMap((id) => {
      const whole = this.#fleet.expected(id);
      return capabilities.map((capability): [string, string] => [
        `${id} ${capability}`,
        hashOf(knownTo(whole, { capability, table: this.table })),
      ]);
    });
    this.#hashes.push(new Map(hashes));
  }

  #start(): Dispatcher {
    const { fleet, impacts } = replay(modelOf(this.#fleet), this.#rows.slice(-20));
    const dispatcher = new Dispatcher({
      fleet,
      source: {
        read: (_, after) => this.#later(() => this.#rows.slice(after, after + changesReadMax)),
        sequences: () => this.#later(() => [{ accountId, sequence: this.#rows.length }]),
      },
      clock: this.clock,
      soon: (run) => this.clock.after(this.random() * 5, run),
      counters: this.counters,
      log,
      subscribers: [],
      ...(this.table === undefined ? {} : { table: this.table }),
    });
    dispatcher.load(accountId, this.#rows.length);
    fillNodes(dispatcher.nodes, {
      fleet,
      table: dispatcher.table,
      impacts,
      loaded: {
        sequences: new Map([[accountId, this.#rows.length]]),
        instances: this.#instanceIds.map((id) => ({
          id,
          account_id: accountId,
          hostname: id,
          capability: this.capabilities.get(id) ?? null,
          applied_revision: this.applied.get(id)?.revision ?? null,
          applied_hash: this.applied.get(id)?.hash ?? null,
          last_heartbeat_at: null,
          offline_since: null,
          subsystems: [],
          terminated_at: null,
        })),
      },
    });
    return dispatcher;
  }

  #later<T>(read: () => T): Promise<T> {
    return new Promise((resolve) => this.clock.after(this.random() * 20, () => resolve(read())));
  }
}

interface Knowing {
  readonly capability: number;
  readonly table: EntryTable | undefined;
}

/** The part of a document that a node of this capability is given. */
function knownTo(whole: Map<string, EntryValue>, { capability, table }: Knowing): Map<string, EntryValue> {
  if (table === undefined) return whole;
  return new Map([...whole].filter(([, value]) => isKnownTo(capability, table)(value)));
}

function hashOf(entries: ReadonlyMap<string, EntryValue>): string {
  return formatDigest(documentDigest(entries.values()));
}

async function trouble(world: World, steps: number): Promise<void> {
  for (let i = 0; i < steps; i++) {
    const dice = world.random();
    const node = world.nodes[Math.floor(world.random() * world.nodes.length)];
    if (dice < 0.55) world.commit();
    else if (dice < 0.65) node?.disconnect();
    else if (dice < 0.8) node?.connect();
    else if (dice < 0.86 && node?.line != null) node.line.stalled = true;
    else if (dice < 0.94) node?.line?.release();
    else if (dice < 0.97) void world.platform.catchUp();
    else if (dice < 0.985) world.restart();
    await world.clock.advance(world.random() * 40);
  }
}

describe('every node ends with the newest document', () => {
  const seeds = Array.from({ length: 60 }, (_, i) => i + 1);

  test.each(seeds)('whatever happens on the way (seed %i)', async (seed) => {
    const world = new World(seed, 6);
    for (const node of world.nodes) node.connect();
    await trouble(world, 120);
    await world.heal();
    world.check();
  });

  test.each(seeds.slice(0, 15))(
    'of which it is given what it knows, also when it is another agent by then (seed %i)',
    async (seed) => {
      const world = new World(seed, 6, splitTable);
      const change = () => {
        for (const node of world.nodes) {
          if (world.random() < 0.3) continue;
          node.disconnect();
          node.capability = world.random() < 0.5 ? earliestCapability : newestCapability;
          node.connect();
        }
      };
      for (let i = 0; i < 6; i++) {
        change();
        await trouble(world, 30);
      }
      await world.heal();
      world.check();
      expect(world.counters.resyncs).toBe(0);
      // An agent that is in sync stays so: whoever comes again is sent nothing.
      const { documentsSent, deltasSent } = world.counters;
      for (const node of world.nodes) node.connect();
      await world.heal();
      expect(world.counters).toMatchObject({ documentsSent, deltasSent });
    },
  );

  test('mostly by deltas: what was missed, and not everything', async () => {
    const world = new World(7, 6);
    for (const node of world.nodes) node.connect();
    await trouble(world, 400);
    await world.heal();
    world.check();
    const { documentsSent, deltasSent, currentsSent, resyncs } = world.counters;
    expect(deltasSent).toBeGreaterThan(3 * documentsSent);
    expect(currentsSent).toBeGreaterThan(0);
    expect(resyncs).toBe(0);
  });
});
