// How many events of one kind of report a node may cause in a minute. What is over that is counted in the next one.
import type { Clock } from '../../trust/clock.ts';
import type { NodeState } from '../nodes/node-state.ts';

interface Minute {
  /** By a clock that nobody sets. */
  readonly since: number;
  events: number;
  /** Things that no event has told, because there were too many. */
  unreported: number;
}

export class EventBudget {
  readonly #clock: Pick<Clock, 'steady'>;
  readonly #perMinuteMax: number;
  readonly #minutes = new WeakMap<NodeState, Minute>();

  constructor(clock: Pick<Clock, 'steady'>, perMinuteMax: number) {
    this.#clock = clock;
    this.#perMinuteMax = perMinuteMax;
  }

  /**
   * One more event, which tells of so many things: with how many no event has told since the last one. null: it is one too
   * many.
   */
  take(node: NodeState, things = 1): { readonly unreported: number } | null {
    const minute = this.#minuteOf(node);
    if (minute.events >= this.#perMinuteMax) {
      minute.unreported += things;
      return null;
    }
    minute.events++;
    const { unreported } = minute;
    minute.unreported = 0;
    return { unreported };
  }

  #minuteOf(node: NodeState): Minute {
    const now = this.#clock.steady();
    const known = this.#minutes.get(node);
    if (known !== undefined && now - known.since < 60_000) return known;
    const minute = { since: now, events: 0, unreported: known?.unreported ?? 0 };
    this.#minutes.set(node, minute);
    return minute;
  }
}
