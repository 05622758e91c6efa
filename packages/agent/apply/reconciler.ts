// Keeps the machine equal to a document: applies changes as they come, compares everything every few seconds,
// mends what somebody changed by hand, tries again what failed. One thing at a time, but for routes whose path has just
// died. When is decided here, what in plan/, how in machine.ts.
import {
  agentAuditHandshakingMs,
  agentAuditMs,
  agentAuditShareMax,
  agentFreshTunnelMs,
} from '@powernode/core/limits';
import type { DocumentIndex } from '../plan/document-index.ts';
import type { Seen } from '../plan/seen.ts';
import { describeDrift, keyOf, type Step } from '../plan/step.ts';
import type { Clock } from '../ports/clock.ts';
import type { ProberNews } from '../probe/messages.ts';
import type { Held } from '../state/held.ts';
import { Converger } from './converge.ts';
import { Kicks } from './kicks.ts';
import { Picture } from './picture.ts';
import { Retries } from './retries.ts';
import type { Problem, Sink } from './sink.ts';
import { Switcher } from './switcher.ts';
import { keysOf, Ways } from './ways.ts';

export interface Drift {
  readonly atMs: number;
  readonly key: string;
  readonly detail: string;
}

export interface ReconcilerEvents {
  /** The machine was read back and equals this document. Also called when it equals it again after a failure. */
  applied(held: Held): void;
  failed(held: Held, problems: readonly Problem[]): void;
  drifted(drift: readonly Drift[]): void;
  /** Something was looked at; `reconciler.seen` and `reconciler.choices` are new. */
  looked(): void;
  /** Routes go another way now. */
  switched(): void;
}

export class Reconciler {
  readonly #machine: Sink;
  readonly #clock: Clock;
  readonly #events: ReconcilerEvents;
  readonly #picture: Picture;
  readonly #ways = new Ways();
  readonly #kicks = new Kicks();
  readonly #retries = new Retries();
  readonly #switcher: Switcher;
  readonly #converger: Converger;
  #target: Held | null = null;
  /** What may differ from the document; null: nothing is known to. */
  #dirty: Set<string> | 'all' | null = null;
  #applied: Held | null = null;
  #auditAtMs = 0;
  #freshUntilMs = 0;
  #working: Promise<void> | null = null;
  #cancelTimer: () => void = () => undefined;
  #stopped = false;

  constructor(parts: {
    readonly machine: Sink;
    readonly clock: Clock;
    readonly events: ReconcilerEvents;
  }) {
    this.#machine = parts.machine;
    this.#picture = new Picture(parts.machine);
    this.#clock = parts.clock;
    this.#events = parts.events;
    const shared = { machine: parts.machine, picture: this.#picture, ways: this.#ways };
    this.#switcher = new Switcher({
      ...shared,
      planPeers: (tunnels) => {
        return this.#target === null ? [] : this.#converger.plan(this.#target, new Set(tunnels)).steps;
      },
      switched: () => parts.events.switched(),
      failed: () => {
        this.#dirty = 'all';
        this.#wake();
      },
    });
    this.#converger = new Converger({
      ...shared,
      clock: parts.clock,
      switchesDone: () => this.#switcher.settled(),
      begun: (steps) => this.#begun(steps),
      looked: () => parts.events.looked(),
    });
  }

  get seen(): Seen {
    return this.#picture.seen;
  }

  get choices(): ReadonlyMap<string, string | null> {
    return this.#ways.choices;
  }

  /** What of the document paths depend on. */
  get index(): DocumentIndex {
    return this.#ways.index;
  }

  /** The document that the machine was last read back to equal, unless it failed or changed since. */
  get applied(): Held | null {
    return this.#applied;
  }

  /** The document to be. `keys`: which entries may differ from the one before. */
  take(held: Held, keys: ReadonlySet<string> | 'all'): void {
    this.#target = held;
    this.#ways.update(held, keys);
    if (keys === 'all' || this.#dirty === 'all') this.#dirty = 'all';
    else this.#dirty = new Set([...(this.#dirty ?? []), ...keys]);
    // A new document may be what was missing: it is tried at once, whatever the pause after failures is.
    this.#retries.now();
    this.#wake();
  }

  /** The endpoints in the kernel may be older than the document: the last agent ended before it had applied it. */
  distrustEndpoints(held: Held): void {
    this.#converger.endpoints.distrust(held);
  }

  /** The prober has news of paths. Routes follow at once, whatever else is being done, and without a look. */
  probed(news: ProberNews): void {
    this.#ways.take(news);
    this.#switchNow();
  }

  /** The prober began anew: what it had said is not true any more, nor is it false. */
  forgetProbes(): void {
    this.#ways.forgetProbes();
    this.#switchNow();
  }

  /** Compares everything soon: something happened on the machine. */
  auditSoon(): void {
    this.#auditAtMs = 0;
    this.#wake();
  }

  /** Ends after what is being done now. The machine stays as it is. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTimer();
    await this.#working;
    await this.#switcher.settled();
  }

  #switchNow(): void {
    if (this.#target !== null && !this.#stopped) this.#switcher.switchNow();
  }

  #wake(): void {
    if (this.#working !== null || this.#stopped) return;
    this.#cancelTimer();
    this.#working = this.#work().finally(() => {
      this.#working = null;
      this.#sleep();
    });
  }

  #sleep(): void {
    if (this.#stopped || this.#target === null) return;
    const nowMs = this.#clock.monotonicMs();
    const due = [this.#auditAtMs, this.#kicks.nextMs ?? Number.POSITIVE_INFINITY];
    if (this.#isDirty()) due.push(this.#retries.atMs);
    this.#cancelTimer = this.#clock.after(Math.max(0, Math.min(...due) - nowMs), () => this.#wake());
  }

  async #work(): Promise<void> {
    while (!this.#stopped && this.#target !== null) {
      const nowMs = this.#clock.monotonicMs();
      if (this.#isDirty() && this.#retries.atMs <= nowMs) await this.#applyDirty(this.#target);
      else if ((this.#kicks.nextMs ?? Number.POSITIVE_INFINITY) <= nowMs) await this.#kick(this.#target);
      else if (this.#auditAtMs <= nowMs) await this.#audit(this.#target);
      else return;
    }
  }

  #isDirty(): boolean {
    return this.#dirty !== null;
  }

  async #applyDirty(target: Held): Promise<void> {
    const scope = this.#dirty ?? 'all';
    const startedAtMs = this.#clock.monotonicMs();
    this.#dirty = null;
    const done = await this.#guarded(target, async () => {
      // For peers the picture in memory will do. After a failure (everything) it is not to be relied on, and where
      // an interface is to be made somebody may have been there first.
      if (!this.#picture.isKnown || scope === 'all' || concernsInterfaces(scope))
        await this.#converger.lookAtAll(target);
      return this.#converger.converge(target, scope);
    });
    // Everything was looked at just now.
    if (scope === 'all') this.#auditLater(startedAtMs);
    // Said of this document even if a newer one has come meanwhile, or a busy node would never say anything.
    if (done) this.#succeed(target);
  }

  async #audit(target: Held): Promise<void> {
    const startedAtMs = this.#clock.monotonicMs();
    const failing = this.#isDirty();
    await this.#guarded(target, async () => {
      await this.#converger.lookAtAll(target);
      const switched = this.#choose();
      // What failed is tried again at its own time; routes cannot wait for that.
      if (failing) return switched.length > 0 ? this.#converger.converge(target, new Set(switched)) : [];
      const { steps, problems } = this.#converger.plan(target, 'all');
      if (this.#applied === target) this.#tellDrift(steps);
      return steps.length + problems.length > 0 ? this.#converger.converge(target, 'all') : [];
    });
    this.#auditLater(startedAtMs);
  }

  #auditLater(startedAtMs: number): void {
    const nowMs = this.#clock.monotonicMs();
    const everyMs = nowMs < this.#freshUntilMs ? agentAuditHandshakingMs : agentAuditMs;
    this.#auditAtMs = nowMs + Math.max(everyMs, (nowMs - startedAtMs) / agentAuditShareMax);
  }

  async #kick(target: Held): Promise<void> {
    await this.#guarded(target, async () => {
      const problems: Problem[] = [];
      for (const name of this.#kicks.interfacesDue(this.#clock.monotonicMs())) {
        const device = await this.#machine.lookAtDevice(name);
        this.#picture.noticeDevice(name, device);
        this.#ways.weigh(name, this.seen, this.#clock.nowMs());
        const nowMs = this.#clock.monotonicMs();
        const { carried } = this.#ways;
        const steps = this.#kicks.stepsFor(name, { device, entries: target.entries, carried, nowMs });
        problems.push(...(await this.#machine.execute(steps)));
      }
      this.#events.looked();
      const switched = this.#choose();
      if (switched.length > 0) problems.push(...(await this.#converger.converge(target, new Set(switched))));
      return problems;
    });
  }

  /** The keys of what is decided anew. */
  #choose(): string[] {
    const switched = keysOf(this.#ways.choose());
    if (switched.length > 0) this.#events.switched();
    return switched;
  }

  /** Runs one turn; says when it failed. */
  async #guarded(target: Held, turn: () => Promise<readonly Problem[]>): Promise<boolean> {
    let problems: readonly Problem[];
    try {
      problems = await turn();
    } catch (error) {
      problems = [{ room: 'wireguard', detail: error instanceof Error ? error.message : String(error) }];
      this.#picture.doubt();
    }
    if (problems.length > 0) this.#fail(target, problems);
    return problems.length === 0;
  }

  #succeed(target: Held): void {
    this.#retries.succeeded();
    this.#applied = target;
    this.#events.applied(target);
  }

  #fail(target: Held, problems: readonly Problem[]): void {
    // An audit that fails while a try is due anyway neither postpones that try nor is it news.
    const nowMs = this.#clock.monotonicMs();
    if (this.#isDirty() && this.#applied === null && this.#retries.atMs > nowMs) return;
    this.#applied = null;
    this.#dirty = 'all';
    this.#retries.failed(nowMs);
    this.#events.failed(target, problems);
  }

  #begun(steps: readonly Step[]): void {
    const nowMs = this.#clock.monotonicMs();
    this.#kicks.begun(steps, nowMs);
    if (!steps.some((step) => step.kind === 'set_peer' && step.peer.how === 'new')) return;
    this.#freshUntilMs = nowMs + agentFreshTunnelMs;
    this.#auditAtMs = Math.min(this.#auditAtMs, nowMs + agentAuditHandshakingMs);
  }

  #tellDrift(steps: readonly Step[]): void {
    const drift = steps.filter((step) => !this.#isOwnDecision(step));
    if (drift.length === 0) return;
    const atMs = this.#clock.nowMs();
    this.#events.drifted(drift.map((step) => ({ atMs, key: keyOf(step), detail: describeDrift(step) })));
  }

  /** Steps of an audit that mend nothing: a route that goes another way now, a place where nobody answered. */
  #isOwnDecision(step: Step): boolean {
    if (step.kind === 'set_peer' && step.peer.how === 'place') return true;
    return this.#ways.isOwn(keyOf(step));
  }
}

function concernsInterfaces(scope: ReadonlySet<string>): boolean {
  for (const key of scope) if (key.startsWith('interface/')) return true;
  return false;
}
