// Keeps the machine equal to a document: applies changes as they come, compares everything every few seconds,
// mends what somebody changed by hand, tries again what failed. One thing at a time; when is decided here, what in
// plan/, how in machine.ts.
import {
  agentApplyRetryFirstMs,
  agentApplyRetryMaxMs,
  agentApplyRoundsMax,
  agentAuditHandshakingMs,
  agentAuditMs,
  agentAuditShareMax,
  agentFreshTunnelMs,
  agentPeersSoughtMax,
} from '@powernode/core/limits';
import { PassiveHealth } from '../plan/health.ts';
import { makePlan, type Plan, type Scope } from '../plan/plan.ts';
import { routeMetric } from '../plan/route-plan.ts';
import { RouteChooser } from '../plan/routes.ts';
import { nothingSeen, type Seen, type SeenDevice } from '../plan/seen.ts';
import { describeDrift, keyOf, type Step } from '../plan/step.ts';
import type { Clock } from '../ports/clock.ts';
import type { Held } from '../state/held.ts';
import { Kicks } from './kicks.ts';
import type { Problem, Sink } from './sink.ts';
import { interfaceOf, isWireguardStep, type WireguardStep } from './wireguard/write.ts';

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
}

export class Reconciler {
  readonly #machine: Sink;
  readonly #clock: Clock;
  readonly #events: ReconcilerEvents;
  readonly #health = new PassiveHealth();
  readonly #chooser = new RouteChooser();
  readonly #kicks = new Kicks();
  readonly #writtenEndpoints = new Map<string, string>();
  #seen: Seen | null = null;
  #target: Held | null = null;
  /** What may differ from the document; null: nothing is known to. */
  #dirty: Set<string> | 'all' | null = null;
  #applied: Held | null = null;
  #failures = 0;
  #retryAtMs = 0;
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
    this.#clock = parts.clock;
    this.#events = parts.events;
  }

  get seen(): Seen {
    return this.#seen ?? nothingSeen;
  }

  get choices(): ReadonlyMap<string, string | null> {
    return this.#chooser.choices;
  }

  /** The document that the machine was last read back to equal, unless it failed or changed since. */
  get applied(): Held | null {
    return this.#applied;
  }

  /** The document to be. `keys`: which entries may differ from the one before. */
  take(held: Held, keys: ReadonlySet<string> | 'all'): void {
    this.#target = held;
    if (keys === 'all' || this.#dirty === 'all') this.#dirty = 'all';
    else this.#dirty = new Set([...(this.#dirty ?? []), ...keys]);
    // A new document may be what was missing: it is tried at once, whatever the pause after failures is.
    this.#retryAtMs = 0;
    this.#wake();
  }

  /** The endpoints in the kernel may be older than the document: the last agent ended before it had applied it. */
  distrustEndpoints(held: Held): void {
    for (const [key, entry] of held.entries) if (entry.kind === 'peer') this.#writtenEndpoints.set(key, '');
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
    if (this.#isDirty()) due.push(this.#retryAtMs);
    this.#cancelTimer = this.#clock.after(Math.max(0, Math.min(...due) - nowMs), () => this.#wake());
  }

  async #work(): Promise<void> {
    while (!this.#stopped && this.#target !== null) {
      const nowMs = this.#clock.monotonicMs();
      if (this.#isDirty() && this.#retryAtMs <= nowMs) await this.#applyDirty(this.#target);
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
      if (this.#seen === null || scope === 'all' || concernsInterfaces(scope)) await this.#lookAtAll();
      return this.#converge(target, scope);
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
      await this.#lookAtAll();
      const switched = new Set(this.#choose(target));
      // What failed is tried again at its own time; routes cannot wait for that.
      if (failing) return switched.size > 0 ? this.#converge(target, routesOf(target)) : [];
      const { steps, problems } = this.#plan(target, 'all');
      if (this.#applied === target) this.#tellDrift(steps, switched);
      return steps.length + problems.length > 0 ? this.#converge(target, 'all') : [];
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
        this.#notice(name, device);
        this.#weigh(name);
        const nowMs = this.#clock.monotonicMs();
        problems.push(
          ...(await this.#machine.execute(
            this.#kicks.stepsFor(name, { device, entries: target.entries, nowMs }),
          )),
        );
      }
      this.#events.looked();
      if (this.#choose(target).length > 0) problems.push(...(await this.#converge(target, routesOf(target))));
      return problems;
    });
  }

  /** Carries out plans until nothing differs; returns what could not be done. */
  async #converge(target: Held, scope: Scope): Promise<Problem[]> {
    if (scope === 'all' || concernsRoutes(scope)) this.#choose(target);
    for (let round = 0; round < agentApplyRoundsMax; round++) {
      const plan = this.#plan(target, scope);
      if (plan.steps.length === 0) {
        if (plan.problems.length === 0) this.#rememberEndpoints(target, scope);
        return plan.problems.map((detail) => ({ room: 'wireguard', detail }));
      }
      const problems = await this.#machine.execute(plan.steps);
      this.#begun(plan.steps);
      await this.#lookAfter(plan.steps);
      if (problems.length > 0) return problems;
    }
    const left = this.#plan(target, scope).steps.map(describeDrift);
    if (left.length === 0) return [];
    return [
      {
        room: 'wireguard',
        detail: `Written ${agentApplyRoundsMax} times, and still: ${left.slice(0, 5).join('; ')}`,
      },
    ];
  }

  /** Runs one turn; says when it failed. */
  async #guarded(target: Held, turn: () => Promise<readonly Problem[]>): Promise<boolean> {
    let problems: readonly Problem[];
    try {
      problems = await turn();
    } catch (error) {
      problems = [{ room: 'wireguard', detail: error instanceof Error ? error.message : String(error) }];
      this.#seen = null;
    }
    if (problems.length > 0) this.#fail(target, problems);
    return problems.length === 0;
  }

  #succeed(target: Held): void {
    this.#failures = 0;
    this.#applied = target;
    this.#events.applied(target);
  }

  #fail(target: Held, problems: readonly Problem[]): void {
    // An audit that fails while a try is due anyway neither postpones that try nor is it news.
    if (this.#isDirty() && this.#applied === null && this.#retryAtMs > this.#clock.monotonicMs()) return;
    const pauseMs = Math.min(agentApplyRetryFirstMs * 2 ** this.#failures, agentApplyRetryMaxMs);
    this.#failures++;
    this.#applied = null;
    this.#dirty = 'all';
    this.#retryAtMs = this.#clock.monotonicMs() + pauseMs;
    this.#events.failed(target, problems);
  }

  #plan(target: Held, scope: Scope): Plan {
    return makePlan({
      entries: target.entries,
      seen: this.seen,
      scope,
      choices: this.#chooser.choices,
      forwardingHeld: this.#machine.forwardingHeld,
      writtenEndpoints: this.#writtenEndpoints,
      nowMs: this.#clock.nowMs(),
    });
  }

  #choose(target: Held): string[] {
    return this.#chooser.choose({
      entries: target.entries,
      health: this.#health,
      nowMs: this.#clock.nowMs(),
    });
  }

  async #lookAtAll(): Promise<void> {
    const first = this.#seen === null;
    const seen = await this.#machine.look();
    this.#seen = seen;
    if (first) this.#chooser.adopt(routesInKernel(seen));
    for (const one of seen.interfaces.values()) if (one.ours) this.#weigh(one.name);
    this.#health.keepOnly((key) => this.#target?.entries.has(key) ?? false);
    this.#events.looked();
  }

  /** After steps that only concern peers it is enough to look at those. Nothing else is told or judged by it. */
  async #lookAfter(steps: readonly Step[]): Promise<void> {
    if (!steps.every(isWireguardStep)) return this.#lookAtAll();
    for (const [name, changed] of peersByInterface(steps)) {
      const before = this.#seen?.interfaces.get(name)?.device ?? null;
      const few = before !== null && changed.size <= agentPeersSoughtMax;
      const look = few
        ? this.#machine.lookAtPeers(name, { before, changed })
        : this.#machine.lookAtDevice(name);
      this.#notice(name, await look);
    }
  }

  #notice(name: string, device: SeenDevice | null): void {
    const seen = this.#seen;
    const before = seen?.interfaces.get(name);
    if (seen === null || before === undefined) return;
    this.#seen = { ...seen, interfaces: new Map(seen.interfaces).set(name, { ...before, device }) };
  }

  #weigh(name: string): void {
    const peers = this.#seen?.interfaces.get(name)?.device?.peers.values() ?? [];
    this.#health.look(name, peers, this.#clock.nowMs());
  }

  #begun(steps: readonly Step[]): void {
    const nowMs = this.#clock.monotonicMs();
    this.#kicks.begun(steps, nowMs);
    for (const step of steps) {
      if (step.kind !== 'set_peer') continue;
      if (step.peer.endpoint !== null) this.#writtenEndpoints.set(keyOf(step), step.peer.endpoint);
      if (step.peer.how !== 'new') continue;
      this.#freshUntilMs = nowMs + agentFreshTunnelMs;
      this.#auditAtMs = Math.min(this.#auditAtMs, nowMs + agentAuditHandshakingMs);
    }
  }

  /** From now on a different endpoint in the document is a changed wish, and not one that the kernel has outgrown. */
  #rememberEndpoints(target: Held, scope: Scope): void {
    for (const key of scope === 'all' ? target.entries.keys() : scope) {
      const entry = target.entries.get(key);
      if (entry?.kind === 'peer' && entry.endpoint !== null) this.#writtenEndpoints.set(key, entry.endpoint);
      else this.#writtenEndpoints.delete(key);
    }
  }

  #tellDrift(steps: readonly Step[], switched: ReadonlySet<string>): void {
    const drift = steps.filter((step) => !isOwnDecision(step, switched));
    if (drift.length === 0) return;
    const atMs = this.#clock.nowMs();
    this.#events.drifted(drift.map((step) => ({ atMs, key: keyOf(step), detail: describeDrift(step) })));
  }
}

/** Steps of an audit that mend nothing: a route that goes another way now, a place where nobody answered. */
function isOwnDecision(step: Step, switched: ReadonlySet<string>): boolean {
  if (step.kind === 'set_route' || step.kind === 'remove_route') return switched.has(step.destination);
  return step.kind === 'set_peer' && step.peer.how === 'place';
}

/** The public keys that steps touch, by interface. */
function peersByInterface(steps: readonly WireguardStep[]): Map<string, Set<string>> {
  const touched = new Map<string, Set<string>>();
  for (const step of steps) {
    const name = interfaceOf(step);
    const keys = touched.get(name) ?? new Set();
    if (step.kind === 'remove_peer') keys.add(step.publicKey);
    if (step.kind === 'set_peer') keys.add(step.peer.publicKey);
    touched.set(name, keys);
  }
  return touched;
}

function concernsInterfaces(scope: ReadonlySet<string>): boolean {
  for (const key of scope) if (key.startsWith('interface/')) return true;
  return false;
}

function concernsRoutes(scope: ReadonlySet<string>): boolean {
  for (const key of scope) if (key.startsWith('route/')) return true;
  return concernsInterfaces(scope);
}

function routesOf(target: Held): Set<string> {
  const keys = new Set<string>();
  for (const [key, entry] of target.entries) if (entry.kind === 'route') keys.add(key);
  return keys;
}

function routesInKernel(seen: Seen): [string, string][] {
  const found: [string, string][] = [];
  for (const [destination, routes] of seen.routes) {
    const route = routes.find((one) => one.metric === routeMetric);
    if (route !== undefined) found.push([destination, route.device]);
  }
  return found;
}
