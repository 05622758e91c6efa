// What reconciling needs of a machine: look, look at a part, carry out steps. The machine itself is machine.ts; tests
// have a model of one.
import type { ByFamily } from '../plan/ruleset-intent.ts';
import type { SeenRuleset } from '../plan/ruleset-seen.ts';
import type { Seen, SeenDevice } from '../plan/seen.ts';
import type { Step } from '../plan/step.ts';
import type { SeenLinks } from './addresses/look.ts';

export interface Sink {
  /** What makes this machine's interfaces; null before the first one was made. */
  readonly flavour: 'kernel' | 'userspace' | null;
  /** The agent switched forwarding of the family on and remembers how it was before. */
  readonly forwardingHeld: ByFamily;
  look(): Promise<Seen>;
  /** Links, addresses and routes alone. What WireGuard has of each interface is not known from there. */
  lookAtLinks(): Promise<SeenLinks>;
  /** The table of rules alone. null: there is none. */
  lookAtRuleset(): Promise<SeenRuleset | null>;
  /** The WireGuard side of one interface. null: it does not answer. */
  lookAtDevice(name: string): Promise<SeenDevice | null>;
  /** Some peers of an interface; the others are taken to be as they were `before`. */
  lookAtPeers(
    name: string,
    at: { readonly before: SeenDevice; readonly changed: ReadonlySet<string> },
  ): Promise<SeenDevice | null>;
  /** Carries out what it can, in order, and returns what could not be. */
  execute(steps: readonly Step[]): Promise<Problem[]>;
}

export const rooms = ['wireguard', 'addresses', 'routing', 'nftables'] as const;
export type Room = (typeof rooms)[number];

/** What could not be done, for people. */
export interface Problem {
  readonly room: Room;
  readonly detail: string;
}

/** Which of the agent's rooms a step belongs to. */
export function roomOf(step: Step | undefined): Room {
  switch (step?.kind) {
    case 'set_ruleset':
    case 'remove_ruleset':
      return 'nftables';
    case 'set_route':
    case 'remove_route':
    case 'start_forwarding':
    case 'stop_forwarding':
      return 'routing';
    case 'set_link':
    case 'add_address':
    case 'remove_address':
      return 'addresses';
    default:
      return 'wireguard';
  }
}
