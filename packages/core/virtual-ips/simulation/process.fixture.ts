// Test support: a process of the platform in the simulation: the pure machine, and around it what the real one has:
// what it hears (hearing.fixture.ts), a lease on leading, and a database that may be away.
import { hearsayBeatMs, leaderBeatMs, leaderStaleMs } from '../../limits.ts';
import type { Effect, Event, PeerFacts, Reason, Row, State } from '../state.ts';
import { newState } from '../state.ts';
import { step } from '../step.ts';
import { sameTerms, type Terms } from '../terms.ts';
import { type Database, type Snapshot, type StoredRow, termsFor } from './database.fixture.ts';
import { type Ear, type HearingParts, HearingProcess } from './hearing.fixture.ts';

export interface ProcessParts extends HearingParts {
  readonly db: Database;
  readonly hubs: readonly string[];
  /** Begins to lead as if nobody had been answered before; to show that the simulation would notice. */
  readonly forgetful: boolean;
}

export class PlatformProcess extends HearingProcess {
  readonly #parts: ProcessParts;
  #state: State | null = null;
  #view: Snapshot | null = null;
  #bound: { peer: string | null; list: { terms: Terms; revision: number }[] } = { peer: null, list: [] };
  #leadsUntil = Number.NEGATIVE_INFINITY;
  #leads = false;
  #wakes = new Set<number>();

  constructor(parts: ProcessParts) {
    super(parts);
    this.#parts = parts;
  }

  get state(): State | null {
    return this.#state;
  }

  begin(): void {
    this.alive = true;
    this.ears = new Map();
    this.sights = new Map();
    this.#state = null;
    this.#view = null;
    this.#leads = false;
    this.#leadsUntil = Number.NEGATIVE_INFINITY;
    this.#read(() => undefined);
    this.#beat();
    this.#sweep();
  }

  /** An operator's word, written by whichever process took it. */
  failOver(): void {
    const { db } = this.#parts;
    this.#transaction(
      () => {
        const { row } = db;
        if (row.holder === null || this.#view === null) return;
        const others = row.candidates.filter((name) => name !== row.holder);
        this.#release({ successor: this.world.one(others), reason: 'by_hand', row });
      },
      () => this.#read(() => undefined),
    );
  }

  protected get known(): State | null {
    return this.#state;
  }

  protected greeted(_name: string, ear: Ear): void {
    if (ear.sent > (this.#view?.sequence ?? 0)) this.changed();
    this.#deliver();
  }

  protected changed(): void {
    this.#read(() => undefined);
  }

  protected persist(name: string, revision: number): void {
    const { db } = this.#parts;
    this.after(400, () =>
      this.#transaction(
        () => db.applied.set(name, Math.max(revision, db.applied.get(name) ?? 0)),
        () => undefined,
      ),
    );
  }

  protected tellPeers(): void {
    if (this.#view === null || this.#state === null) return;
    const peers = new Map(this.#parts.candidates.map((name) => [name, this.#factsOf(name)]));
    this.feed({ kind: 'peers', peers });
    this.#prune();
  }

  #factsOf(name: string): PeerFacts {
    const sights = [...(this.sights.get(name)?.values() ?? [])];
    const newest = this.#view?.documents.get(name)?.at(-1)?.revision ?? 0;
    const applied = Math.max(
      this.#view?.applied.get(name) ?? -1,
      ...sights.map((one) => one.hearing.applied),
    );
    return {
      hostname: name,
      connected: sights.length > 0,
      applied,
      inSync: applied >= newest,
      draining: false,
      presence: 'here',
    };
  }

  // The database.

  #transaction(work: () => void, done: (known: boolean) => void): void {
    this.after(this.world.random() * 8, () => {
      if (this.world.isCut(this.name, 'db')) return this.after(200, () => done(false));
      work();
      const isLost = this.world.chance(0.02);
      this.after(isLost ? 300 : this.world.random() * 8, () =>
        done(!isLost && !this.world.isCut(this.name, 'db')),
      );
    });
  }

  #read(then: () => void): void {
    let snapshot: Snapshot | null = null;
    this.#transaction(
      () => {
        snapshot = this.#parts.db.snapshot();
      },
      (known) => {
        if (known && snapshot !== null) {
          this.#show(snapshot);
          then();
        } else this.after(150, () => this.#read(then));
      },
    );
  }

  #show(snapshot: Snapshot): void {
    const before = this.#view;
    if (before !== null && snapshot.sequence < before.sequence) return;
    this.#view = snapshot;
    const { row } = snapshot;
    const shown = this.#rowOf(row);
    if (this.#state === null) {
      this.#state = newState(shown, 'auto_approve');
      for (const hub of this.sights.keys()) this.tellWords(hub);
    }
    this.#follow(before, snapshot);
    this.feed({ kind: 'row', row: shown });
    this.#tellTerms();
    this.tellPeers();
    this.#deliver();
  }

  #rowOf(row: StoredRow): Row {
    const { db } = this.#parts;
    const here = (at: number | null) => (at === null ? null : this.clock - (db.clock - at));
    return {
      anycast: false,
      candidates: row.candidates,
      preempt: row.preempt,
      holdDownMs: 1_000,
      holder: row.holder,
      epoch: row.epoch,
      releasing:
        row.releasing === null
          ? null
          : {
              peerId: row.releasing.peer,
              sequence: row.releasing.sequence,
              sinceMs: here(row.releasing.at) ?? 0,
            },
      successor: row.successor,
      move:
        row.move === null
          ? null
          : { reason: row.move.reason, detail: '', fromPeerId: row.move.from, givenSequence: row.move.given },
      lastMovedMs: here(row.movedAt),
      phase: row.phase,
      detail: row.detail,
    };
  }

  /** All that the holder, or who has to give it up, may be acting on. */
  #follow(before: Snapshot | null, now: Snapshot): void {
    const { row } = now;
    const peer = row.holder ?? row.releasing?.peer ?? null;
    const documents = now.documents.get(peer ?? '') ?? [];
    if (peer !== this.#bound.peer || before === null) {
      this.#bound = { peer, list: [] };
      if (row.releasing !== null)
        this.#bound.list = row.releasing.terms.map((terms) => ({ terms, revision: 0 }));
      const given = row.move?.given ?? null;
      // Another process may have given it, and lines change: all since then, and what it has by its last word.
      const applied = Math.max(now.applied.get(peer ?? '') ?? 0, 0);
      const passed = documents.filter((document) => document.revision > applied);
      const isKnown =
        given !== null && row.holder !== null && documents.some(({ revision }) => revision === given);
      const since = isKnown ? documents.filter(({ revision }) => revision >= given) : passed;
      for (const { entry, revision } of since)
        if (entry !== null) this.#bound.list.push({ terms: entry.terms, revision });
      if (row.holder !== null && !isKnown) {
        if (passed.length > 0) this.#bound.list.push({ terms: 'unknown', revision: 0 });
        else this.#bound.list.push({ terms: documents.at(-1)?.entry?.terms ?? null, revision: 0 });
      }
      return;
    }
    for (const { entry, revision } of documents) {
      if (revision > before.sequence && entry !== null)
        this.#bound.list.push({ terms: entry.terms, revision });
    }
    this.#prune();
  }

  #prune(): void {
    const { peer, list } = this.#bound;
    const newest = list.at(-1);
    if (peer === null || newest === undefined || list.length < 2 || this.#view?.row.holder !== peer) return;
    if (this.#factsOf(peer).applied < newest.revision || newest.revision === 0) return;
    this.#bound.list = [newest];
    this.#tellTerms();
  }

  #tellTerms(): void {
    const view = this.#view;
    if (view === null) return;
    const terms = new Map(this.#parts.candidates.map((name) => [name, termsFor(view.row, view.witnesses)]));
    const names = new Map(this.#parts.hubs.map((name) => [name, name]));
    this.feed({ kind: 'terms', terms, oldTerms: this.#oldTerms(), names });
  }

  #oldTerms(): Terms[] {
    const distinct: Terms[] = [];
    for (const { terms } of this.#bound.list)
      if (!distinct.some((one) => sameTerms(one, terms))) distinct.push(terms);
    return distinct;
  }

  #deliver(): void {
    const view = this.#view;
    if (view === null) return;
    for (const name of this.#parts.candidates) {
      const ear = this.ears.get(name);
      const newest = view.documents.get(name)?.at(-1);
      if (ear === undefined || !ear.greeted || newest === undefined || newest.revision <= ear.sent) continue;
      ear.sent = newest.revision;
      ear.line.send(1, { kind: 'document', document: newest });
    }
  }

  // Leading.

  protected isLeading(): boolean {
    if (this.#leads && this.clock >= this.#leadsUntil) {
      this.#leads = false;
      this.feed({ kind: 'lead', leading: false });
    }
    return this.#leads;
  }

  #beat(): void {
    const askedMs = this.clock;
    let isLeader = false;
    this.#transaction(
      () => {
        isLeader = this.#parts.db.lead(this.name);
      },
      (known) => {
        this.after(leaderBeatMs, () => this.#beat());
        if (!known || !isLeader) return;
        const wasLeading = this.isLeading();
        if (wasLeading) {
          this.#leadsUntil = askedMs + leaderStaleMs;
          return;
        }
        // Whatever another leader has given is read before anything is answered.
        this.#read(() => {
          if (this.clock >= askedMs + leaderStaleMs || this.#leads) return;
          this.#leadsUntil = askedMs + leaderStaleMs;
          this.#leads = true;
          this.feed({ kind: 'lead', leading: true });
          if (this.#parts.forgetful && this.#state !== null) this.#state = { ...this.#state, heldMs: null };
        });
      },
    );
  }

  #sweep(): void {
    this.after(hearsayBeatMs, () => {
      this.isLeading();
      this.sweepLines();
      if (this.world.chance(0.3)) this.#read(() => undefined);
      this.#sweep();
    });
  }

  // The machine and what it wants done.

  protected feed(event: Event): readonly Effect[] {
    if (this.#state === null) return [];
    if (this.#leads && this.clock >= this.#leadsUntil && event.kind !== 'lead') this.isLeading();
    const { state, effects } = step(this.#state, event, this.clock);
    this.#state = state;
    for (const effect of effects) this.#do(effect);
    return effects;
  }

  #do(effect: Effect): void {
    const { db } = this.#parts;
    switch (effect.kind) {
      case 'answer':
        return;
      case 'wake': {
        const at = Math.ceil(effect.atMs);
        if (this.#wakes.has(at)) return;
        this.#wakes.add(at);
        this.after(Math.max(effect.atMs - this.clock, 0) + 0.5, () => {
          this.#wakes.delete(at);
          this.feed({ kind: 'tick' });
        });
        return;
      }
      case 'prove':
        for (const hub of effect.hubs) this.proveHub(hub, effect);
        return;
      case 'release':
        return this.#write(effect.kind, (row) =>
          this.#release({ successor: effect.successor, reason: effect.reason, row }),
        );
      case 'give':
        return this.#write(effect.kind, (row) =>
          db.commit({
            ...row,
            holder: effect.to,
            epoch: row.epoch + 1,
            releasing: null,
            successor: null,
            move: {
              reason: effect.reason,
              from: row.holder ?? row.move?.from ?? null,
              given: db.sequence + 1,
            },
            movedAt: db.clock,
            phase: 'failing_over',
            detail: effect.detail,
          }),
        );
      case 'clear':
        return this.#write(effect.kind, (row) =>
          db.commit({ ...row, releasing: null, successor: null, phase: 'unassigned', detail: effect.detail }),
        );
      case 'finish':
        return this.#write(effect.kind, (row) =>
          db.say({ ...row, move: null, phase: 'active', detail: null }),
        );
      case 'say':
        return this.#write(effect.kind, (row) =>
          db.say({ ...row, phase: effect.phase, detail: effect.detail }),
        );
      case 'ask':
      case 'withdraw':
        throw new Error('nobody is asked here');
    }
  }

  /** In a transaction that another leader, or another holder, makes void. */
  #write(
    what: Effect['kind'] & ('release' | 'give' | 'clear' | 'finish' | 'say'),
    work: (row: StoredRow) => void,
  ): void {
    const { db } = this.#parts;
    const epoch = this.#state?.row.epoch;
    const holder = this.#state?.row.holder;
    let isDone = false;
    this.#transaction(
      () => {
        if (db.leader?.name !== this.name || db.row.epoch !== epoch || db.row.holder !== holder) return;
        // What others have changed meanwhile may be what the old holder acts on by now.
        if (what === 'give' && (this.#view?.sequence !== db.sequence || this.#state?.over !== true)) return;
        work(db.row);
        isDone = true;
      },
      (known) => {
        if (isDone) this.spread({ kind: 'changed' });
        this.#read(() => this.feed({ kind: 'wrote', what, done: known && isDone }));
      },
    );
  }

  #release(of: {
    readonly successor: string | null;
    readonly reason: Reason;
    readonly row: StoredRow;
  }): void {
    const { db } = this.#parts;
    const { row } = of;
    if (row.holder === null) return;
    // Under the lock: everything that was committed before is taken first.
    this.#show(db.snapshot());
    db.commit({
      ...row,
      holder: null,
      epoch: row.epoch + 1,
      releasing: {
        peer: row.holder,
        sequence: db.sequence + 1,
        at: db.clock,
        terms: this.#bound.peer === row.holder ? this.#oldTerms() : ['unknown'],
      },
      successor: of.successor,
      move: { reason: of.reason, from: row.holder, given: null },
      phase: 'failing_over',
      detail: null,
    });
  }
}
