// Test support: a prober that probes nothing. What it is told is kept, and it says what a test says.
import type { ProberConfig } from './config.ts';
import type { LeaseRenewal } from './leases.ts';
import type { Prober, ProberEvents } from './prober.ts';
import type { TargetReport } from './targets.ts';
import type { WatchChange } from './watches.ts';

export class FakeProber implements Prober {
  readonly configs: ProberConfig[] = [];
  readonly answers: LeaseRenewal[] = [];
  readonly confirmed: WatchChange[] = [];
  /** `loading` and `loaded`, in order. */
  readonly rules: string[] = [];
  withheld: readonly string[] = [];
  targets: readonly TargetReport[] = [];
  #events: ProberEvents | null = null;

  start = (events: ProberEvents): Prober => {
    this.#events = events;
    return this;
  };

  get events(): ProberEvents {
    if (this.#events === null) throw new Error('it was not started');
    return this.#events;
  }

  configure(config: ProberConfig): void {
    this.configs.push(config);
  }

  leaseAck(answer: LeaseRenewal): void {
    this.answers.push(answer);
  }

  confirmation(watched: readonly WatchChange[]): () => void {
    return () => this.confirmed.push(...watched);
  }

  withhold(addresses: readonly string[]): void {
    this.withheld = addresses;
  }

  rulesLoading(): void {
    this.rules.push('loading');
  }

  rulesLoaded(): void {
    this.rules.push('loaded');
  }

  async report(): Promise<readonly TargetReport[]> {
    return this.targets;
  }

  async stop(): Promise<void> {
    this.#events = null;
  }
}
