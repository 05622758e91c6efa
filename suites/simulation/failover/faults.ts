// Faults that are put into the shell of fail-over on purpose, to show that the simulation finds such ones: each replaces
// one method of a class of the product, and is taken out again.
import { LeaderTerm } from '../../../packages/platform/autonomy/failover/leader-term.ts';
import { OutstandingLeases } from '../../../packages/platform/autonomy/failover/outstanding-leases.ts';
import { FailoverSession } from '../../../packages/platform/autonomy/failover/session.ts';
import { SharedLeadership } from '../../../packages/platform/coordination/leadership.ts';

export interface Fault {
  readonly name: string;
  /** The first of the runs from 1 on that finds it, as docs/measurements/fail-over-simulation.md says. */
  readonly foundBy: number;
  /** Returns the function that takes it out. */
  readonly plant: () => () => void;
}

export const faults: readonly Fault[] = [
  {
    name: 'what the holder was given before is forgotten as soon as it is given something else',
    foundBy: 76,
    plant: () => {
      const { termsOf } = OutstandingLeases.prototype;
      return replaced(OutstandingLeases.prototype, 'termsOf', function (this: OutstandingLeases, ...args) {
        return termsOf.apply(this, args).slice(-1);
      });
    },
  },
  {
    name: 'a process that has led once goes on leading when its claim has run out',
    foundBy: 51,
    plant: () => {
      const { leads } = SharedLeadership.prototype;
      const once = new WeakSet<SharedLeadership>();
      return replaced(SharedLeadership.prototype, 'leads', function (this: SharedLeadership) {
        if (leads.call(this)) once.add(this);
        return once.has(this);
      });
    },
  },
  {
    name: 'a holder is answered while the address is being taken from it',
    foundBy: 1,
    plant: () =>
      replaced(FailoverSession.prototype, 'renews', function (this: FailoverSession, peerId, epoch) {
        return this.row.current_holder_peer_id === peerId && this.row.epoch === epoch;
      }),
  },
  {
    name: 'a process that begins to lead forgets that another one may have answered the holder',
    foundBy: 64,
    plant: () => {
      const { feed } = FailoverSession.prototype;
      return replaced(FailoverSession.prototype, 'feed', function (this: FailoverSession, event) {
        feed.call(this, event);
        if (event.kind === 'leadership') this.state = { ...this.state, lastRenewedMs: null };
      });
    },
  },
  {
    name: 'the leader does not read a row that another process has written',
    foundBy: 4,
    plant: () => replaced(LeaderTerm.prototype, 'rowChanged', () => undefined),
  },
];

function replaced<T, K extends keyof T>(prototype: T, name: K, method: T[K]): () => void {
  const before = prototype[name];
  prototype[name] = method;
  return () => {
    prototype[name] = before;
  };
}
