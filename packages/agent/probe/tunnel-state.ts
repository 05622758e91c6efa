// The state of a tunnel to a hub, from its own path and from probes through it to other hubs. A hub may answer and yet
// not forward.
import { isHeard, type PathState, worse } from './path-state.ts';

/** A probe by way of one hub to another. */
export interface Forwarding {
  readonly state: PathState;
  /** Whether both hubs answer on their own paths, so that the probe shows whether the first one forwards. */
  readonly isSupported: boolean;
  /** Supported for long enough that something should have come, and nothing ever did. */
  readonly isOverdue: boolean;
  /** Heard a moment ago. */
  readonly isFresh: boolean;
}

export interface TunnelFacts {
  readonly path: PathState;
  readonly forwarding: readonly Forwarding[];
  /** Its hub was last found not to forward. */
  readonly wasNotForwarding: boolean;
  /** It leads to a hub, and is not a direct path to a spoke. */
  readonly isHub: boolean;
  /** It was probed for long enough that something should have come, and nothing ever did. */
  readonly isUnanswered: boolean;
}

export interface TunnelState {
  readonly state: PathState;
  readonly isNotForwarding: boolean;
}

/** The states of all tunnels to the hubs of one network. */
export function tunnelStates(facts: ReadonlyMap<string, TunnelFacts>): Map<string, TunnelState> {
  const found = new Map<string, TunnelState>();
  for (const [tunnel, one] of facts) {
    const others = [...facts]
      .filter(([other]) => other !== tunnel)
      .flatMap(([, { forwarding }]) => forwarding);
    // That others do must be fresh when it is first held against a hub: when the link between two hubs is cut, both
    // fall silent, and one of them is noticed first.
    const othersProve = others.some(
      (other) => other.isSupported && isHeard(other.state) && (one.wasNotForwarding || other.isFresh),
    );
    found.set(tunnel, tunnelState(one, othersProve));
  }
  // WireGuard in the kernel shakes hands when the agent is gone. So does a hub of an older version, which answers no
  // probes: without an answer a hub is relied on only while no other one answers.
  const isAnyHeard = [...found].some(([tunnel, { state }]) => facts.get(tunnel)?.isHub && isHeard(state));
  for (const [tunnel, { isHub, isUnanswered }] of facts) {
    if (isHub && isUnanswered && isAnyHeard) found.set(tunnel, { state: 'dead', isNotForwarding: false });
  }
  return found;
}

function tunnelState({ path, forwarding }: TunnelFacts, othersProve: boolean): TunnelState {
  if (!isHeard(path)) return { state: path, isNotForwarding: false };
  const supported = forwarding.filter((one) => one.isSupported);
  if (supported.length === 0) {
    // Nothing can be said now. What failed when it was last seen is not preferred.
    const failed = forwarding.some((one) => one.state === 'dead');
    return { state: failed ? worse(path, 'returning') : path, isNotForwarding: false };
  }
  if (supported.every(fails)) {
    return { state: othersProve ? 'dead' : worse(path, 'returning'), isNotForwarding: othersProve };
  }
  const isSteady = supported.some((one) => one.state === 'alive' || (one.state === 'untried' && !fails(one)));
  return { state: isSteady ? path : worse(path, 'returning'), isNotForwarding: false };
}

function fails(one: Forwarding): boolean {
  return one.state === 'dead' || (one.state === 'untried' && one.isOverdue);
}
