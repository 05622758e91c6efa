// Notices at once when somebody deletes rules of nftables: the kernel notifies `nft monitor`, which runs as a child.
// What was deleted of the agent's own table is put back at once; what was deleted elsewhere is a reason to look at what
// else decides on this host. Only a hint: without it the periodic look finds the same, later.
import { agentRulesetMonitorAgainMs, agentRulesetQuietMs } from '@powernode/core/limits/agent';
import type { Clock } from '../ports/clock.ts';
import type { Followed, Run } from '../ports/run.ts';

export interface RulesetMonitorParts {
  readonly run: Run;
  readonly clock: Clock;
  /** Rules of the agent's table were deleted, and not by the agent. */
  readonly ownDeleted: () => void;
  /** Rules of another table were deleted. */
  readonly otherDeleted: () => void;
}

const ownTable = 'delete rule inet powernode ';

export class RulesetMonitor {
  readonly #parts: RulesetMonitorParts;
  #followed: Followed | null = null;
  #cancelRestart: () => void = () => undefined;
  /** Runs of nft by the agent itself that are under way. */
  #writing = 0;
  #quietUntilMs = 0;
  #cancelOwn: (() => void) | null = null;
  #cancelOther: (() => void) | null = null;
  #stopped = false;

  constructor(parts: RulesetMonitorParts) {
    this.#parts = parts;
  }

  start(): void {
    // setpriv: the child must end with the agent even when that is killed. Rules alone: a table that is deleted or
    // flushed loses its rules, and elements of sets, which are refreshed many times a second, are of no interest.
    const args = ['--pdeathsig', 'KILL', 'nft', 'monitor', 'destroy', 'rules'];
    this.#followed = this.#parts.run.follow(
      { program: 'setpriv', args },
      { line: (text) => this.#line(text), ended: () => this.#ended() },
    );
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelRestart();
    this.#cancelOwn?.();
    this.#cancelOther?.();
    this.#followed?.stop();
  }

  /** The agent begins to write its table; what is deleted until `written` may be its own doing. */
  writing(): void {
    this.#writing++;
  }

  written(): void {
    this.#writing--;
    // Notifications of what was just written are on their way still.
    this.#quietUntilMs = this.#parts.clock.monotonicMs() + agentRulesetQuietMs;
  }

  #line(text: string): void {
    if (!text.startsWith('delete rule ')) return;
    if (text.startsWith(ownTable)) this.#ownDeleted();
    else this.#otherDeleted();
  }

  /** At once; within a moment of a write by the agent, or of the last time, after that moment. */
  #ownDeleted(): void {
    if (this.#cancelOwn !== null) return;
    const { clock, ownDeleted } = this.#parts;
    const pauseMs = this.#quietUntilMs - clock.monotonicMs();
    if (this.#writing === 0 && pauseMs <= 0) {
      this.#quietUntilMs = clock.monotonicMs() + agentRulesetQuietMs;
      return ownDeleted();
    }
    this.#cancelOwn = clock.after(Math.max(agentRulesetQuietMs, pauseMs), () => {
      this.#cancelOwn = null;
      ownDeleted();
    });
  }

  #otherDeleted(): void {
    if (this.#cancelOther !== null) return;
    this.#cancelOther = this.#parts.clock.after(agentRulesetMonitorAgainMs, () => {
      this.#cancelOther = null;
      this.#parts.otherDeleted();
    });
  }

  /** The kernel drops notifications that are not read in time, and nft then ends. */
  #ended(): void {
    if (this.#stopped) return;
    this.#cancelRestart = this.#parts.clock.after(agentRulesetMonitorAgainMs, () => {
      this.start();
      // Nobody was listening meanwhile.
      this.#parts.ownDeleted();
    });
  }
}
