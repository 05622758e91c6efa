// What is known of the machine: looked at as a whole, or only where something was just changed.
import { agentPeersSoughtMax } from '@powernode/core/limits';
import { routesAfter } from '../plan/route-plan.ts';
import { nothingSeen, type Seen, type SeenDevice, type SeenInterface } from '../plan/seen.ts';
import type { Step } from '../plan/step.ts';
import type { SeenLinks } from './addresses/look.ts';
import { type IpStep, isIpStep } from './addresses/write.ts';
import type { Sink } from './sink.ts';
import { interfaceOf, isWireguardStep, type WireguardStep } from './wireguard/write.ts';

type PartStep = WireguardStep | IpStep | Extract<Step, { kind: 'set_ruleset' | 'remove_ruleset' }>;

export class Picture {
  readonly #machine: Sink;
  #seen: Seen | null = null;
  #isKnown = false;

  constructor(machine: Sink) {
    this.#machine = machine;
  }

  get seen(): Seen {
    return this.#seen ?? nothingSeen;
  }

  /** Whether the machine was ever looked at. */
  get wasSeen(): boolean {
    return this.#seen !== null;
  }

  /** Whether nothing has put in doubt since what was seen. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  doubt(): void {
    this.#isKnown = false;
  }

  async lookAtAll(): Promise<void> {
    this.#seen = await this.#machine.look();
    this.#isKnown = true;
  }

  /**
   * Looks where steps have changed something. false: that is everywhere, and was not looked at. `switchesDone` resolves
   * when no route is being switched beside.
   */
  async lookAfter(steps: readonly Step[], switchesDone: () => Promise<void>): Promise<boolean> {
    const parts = steps.filter(isPart);
    if (parts.length < steps.length) return false;
    if (parts.some(isIpStep)) {
      await switchesDone();
      this.#noticeLinks(await this.#machine.lookAtLinks());
    }
    for (const [name, changed] of peersByInterface(parts.filter(isWireguardStep))) {
      const before = this.#seen?.interfaces.get(name)?.device ?? null;
      const few = before !== null && changed.size <= agentPeersSoughtMax;
      const look = few
        ? this.#machine.lookAtPeers(name, { before, changed })
        : this.#machine.lookAtDevice(name);
      this.noticeDevice(name, await look);
    }
    if (parts.some((step) => !isWireguardStep(step) && !isIpStep(step))) {
      const ruleset = await this.#machine.lookAtRuleset();
      if (this.#seen !== null) this.#seen = { ...this.#seen, ruleset };
    }
    return true;
  }

  noticeDevice(name: string, device: SeenDevice | null): void {
    const seen = this.#seen;
    const before = seen?.interfaces.get(name);
    if (seen === null || before === undefined) return;
    this.#seen = { ...seen, interfaces: new Map(seen.interfaces).set(name, { ...before, device }) };
  }

  #noticeLinks({ interfaces, routes }: SeenLinks): void {
    const before = this.#seen;
    if (before === null) return;
    const merged = new Map<string, SeenInterface>();
    for (const [name, link] of interfaces) {
      merged.set(name, { ...link, device: before.interfaces.get(name)?.device ?? null });
    }
    this.#seen = { ...before, interfaces: merged, routes };
  }

  /** Takes routes to be as these steps make them. */
  assumeRoutes(steps: readonly Step[]): void {
    if (this.#seen !== null) this.#seen = { ...this.#seen, routes: routesAfter(this.#seen.routes, steps) };
  }
}

function isPart(step: Step): step is PartStep {
  return (
    isWireguardStep(step) || isIpStep(step) || step.kind === 'set_ruleset' || step.kind === 'remove_ruleset'
  );
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
