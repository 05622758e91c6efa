// Wakes the audit when somebody touches one of the agent's interfaces or its addresses, so that it is repaired at
// once. Only a hint: what happened is found by looking, and without the monitor the next audit finds it anyway.
import { agentMonitorQuietMs, agentMonitorSettleMs } from '@powernode/core/limits/agent';
import type { Clock } from '../ports/clock.ts';
import type { Followed, Run } from '../ports/run.ts';

export interface MonitorParts {
  readonly run: Run;
  readonly clock: Clock;
  readonly touched: () => void;
}

export class Monitor {
  readonly #parts: MonitorParts;
  #followed: Followed | null = null;
  #cancel: (() => void) | null = null;
  #quietUntilMs = 0;

  constructor(parts: MonitorParts) {
    this.#parts = parts;
  }

  start(): void {
    // setpriv: the monitor must end with the agent even when that is killed. Without it the audits have to do.
    const args = ['--pdeathsig', 'KILL', 'ip', '-oneline', 'monitor', 'link', 'address'];
    this.#followed = this.#parts.run.follow(
      { program: 'setpriv', args },
      { line: (text) => this.#line(text), ended: () => undefined },
    );
  }

  stop(): void {
    this.#followed?.stop();
    this.#cancel?.();
  }

  #line(text: string): void {
    if (this.#cancel !== null || !/\bwg-[a-z0-9]/.test(text)) return;
    const nowMs = this.#parts.clock.monotonicMs();
    const pauseMs = Math.max(agentMonitorSettleMs, this.#quietUntilMs - nowMs);
    this.#cancel = this.#parts.clock.after(pauseMs, () => {
      this.#cancel = null;
      this.#quietUntilMs = this.#parts.clock.monotonicMs() + agentMonitorQuietMs;
      this.#parts.touched();
    });
  }
}
