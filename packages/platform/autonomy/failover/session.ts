// One virtual IP that this process leads: its row, the state of the pure machine (core/virtual-ips), and the order of
// things: one event after the other, and each one's effects before the next.
import type { PeerId } from '@powernode/core/ids';
import type { Effect, Event, HubReport, State } from '@powernode/core/virtual-ips/state';
import { step } from '@powernode/core/virtual-ips/step';
import type { VirtualIpRow } from '../../actions/sdwan/virtual-ips/model.ts';
import type { Clock } from '../../trust/clock.ts';

export interface SessionParts {
  readonly clock: Pick<Clock, 'steady' | 'after'>;
  readonly perform: (
    session: FailoverSession,
    effect: Exclude<Effect, { kind: 'wake' | 'acknowledge' }>,
  ) => void;
}

export class FailoverSession {
  row: VirtualIpRow;
  state: State;
  /** The request that this process has put to the operators. */
  approvalId: string | null = null;
  /** Peers and instances whose changes concern it. */
  interests: { readonly peers: readonly string[]; readonly instances: readonly string[] } = {
    peers: [],
    instances: [],
  };
  readonly #parts: SessionParts;
  readonly #queue: Event[] = [];
  #isBusy = false;
  #answered = false;
  #ended = false;
  #wake: { readonly atMs: number; readonly cancel: () => void } | null = null;

  constructor(row: VirtualIpRow, state: State, parts: SessionParts) {
    this.row = row;
    this.state = state;
    this.#parts = parts;
  }

  get id(): string {
    return this.row.id;
  }
  get accountId(): string {
    return this.row.account_id;
  }
  get networkId(): string {
    return this.row.network_id;
  }

  feed(event: Event): void {
    if (this.#ended) return;
    this.#queue.push(event);
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) this.#accept(next);
    } finally {
      this.#isBusy = false;
    }
  }

  /** The holder renews its lease: whether it is answered. If so it counts as answered at this moment. */
  renews(peerId: PeerId, epoch: number): boolean {
    this.#answered = false;
    this.feed({ kind: 'renew', peerId, epoch });
    return this.#answered;
  }

  /** The newest report of a hub on a peer. Only one that differs is an event. */
  report(hub: PeerId, peerId: PeerId, report: HubReport | null): void {
    const known = this.state.reports.get(peerId)?.get(hub) ?? null;
    if (known === null && report === null) return;
    const isSame = known?.reachable === report?.reachable && known?.streamOpenedMs === report?.streamOpenedMs;
    if (!isSame) this.feed({ kind: 'report', hub, peerId, report });
  }

  /** The request that waits for an operator now; null: none does any more. */
  requested(request: { readonly id: string; readonly target: string } | null): void {
    this.approvalId = request?.id ?? null;
    this.feed({
      kind: 'approval',
      approval: request === null ? null : { status: 'pending', target: request.target },
    });
  }

  end(): void {
    this.#ended = true;
    this.#wake?.cancel();
  }

  #accept(event: Event): void {
    const { state, effects } = step(this.state, event, this.#parts.clock.steady());
    this.state = state;
    for (const effect of effects) {
      if (effect.kind === 'acknowledge') this.#answered = true;
      else if (effect.kind === 'wake') this.#wakeAt(effect.atMs);
      else this.#parts.perform(this, effect);
    }
  }

  /** The earliest one counts: it asks for the next. */
  #wakeAt(atMs: number): void {
    if (this.#wake !== null && this.#wake.atMs <= atMs) return;
    this.#wake?.cancel();
    const delayMs = Math.max(Math.ceil(atMs - this.#parts.clock.steady()), 0);
    const cancel = this.#parts.clock.after(delayMs, () => {
      this.#wake = null;
      this.feed({ kind: 'tick' });
    });
    this.#wake = { atMs, cancel };
  }
}
