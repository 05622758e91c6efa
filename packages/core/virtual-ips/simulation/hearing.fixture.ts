// Test support: what a process of the platform hears in the simulation: the machines on its own lines, and by hearsay
// those of the other process. What it makes of that: process.fixture.ts.
import { hearsayExpiryMs } from '../../limits.ts';
import type { Effect, Event, State } from '../state.ts';
import type { Down, Hearing, Hearsay, Up } from './frames.fixture.ts';
import { lineDeadMs } from './machines.fixture.ts';
import { type Line, Member, type World } from './world.fixture.ts';

export interface Ear {
  readonly line: Line;
  readonly number: number;
  greeted: boolean;
  applied: number;
  sent: number;
  readonly words: Map<string, boolean>;
}

interface Sight {
  readonly process: string;
  readonly line: number;
  readonly openedMs: number;
  readonly heardMs: number;
  readonly hearing: Hearing;
}

export interface HearingParts {
  readonly world: World;
  readonly name: string;
  readonly others: () => readonly HearingProcess[];
  readonly candidates: readonly string[];
}

let lines = 0;

export abstract class HearingProcess extends Member {
  protected ears = new Map<string, Ear>();
  /** By machine and process. */
  protected sights = new Map<string, Map<string, Sight>>();
  readonly #hearing: HearingParts;
  #tokens = 0;
  readonly #asked = new Map<number, () => void>();

  constructor(parts: HearingParts) {
    super(parts.world, parts.name);
    this.#hearing = parts;
  }

  protected abstract feed(event: Event): readonly Effect[];
  protected abstract isLeading(): boolean;
  protected abstract get known(): State | null;
  protected abstract greeted(name: string, ear: Ear): void;
  protected abstract changed(): void;
  protected abstract persist(name: string, revision: number): void;
  protected abstract tellPeers(): void;

  override end(): void {
    super.end();
    for (const { line } of this.ears.values()) line.close(1);
  }

  accept(name: string, line: Line): void {
    const before = this.ears.get(name);
    const ear: Ear = { line, number: ++lines, greeted: false, applied: -1, sent: 0, words: new Map() };
    this.ears.set(name, ear);
    this.#changedHearing(name);
    before?.line.close(1);
    line.onFrame[1] = (frame) => this.#take(name, ear, frame as Up);
    line.onClose[1] = () => {
      if (this.ears.get(name) !== ear || !this.alive) return;
      this.ears.delete(name);
      this.#changedHearing(name);
    };
  }

  // What machines say.

  #take(name: string, ear: Ear, frame: Up): void {
    const down = (answer: Down) => ear.line.send(1, answer);
    switch (frame.kind) {
      case 'hello':
        ear.greeted = true;
        ear.applied = frame.applied;
        ear.sent = frame.held;
        this.persist(name, frame.applied);
        this.#changedHearing(name);
        return this.greeted(name, ear);
      case 'applied':
        ear.applied = frame.revision;
        this.persist(name, frame.revision);
        return this.#changedHearing(name);
      case 'paths':
        for (const { peer, alive } of frame.peers) ear.words.set(peer, alive);
        return this.#changedHearing(name);
      case 'ask':
        return down({ kind: 'told', token: frame.token });
      case 'told':
        this.#asked.get(frame.token)?.();
        this.#asked.delete(frame.token);
        return;
      case 'hold': {
        const { sequence, epoch } = frame;
        if (this.isLeading())
          this.#hold({
            node: name,
            sequence,
            epoch,
            answer: (epochs) => down({ kind: 'held', sequence, epochs }),
          });
        else this.spread({ kind: 'hold', from: this.name, node: name, line: ear.number, sequence, epoch });
      }
    }
  }

  #hold(hold: {
    node: string;
    sequence: number;
    epoch: number;
    answer: (epochs: readonly number[]) => void;
  }): void {
    const effects = this.feed({ kind: 'hold', peerId: hold.node, epoch: hold.epoch });
    const isOurs = effects.some((effect) => effect.kind === 'answer');
    hold.answer(isOurs ? [hold.epoch] : []);
  }

  // What processes say to each other.

  hear(said: Hearsay): void {
    switch (said.kind) {
      case 'changed':
        return this.changed();
      case 'sights': {
        const named = new Set(said.sights.map((hearing) => hearing.line));
        for (const [name, sights] of this.sights) {
          const sight = sights.get(said.from);
          if (sight !== undefined && !named.has(sight.line)) this.#forget(name, said.from);
        }
        for (const hearing of said.sights) this.#see(said.from, hearing);
        return;
      }
      case 'hold': {
        if (!this.isLeading()) return;
        const { from, node, line, sequence, epoch } = said;
        this.#hold({
          node,
          sequence,
          epoch,
          answer: (epochs) => this.spread({ kind: 'held', to: from, node, line, sequence, epochs }),
        });
        return;
      }
      case 'held': {
        const ear = this.ears.get(said.node);
        if (said.to === this.name && ear?.number === said.line)
          ear.line.send(1, { kind: 'held', sequence: said.sequence, epochs: said.epochs });
        return;
      }
      case 'prove':
        if (said.to === this.name) {
          this.#prove(said.hub, said.line, () => {
            const alive = this.ears.get(said.hub)?.words.get(said.peer) ?? null;
            const { number, hub, line, peer } = said;
            this.spread({ kind: 'proven', to: said.from, number, hub, line, peer, alive });
          });
        }
        return;
      case 'proven':
        if (said.to !== this.name || said.alive !== false) return;
        this.feed({ kind: 'confirmed', hub: said.hub, number: said.number });
    }
  }

  protected spread(said: Hearsay): void {
    for (const other of this.#hearing.others()) {
      if (other !== this) this.world.datagram(this, other, () => other.hear(said));
    }
  }

  // Sights: what is known of machines, whoever hears them.

  #changedHearing(name: string): void {
    const ear = this.ears.get(name);
    if (ear === undefined || !ear.greeted) {
      this.#forget(name, this.name);
    } else this.#see(this.name, this.#hearingOf(name, ear));
    this.#spreadSights();
  }

  #hearingOf(name: string, ear: Ear): Hearing {
    const words = Array.from(ear.words, ([peer, alive]) => ({ peer, alive }));
    return { name, line: ear.number, applied: ear.applied, words };
  }

  #spreadSights(): void {
    const sights = [...this.ears].flatMap(([name, ear]) => (ear.greeted ? [this.#hearingOf(name, ear)] : []));
    this.spread({ kind: 'sights', from: this.name, sights });
  }

  #see(process: string, hearing: Hearing): void {
    const { name, line } = hearing;
    const sights = this.sights.get(name) ?? new Map<string, Sight>();
    const known = sights.get(process);
    const openedMs = known?.line === line ? known.openedMs : this.clock;
    sights.set(process, { process, line, openedMs, heardMs: this.clock, hearing });
    this.sights.set(name, sights);
    this.tellWords(name);
    this.tellPeers();
  }

  #forget(name: string, process: string): void {
    if (this.sights.get(name)?.delete(process) !== true) return;
    this.tellWords(name);
    this.tellPeers();
  }

  /** A machine has one line at a time, but a process may not know yet that it left: alive counts more than dead. */
  protected tellWords(hub: string): void {
    const sights = [...(this.sights.get(hub)?.values() ?? [])];
    for (const peerId of this.#hearing.candidates) {
      const said = sights.flatMap(({ openedMs, hearing }) =>
        hearing.words.flatMap(({ peer, alive }) => (peer === peerId ? [{ alive, openedMs }] : [])),
      );
      const known = this.known?.words.get(peerId)?.get(hub);
      const alive = said.some((one) => one.alive);
      if (said.length === 0) {
        if (known !== undefined) this.feed({ kind: 'word', hub, peerId, word: null });
        continue;
      }
      const openedMs = Math.max(...said.map((one) => one.openedMs));
      if (known?.alive === alive && known.openedMs === openedMs) continue;
      this.feed({ kind: 'word', hub, peerId, word: { alive, sinceMs: this.clock, openedMs } });
    }
  }

  /** Looks after its lines, and tells everything again. */
  protected sweepLines(): void {
    for (const { line } of this.ears.values()) {
      line.send(1, { kind: 'ask', token: ++this.#tokens });
      if (this.world.now - line.heard[1] > lineDeadMs) line.close(1);
    }
    for (const [name, sights] of this.sights) {
      for (const [process, { heardMs }] of sights) {
        if (process !== this.name && this.clock - heardMs > hearsayExpiryMs) this.#forget(name, process);
      }
    }
    this.#spreadSights();
  }

  protected proveHub(hub: string, effect: Extract<Effect, { kind: 'prove' }>): void {
    const { number, peerId: peer } = effect;
    for (const { process, line } of this.sights.get(hub)?.values() ?? []) {
      if (process === this.name) {
        this.#prove(hub, line, () => {
          if (this.ears.get(hub)?.words.get(peer) === false) this.feed({ kind: 'confirmed', hub, number });
        });
      } else {
        this.spread({ kind: 'prove', to: process, from: this.name, number, hub, line, peer });
      }
    }
  }

  /** Calls when the hub has read something that was sent from now on, and everything that it said before is here. */
  #prove(hub: string, line: number, then: () => void): void {
    const ear = this.ears.get(hub);
    if (ear === undefined || ear.number !== line) return;
    const token = ++this.#tokens;
    this.#asked.set(token, then);
    ear.line.send(1, { kind: 'ask', token });
  }
}
