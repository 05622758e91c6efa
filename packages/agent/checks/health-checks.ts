// The health checks of the virtual IPs that this machine holds: one under way at a time for each, what follows from them,
// and which addresses are not to be sent here now. An address stays on the machine while it is withheld: so the service can
// be asked at it, can bind it when it starts, and serves what still arrives.
import { healthChecksPerNodeMax } from '@powernode/core/limits/anycast';
import type { HealthCheckEntry } from '@powernode/core/wire/anycast-entries';
import type { NodeDocument } from '@powernode/core/wire/node-document';
import type { VirtualIpHealthObservation } from '@powernode/core/wire/node-stream';
import { type Clock, timestamp } from '../ports/clock.ts';
import type { Ask } from './ask.ts';
import { firstVerdict, nextVerdict, type Verdict } from './verdict.ts';

export interface HealthChecksParts {
  readonly clock: Clock;
  readonly ask: Ask;
  /** Some service is well that was not, or the other way round. */
  readonly turned: (entry: HealthCheckEntry, verdict: Verdict) => void;
  /** `withheld` is another list. */
  readonly changed: () => void;
}

interface Check {
  entry: HealthCheckEntry;
  verdict: Verdict;
  /** Ends what is under way, or waits. */
  cancel: () => void;
}

export class HealthChecks {
  readonly #parts: HealthChecksParts;
  /** By virtual IP. */
  readonly #checks = new Map<string, Check>();
  /** Virtual IPs that one peer holds at a time: a failure moves them. */
  #leased: ReadonlySet<string> = new Set();
  #withheld: readonly string[] = [];
  #isStopped = false;

  constructor(parts: HealthChecksParts) {
    this.#parts = parts;
  }

  /** Addresses that are not to be sent here: their service fails. The same list as long as it has not changed. */
  get withheld(): readonly string[] {
    return this.#withheld;
  }

  /** As the platform is told of them. */
  get observations(): VirtualIpHealthObservation[] {
    return Array.from(this.#checks.values(), ({ entry, verdict }) => ({
      virtual_ip_id: entry.virtual_ip_id,
      health: verdict.health,
      since: timestamp(verdict.sinceMs),
      last_error: verdict.lastError,
    }));
  }

  /** There is another document. A check that asks otherwise than before goes on from what was found before. */
  apply(document: NodeDocument): void {
    if (this.#isStopped) return;
    const wanted = new Map([...document.all('health_check')].slice(0, healthChecksPerNodeMax));
    const leased = [...document.all('virtual_ip').values()].filter(({ lease }) => lease !== null);
    this.#leased = new Set(leased.map(({ virtual_ip_id: id }) => id));
    for (const [id, check] of this.#checks) {
      if (wanted.has(id)) continue;
      check.cancel();
      this.#checks.delete(id);
    }
    for (const [id, entry] of wanted) {
      const known = this.#checks.get(id);
      if (known?.entry === entry) continue;
      known?.cancel();
      const verdict = known?.verdict ?? firstVerdict(this.#parts.clock.nowMs());
      const check: Check = { entry, verdict, cancel: () => undefined };
      this.#checks.set(id, check);
      this.#ask(check);
    }
    this.#report();
  }

  stop(): void {
    this.#isStopped = true;
    for (const { cancel } of this.#checks.values()) cancel();
  }

  #ask(check: Check): void {
    const { clock, ask } = this.#parts;
    const startedAtMs = clock.monotonicMs();
    check.cancel = ask(check.entry, ({ outcome }) => {
      if (outcome !== undefined) this.#evaluate(check, outcome);
      const waitMs = Math.max(0, startedAtMs + check.entry.interval_ms - clock.monotonicMs());
      check.cancel = clock.after(waitMs, () => this.#ask(check));
    });
  }

  #evaluate(check: Check, outcome: string | null): void {
    const { fall, rise } = check.entry;
    const before = check.verdict;
    const firstFall = this.#leased.has(check.entry.virtual_ip_id) ? fall : 1;
    check.verdict = nextVerdict(before, outcome, {
      ...{ fall, rise, firstFall },
      nowMs: this.#parts.clock.nowMs(),
    });
    if (check.verdict.health === before.health) return;
    this.#parts.turned(check.entry, check.verdict);
    this.#report();
  }

  #report(): void {
    const withheld = Array.from(this.#checks.values())
      .filter(({ verdict }) => verdict.health === 'failing')
      .map(({ entry }) => entry.address);
    if (withheld.join() === this.#withheld.join()) return;
    this.#withheld = withheld;
    this.#parts.changed();
  }
}
