// Test support: the machines of the simulation. A candidate keeps the lease of the address as agents do (the kernel
// goes on when the agent dies); a hub answers probes, and says of whom it hears nothing.
import { addressLeaseMs, probeIntervalMs } from '../../limits.ts';
import type { LeaseTerms } from '../terms.ts';
import type { Document, Down, Up } from './frames.fixture.ts';
import { Line, Member, type World } from './world.fixture.ts';

/** Streams are given up sooner than in life, so that more happens. */
export const lineDeadMs = 2_500;
const beatMs = 700;

/** Whoever keeps a line to one of the platform's processes. */
abstract class Machine extends Member {
  line: Line | null = null;
  #tokens = 0;
  readonly #asked = new Map<number, () => void>();
  readonly #processes: () => readonly Process[];

  constructor(world: World, name: string, processes: () => readonly Process[]) {
    super(world, name);
    this.#processes = processes;
  }

  begin(): void {
    this.alive = true;
    this.#connect();
    this.#beat();
  }

  override end(): void {
    super.end();
    this.line?.close(0);
    this.line = null;
  }

  say(frame: Up): void {
    this.line?.send(0, frame);
  }

  /** Calls when the process is known to have read all that was said before. */
  protected whenRead(run: () => void): void {
    const token = ++this.#tokens;
    this.#asked.set(token, run);
    this.say({ kind: 'ask', token });
  }

  protected abstract greet(): void;
  protected abstract receive(frame: Down): void;

  #beat(): void {
    this.after(beatMs, () => {
      this.whenRead(() => undefined);
      if (this.line !== null && this.world.now - this.line.heard[0] > lineDeadMs) this.line.close(0);
      this.#beat();
    });
  }

  #connect(): void {
    const process = this.world.one(this.#processes());
    if (!process.alive || this.world.isCut(this.name, process.name)) {
      this.after(100 + this.world.random() * 200, () => this.#connect());
      return;
    }
    const line = new Line(this.world, this, process);
    line.onClose[0] = () => {
      if (this.line === line) this.line = null;
      if (this.alive) this.after(20 + this.world.random() * 200, () => this.#connect());
    };
    line.onFrame[0] = (frame) => this.#take(frame as Down);
    this.line = line;
    this.#asked.clear();
    process.accept(this.name, line);
    this.greet();
  }

  #take(frame: Down): void {
    if (frame.kind === 'ask') this.say({ kind: 'told', token: frame.token });
    else if (frame.kind === 'told') {
      this.#asked.get(frame.token)?.();
      this.#asked.delete(frame.token);
    } else this.receive(frame);
  }
}

/** What machines need of a process of the platform. */
export interface Process extends Member {
  accept(name: string, line: Line): void;
}

/** The lease of one epoch, in the memory of an agent. */
interface Lease {
  readonly epoch: number;
  terms: LeaseTerms;
  readonly sentAt: Map<string, number>;
  confirmed: boolean;
  lapsedAt: number;
}

export class Candidate extends Machine {
  /** On disk. */
  document: Document = { revision: 0, entry: null };
  /** What the kernel equals; an agent that starts looks at it again. */
  applied = 0;
  #lease: Lease | null = null;
  #sequence = 0;
  readonly #asked = new Map<number, { readonly at: number; readonly epoch: number }>();
  readonly #hubs: () => readonly Hub[];

  constructor(parts: {
    world: World;
    name: string;
    processes: () => readonly Process[];
    hubs: () => readonly Hub[];
  }) {
    super(parts.world, parts.name, parts.processes);
    this.#hubs = parts.hubs;
  }

  override begin(): void {
    super.begin();
    this.#lease = null;
    this.#asked.clear();
    this.#apply();
    this.#turn();
  }

  protected greet(): void {
    this.say({ kind: 'hello', held: this.document.revision, applied: this.applied });
  }

  protected receive(frame: Down): void {
    if (frame.kind === 'document' && frame.document.revision > this.document.revision) {
      this.document = frame.document;
      this.after(1 + this.world.random() * 30, () => this.#apply());
    }
    if (frame.kind === 'held') this.#held(frame.sequence, frame.epochs);
  }

  #apply(): void {
    const { entry, revision } = this.document;
    if (entry === null) {
      this.#lease = null;
      this.world.mayAnswer(this.name, 0);
    } else if (entry.terms === null) {
      this.#lease = null;
      this.world.mayAnswer(this.name, Number.POSITIVE_INFINITY);
    } else if (this.#lease?.epoch === entry.epoch) {
      this.#lease.terms = entry.terms;
      for (const name of this.#lease.sentAt.keys()) {
        if (name !== 'platform' && !entry.terms.witnesses.includes(name)) this.#lease.sentAt.delete(name);
      }
    } else {
      if (this.world.answers.get(this.name) === Number.POSITIVE_INFINITY) this.world.mayAnswer(this.name, 0);
      const { epoch, terms } = entry;
      this.#lease = { epoch, terms, sentAt: new Map(), confirmed: false, lapsedAt: this.clock };
    }
    this.applied = revision;
    this.say({ kind: 'applied', revision });
  }

  /** Probes its witnesses and asks the platform, eight times a second. */
  #turn(): void {
    const sentAt = this.clock;
    for (const hub of this.#hubs()) {
      this.world.datagram(this, hub, () => {
        const witness = hub.probed(this.name);
        this.world.datagram(hub, this, () => {
          if (witness && this.#lease?.terms.witnesses.includes(hub.name) === true)
            this.#note(hub.name, sentAt);
        });
      });
    }
    if (this.#lease !== null) {
      const sequence = ++this.#sequence;
      this.#asked.set(sequence, { at: sentAt, epoch: this.#lease.epoch });
      this.say({ kind: 'hold', sequence, epoch: this.#lease.epoch });
      this.#renew();
    }
    this.after(probeIntervalMs, () => this.#turn());
  }

  #held(sequence: number, epochs: readonly number[]): void {
    const asked = this.#asked.get(sequence);
    this.#asked.delete(sequence);
    const lease = this.#lease;
    if (asked === undefined || lease === null || asked.epoch !== lease.epoch) return;
    if (this.clock - asked.at >= addressLeaseMs) return;
    this.#renew();
    if (epochs.includes(lease.epoch)) {
      if (asked.at > lease.lapsedAt) lease.confirmed = true;
      this.#note('platform', asked.at);
    } else {
      lease.confirmed = false;
      lease.lapsedAt = this.clock;
      this.world.mayAnswer(this.name, 0);
    }
  }

  #note(member: string, sentAt: number): void {
    const lease = this.#lease;
    if (lease === null) return;
    this.#renew();
    lease.sentAt.set(member, Math.max(sentAt, lease.sentAt.get(member) ?? 0));
    this.#renew();
  }

  #renew(): void {
    const lease = this.#lease;
    if (lease === null || !lease.confirmed) return;
    const end =
      ([...lease.sentAt.values()].sort((a, b) => b - a)[lease.terms.enough - 1] ?? 0) + addressLeaseMs;
    if (end <= this.clock) {
      lease.confirmed = false;
      lease.lapsedAt = end;
      return;
    }
    // The kernel counts in steps of its own.
    this.world.mayAnswer(this.name, this.realTime(end) + 8 * this.world.random());
  }
}

interface Watch {
  answeredAt: number;
  told: boolean | null;
  witness: boolean;
  turn: number;
}

export class Hub extends Machine {
  readonly #watches = new Map<string, Watch>();
  readonly #candidates: readonly string[];

  constructor(parts: {
    world: World;
    name: string;
    processes: () => readonly Process[];
    candidates: readonly string[];
  }) {
    super(parts.world, parts.name, parts.processes);
    this.#candidates = parts.candidates;
  }

  override begin(): void {
    super.begin();
    for (const name of this.#candidates) {
      this.#watches.set(name, { answeredAt: this.clock, told: null, witness: false, turn: 0 });
    }
    this.#judge();
  }

  protected greet(): void {
    this.say({ kind: 'hello', held: 0, applied: 0 });
    const known = [...this.#watches].flatMap(([peer, { told }]) =>
      told === null ? [] : [{ peer, alive: told }],
    );
    this.#tell(known);
  }

  protected receive(): void {}

  /** Answers a probe; says whether a lease may rest on the answer. */
  probed(peer: string): boolean {
    const watch = this.#watches.get(peer);
    if (watch === undefined) return false;
    watch.answeredAt = this.clock;
    if (watch.told !== true) {
      watch.told = true;
      watch.witness = false;
      watch.turn++;
      // The prober is a thread of its own.
      this.after(this.world.random() * 3, () => this.#tell([{ peer, alive: true }]));
    }
    return watch.witness;
  }

  #judge(): void {
    for (const [peer, watch] of this.#watches) {
      if (watch.told === false || this.clock - watch.answeredAt <= addressLeaseMs) continue;
      watch.told = false;
      watch.witness = false;
      watch.turn++;
      this.after(this.world.random() * 3, () => {
        if (watch.told === false) this.#tell([{ peer, alive: false }]);
      });
    }
    this.after(40, () => this.#judge());
  }

  #tell(peers: readonly { readonly peer: string; readonly alive: boolean }[]): void {
    if (peers.length === 0 || this.line === null) return;
    const turns = peers.map(({ peer }) => this.#watches.get(peer)?.turn);
    this.say({ kind: 'paths', peers });
    this.whenRead(() => {
      for (const [i, { peer, alive }] of peers.entries()) {
        const watch = this.#watches.get(peer);
        if (watch !== undefined && alive && watch.turn === turns[i]) watch.witness = true;
      }
    });
  }
}
