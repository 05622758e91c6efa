// Test support: a machine that is a model, with a switch for each way in which a real one fails.
import { applySteps, type ModelKernel } from '../plan/kernel.fixture.ts';
import type { ByFamily } from '../plan/ruleset-intent.ts';
import type { SeenRuleset } from '../plan/ruleset-seen.ts';
import { nothingSeen, type Seen, type SeenDevice, type SeenPeer } from '../plan/seen.ts';
import { keyOf, type Step } from '../plan/step.ts';
import type { SeenLinks } from './addresses/look.ts';
import { type Problem, roomOf, type Sink } from './sink.ts';

export class ModelSink implements Sink {
  readonly flavour = 'userspace';
  kernel: ModelKernel = { seen: nothingSeen, forwardingHeld: nothingSeen.forwarding };
  /** Every call in order: `look`, `look wg-a`, `look wg-a (2)`, or a step by its kind and key. */
  readonly log: string[] = [];
  /** Steps whose kind this says are refused with these words. */
  refuses: (step: Step) => string | null = () => null;
  /** Steps whose kind this says are accepted and not done. */
  ignores: (step: Step) => boolean = () => false;
  lookFails: string | null = null;

  get forwardingHeld(): ByFamily {
    return this.kernel.forwardingHeld;
  }

  async look(): Promise<Seen> {
    this.log.push('look');
    if (this.lookFails !== null) throw new Error(this.lookFails);
    return this.kernel.seen;
  }

  async lookAtLinks(): Promise<SeenLinks> {
    this.log.push('look links');
    const { interfaces, routes } = this.kernel.seen;
    return { interfaces: new Map(interfaces), routes: new Map(routes) };
  }

  async lookAtRuleset(): Promise<SeenRuleset | null> {
    this.log.push('look rules');
    return this.kernel.seen.ruleset;
  }

  async lookAtDevice(name: string): Promise<SeenDevice | null> {
    this.log.push(`look ${name}`);
    return this.kernel.seen.interfaces.get(name)?.device ?? null;
  }

  async lookAtPeers(
    name: string,
    at: { before: SeenDevice; changed: ReadonlySet<string> },
  ): Promise<SeenDevice | null> {
    this.log.push(`look ${name} (${at.changed.size})`);
    return this.kernel.seen.interfaces.get(name)?.device ?? null;
  }

  async execute(steps: readonly Step[]): Promise<Problem[]> {
    const problems: Problem[] = [];
    for (const step of steps) {
      this.log.push(`${step.kind} ${keyOf(step)}`);
      const refusal = this.refuses(step);
      const detail = refusal ?? (this.ignores(step) ? null : this.#apply(step));
      if (detail !== null) problems.push({ room: roomOf(step), detail });
    }
    return problems;
  }

  /** What the kernel complains of; null: it is done. */
  #apply(step: Step): string | null {
    try {
      this.kernel = applySteps(this.kernel, [step]);
      return null;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** What somebody does to the machine by hand. */
  tamper(change: (seen: Seen) => Seen): void {
    this.kernel = { ...this.kernel, seen: change(this.kernel.seen) };
  }

  /** What WireGuard does by itself to one peer. */
  live(name: string, publicKey: string, change: Partial<SeenPeer>): void {
    this.tamper((seen) => {
      const one = seen.interfaces.get(name);
      const peer = one?.device?.peers.get(publicKey);
      if (one?.device == null || peer === undefined) throw new Error(`no peer ${publicKey} on ${name}`);
      const peers = new Map(one.device.peers).set(publicKey, { ...peer, ...change });
      const device = { ...one.device, peers };
      return { ...seen, interfaces: new Map(seen.interfaces).set(name, { ...one, device }) };
    });
  }

  /** The log since the last time. */
  took(): string[] {
    return this.log.splice(0);
  }
}
