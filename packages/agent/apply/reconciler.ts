// Keeps the machine equal to a document: applies changes as they come, compares everything every few seconds, repairs
// what somebody changed by hand, tries again what failed. One thing at a time, but for routes whose path has just died.
// When is decided here, what in plan/, how in subsystems/.
import { ProductError } from '@powernode/core/errors';
import {
  agentAuditHandshakingMs,
  agentAuditMs,
  agentAuditShareMax,
  agentFreshTunnelMs,
  directRetryMs,
} from '@powernode/core/limits/agent';
import type { Family } from '@powernode/core/net/address';
import type { Drift } from '../observe/drift.ts';
import { reachableFamilies } from '../observe/families.ts';
import type { FoundProblem } from '../observe/problems.ts';
import type { BgpDecisions } from '../plan/bgp-decisions.ts';
import type { PathHealth } from '../plan/health.ts';
import type { PathIndex } from '../plan/path-index.ts';
import type { Clock } from '../ports/clock.ts';
import type { ProberNews } from '../probe/messages.ts';
import type { Held } from '../state/current-document.ts';
import { type MtuCaps, noMtuCaps } from '../subsystems/addresses/mtu.ts';
import { turnFailure } from '../subsystems/failures.ts';
import type { ObservedState } from '../subsystems/observed.ts';
import type { Problem } from '../subsystems/problem.ts';
import { describeStep } from '../subsystems/registry.ts';
import { forwardingKey, type Step } from '../subsystems/step.ts';
import { Applier } from './applier.ts';
import { Calling } from './calling.ts';
import { FastReroute } from './fast-reroute.ts';
import { Handshakes } from './handshakes.ts';
import type { Machine } from './machine.ts';
import { ObservedCache } from './observed-cache.ts';
import { keysOf, PathSelector } from './path-selector.ts';
import { Retries } from './retries.ts';
import type { Target } from './target.ts';

/** What is due now is chosen with what else has come meanwhile. */
const choiceAgainMs = 50;

export interface ReconcilerEvents {
  /** The machine was read back and equals this document. Also called when it equals it again after a failure. */
  applied(target: Target): void;
  failed(target: Target, problems: readonly Problem[]): void;
  drifted(drift: readonly Drift[]): void;
  /** Something was looked at; `reconciler.observed` and `reconciler.choices` are new. */
  looked(): void;
  /** Routes go another way now. */
  switched(): void;
  /** The agent met an error of its own, and goes on. Whether that fails the document is said by `failed`. */
  programmingError(error: unknown): void;
}

export class Reconciler {
  readonly #machine: Machine;
  readonly #clock: Clock;
  readonly #events: ReconcilerEvents;
  readonly #observed: ObservedCache;
  readonly #paths: PathSelector;
  readonly #handshakes = new Handshakes();
  readonly #calling: Calling;
  readonly #retries = new Retries();
  readonly #reroute: FastReroute;
  readonly #applier: Applier;
  #target: Target | null = null;
  /** What may differ from the document; null: nothing is known to. */
  #dirty: Set<string> | 'all' | null = null;
  #applied: Target | null = null;
  #isRulesetTouched = false;
  #auditAtMs = 0;
  #freshUntilMs = 0;
  #retryDirectAtMs = 0;
  #working: Promise<void> | null = null;
  #cancelTimer: () => void = () => undefined;
  #cancelChoice: () => void = () => undefined;
  #stopped = false;

  constructor(parts: {
    readonly machine: Machine;
    readonly clock: Clock;
    readonly events: ReconcilerEvents;
    /** Interfaces that are to have a lower MTU than the document says. */
    readonly mtuCaps?: () => MtuCaps;
    /** The families in which this machine reaches others; empty: not known. Left out: by its default routes. */
    readonly families?: () => readonly Family[];
    /** Left out: routes to prefixes behind peers are static. */
    readonly bgp?: BgpDecisions;
  }) {
    this.#paths = new PathSelector(() => parts.clock.monotonicMs(), parts.bgp, parts.machine.exportRoutes);
    this.#machine = parts.machine;
    this.#observed = new ObservedCache(parts.machine);
    this.#clock = parts.clock;
    this.#events = parts.events;
    const { index } = this.#paths;
    this.#calling = new Calling({ index, families: parts.families ?? (() => reachableFamilies()) });
    const shared = { machine: parts.machine, observed: this.#observed, paths: this.#paths };
    this.#reroute = new FastReroute({
      ...shared,
      planPeers: (tunnels) => {
        return this.#target === null ? [] : this.#applier.plan(this.#target, new Set(tunnels)).steps;
      },
      switched: () => parts.events.switched(),
      failed: (error) => {
        this.#noteOwnError(error);
        this.#dirty = 'all';
        this.#wake();
      },
    });
    this.#applier = new Applier({
      ...shared,
      calling: this.#calling,
      clock: parts.clock,
      mtuCaps: parts.mtuCaps ?? (() => noMtuCaps),
      reroutesDone: () => this.#reroute.settled(),
      begun: (steps) => this.#begun(steps),
      looked: () => parts.events.looked(),
    });
  }

  get observed(): ObservedState {
    return this.#observed.state;
  }

  get choices(): ReadonlyMap<string, string | null> {
    return this.#paths.choices;
  }

  get paths(): { readonly health: PathHealth; readonly isAnyHeard: boolean } {
    return this.#paths;
  }

  /** What of the document paths depend on. */
  get index(): PathIndex {
    return this.#paths.index;
  }

  /** The document that the machine was last read back to equal, unless it failed or changed since. */
  get applied(): Target | null {
    return this.#applied;
  }

  /** The document to be. `keys`: which entries may differ from the one before. */
  apply(held: Held, keys: ReadonlySet<string> | 'all'): void {
    this.#want({ ...held, document: this.#paths.index.document.next(held.entries, keys) }, keys);
  }

  #want(target: Target, keys: ReadonlySet<string> | 'all'): void {
    this.#target = target;
    this.#paths.update(target.document, keys);
    this.#calling.update(target.document, keys);
    if (keys === 'all' || this.#dirty === 'all') this.#dirty = 'all';
    else this.#dirty = new Set([...(this.#dirty ?? []), ...keys]);
    // A new document may be what was missing: it is tried at once, whatever the pause after failures is.
    this.#retries.now();
    this.#wake();
  }

  /** These interfaces are to have another MTU than before. */
  mtuChanged(names: readonly string[]): void {
    const scope = names.map((name) => `interface/${name}`);
    if (this.#target !== null) this.#want(this.#target, new Set(scope));
  }

  /** The endpoints in the kernel may be older than the document: the last agent ended before it had applied it. */
  invalidateEndpoints(held: Held): void {
    this.#applier.endpoints.invalidate(held);
  }

  /** Endpoints of the document that are not called. */
  get refusedEndpoints(): readonly FoundProblem[] {
    return this.#calling.refused;
  }

  /** This machine is elsewhere or back: direct paths that nobody answered on are tried again, but not all the time. */
  retryDirectPaths(): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs < this.#retryDirectAtMs) return;
    this.#retryDirectAtMs = nowMs + directRetryMs;
    this.#calling.retry();
    this.auditSoon();
  }

  /** The prober has news of paths. Routes follow at once, whatever else is being done, and without a look. */
  probed(news: ProberNews): void {
    this.#paths.take(news);
    this.#rerouteNow();
  }

  /** BGP has other best paths. Routes follow at once, as they do when a path dies. */
  bgpDecided(): void {
    this.#rerouteNow();
  }

  /** The prober began anew: what it had said is not true any more, nor is it false. */
  forgetProbes(): void {
    this.#paths.forgetProbes();
    this.#rerouteNow();
  }

  /** Compares everything soon: something happened on the machine. */
  auditSoon(): void {
    this.#auditAtMs = 0;
    this.#wake();
  }

  /**
   * Somebody deleted rules of the agent's table: they are put back before anything else, without a look at the rest.
   */
  rulesDeleted(): void {
    this.#isRulesetTouched = true;
    this.#wake();
  }

  /** Ends after what is being done now. The machine stays as it is. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTimer();
    this.#cancelChoice();
    await this.#working;
    await this.#reroute.settled();
  }

  #rerouteNow(): void {
    if (this.#target === null || this.#stopped) return;
    this.#reroute.switchNow();
    this.#chooseAgain();
  }

  /** A holder that has been nearer for long enough is used then, whether there is news or not. */
  #chooseAgain(): void {
    this.#cancelChoice();
    const { dueMs } = this.#paths;
    if (dueMs === null || this.#stopped) return;
    const afterMs = Math.max(choiceAgainMs, dueMs - this.#clock.monotonicMs());
    this.#cancelChoice = this.#clock.after(afterMs, () => this.#rerouteNow());
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
    this.#chooseAgain();
    const nowMs = this.#clock.monotonicMs();
    const due = [this.#auditAtMs, this.#handshakes.nextMs ?? Number.POSITIVE_INFINITY];
    if (this.#isDirty()) due.push(this.#retries.atMs);
    this.#cancelTimer = this.#clock.after(Math.max(0, Math.min(...due) - nowMs), () => this.#wake());
  }

  async #work(): Promise<void> {
    while (!this.#stopped && this.#target !== null) {
      const nowMs = this.#clock.monotonicMs();
      if (this.#isRulesetTouched) await this.#restoreRules(this.#target);
      else if (this.#isDirty() && this.#retries.atMs <= nowMs) await this.#applyDirty(this.#target);
      else if ((this.#handshakes.nextMs ?? Number.POSITIVE_INFINITY) <= nowMs)
        await this.#repeatHandshakes(this.#target);
      else if (this.#auditAtMs <= nowMs) await this.#audit(this.#target);
      else return;
    }
  }

  #isDirty(): boolean {
    return this.#dirty !== null;
  }

  async #applyDirty(target: Target): Promise<void> {
    const scope = this.#dirty ?? 'all';
    const startedAtMs = this.#clock.monotonicMs();
    this.#dirty = null;
    const done = await this.#guarded(target, async () => {
      // For peers the observed in memory will do. After a failure (everything) it is not to be relied on, and where
      // an interface is to be made somebody may have been there first.
      if (!this.#observed.isKnown || scope === 'all' || concernsInterfaces(scope))
        await this.#applier.lookAtAll(target);
      return this.#applier.apply(target, scope);
    });
    // Everything was looked at just now.
    if (scope === 'all') this.#auditLater(startedAtMs);
    // Said of this document even if a newer one has come meanwhile, or a busy node would never say anything.
    if (done) this.#succeed(target);
  }

  async #audit(target: Target): Promise<void> {
    const startedAtMs = this.#clock.monotonicMs();
    const failing = this.#isDirty();
    await this.#guarded(target, async () => {
      await this.#applier.lookAtAll(target);
      const switched = this.#choose();
      // What failed is tried again at its own time; routes cannot wait for that.
      if (failing) return switched.length > 0 ? this.#applier.apply(target, new Set(switched)) : [];
      const { steps, problems } = this.#applier.plan(target, 'all');
      if (this.#applied === target) this.#reportDrift(steps.filter((step) => !this.#isToChange(step)));
      return steps.length + problems.length > 0 ? this.#applier.apply(target, 'all') : [];
    });
    this.#auditLater(startedAtMs);
  }

  async #restoreRules(target: Target): Promise<void> {
    this.#isRulesetTouched = false;
    // Before the first look everything is looked at anyway.
    if (!this.#observed.isFilled) return;
    await this.#guarded(target, async () => {
      await this.#observed.lookAtRules();
      const scope = new Set([forwardingKey]);
      const { steps } = this.#applier.plan(target, scope);
      if (this.#applied === target) this.#reportDrift(steps);
      return steps.length > 0 ? this.#applier.apply(target, scope) : [];
    });
  }

  #auditLater(startedAtMs: number): void {
    const nowMs = this.#clock.monotonicMs();
    const everyMs = nowMs < this.#freshUntilMs ? agentAuditHandshakingMs : agentAuditMs;
    this.#auditAtMs = nowMs + Math.max(everyMs, (nowMs - startedAtMs) / agentAuditShareMax);
  }

  async #repeatHandshakes(target: Target): Promise<void> {
    await this.#guarded(target, async () => {
      const problems: Problem[] = [];
      for (const name of this.#handshakes.interfacesDue(this.#clock.monotonicMs())) {
        await this.#observed.lookAtTunnels(name);
        const device = this.observed.interfaces.get(name)?.device ?? null;
        this.#paths.weigh(name, this.observed, this.#clock.nowMs());
        const nowMs = this.#clock.monotonicMs();
        const { extraAllowedIps } = this.#paths;
        const calls = this.#calling;
        const steps = this.#handshakes.stepsFor(name, {
          device,
          document: target.document,
          extraAllowedIps,
          calls,
          nowMs,
        });
        problems.push(...(await this.#machine.execute(steps)));
      }
      this.#events.looked();
      const switched = this.#choose();
      if (switched.length > 0) problems.push(...(await this.#applier.apply(target, new Set(switched))));
      return problems;
    });
  }

  /** The keys of what is decided anew. */
  #choose(): string[] {
    const switched = keysOf(this.#paths.choose());
    if (switched.length > 0) this.#events.switched();
    return switched;
  }

  /** Runs one turn; says when it failed. */
  async #guarded(target: Target, turn: () => Promise<readonly Problem[]>): Promise<boolean> {
    let problems: readonly Problem[];
    try {
      problems = await turn();
    } catch (error) {
      this.#noteOwnError(error);
      problems = [turnFailure(error)];
      this.#observed.invalidate();
    }
    if (problems.length > 0) this.#fail(target, problems);
    return problems.length === 0;
  }

  #noteOwnError(error: unknown): void {
    if (error !== undefined && !(error instanceof ProductError)) this.#events.programmingError(error);
  }

  #succeed(target: Target): void {
    this.#retries.succeeded();
    this.#applied = target;
    this.#events.applied(target);
  }

  #fail(target: Target, problems: readonly Problem[]): void {
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
    this.#handshakes.begun(steps, nowMs);
    if (!steps.some((step) => step.kind === 'set_peer' && step.peer.how === 'new')) return;
    this.#freshUntilMs = nowMs + agentFreshTunnelMs;
    this.#auditAtMs = Math.min(this.#auditAtMs, nowMs + agentAuditHandshakingMs);
  }

  #reportDrift(steps: readonly Step[]): void {
    const drift = steps.filter((step) => !this.#isOwnDecision(step));
    if (drift.length === 0) return;
    const atMs = this.#clock.nowMs();
    this.#events.drifted(drift.map((step) => ({ atMs, ...driftOf(step) })));
  }

  /** A newer document came during the look, and peers are called and routes chosen by that already. */
  #isToChange(step: Step): boolean {
    return this.#dirty === 'all' || this.#dirty?.has(describeStep(step).key) === true;
  }

  /** Steps of an audit that repair nothing: a route that goes another way now, a place where nobody answered. */
  #isOwnDecision(step: Step): boolean {
    if (step.kind === 'set_peer' && step.peer.how === 'place') return true;
    const { key } = describeStep(step);
    return this.#paths.isOwn(key) || this.#calling.isOwn(key);
  }
}

function driftOf(step: Step): Pick<Drift, 'key' | 'detail'> {
  const { key, drift } = describeStep(step);
  return { key, detail: drift };
}

function concernsInterfaces(scope: ReadonlySet<string>): boolean {
  for (const key of scope) if (key.startsWith('interface/')) return true;
  return false;
}
