// Whom packets for a prefix are sent to where BGP decides, in the order in which it is tried: the peers that BGP takes, and
// beside them the peers without a bgpd, of which BGP never has a path.

/** A peer in front of the prefix, as documents name it. */
export interface FrontPeer {
  /** Its overlay address. */
  readonly next_hop: string;
  readonly preference: number;
  readonly is_static?: boolean | undefined;
}

export interface OrderedHop<Entry> {
  /** Its overlay address. */
  readonly address: string;
  /** undefined: the peer is not in front of the prefix; a policy has set the next hop. */
  readonly entry: Entry | undefined;
}

/**
 * `entries`: the most preferred first; `decided`: the addresses that BGP takes, the best first. A peer without a bgpd goes
 * before those where it is preferred to each of them, else behind them. None: nobody is sent to.
 */
export function hopOrder<Entry extends FrontPeer>(
  entries: readonly Entry[],
  decided: readonly string[],
): OrderedHop<Entry>[] {
  const byBgp = decided.map((address) => ({
    address,
    entry: entries.find(({ next_hop }) => next_hop === address),
  }));
  const preferences = byBgp.flatMap(({ entry }) => entry?.preference ?? []);
  const isFirst = ({ preference }: Entry) =>
    preferences.length > 0 && preferences.every((other) => preference > other);
  const others = entries.filter((one) => one.is_static === true && !decided.includes(one.next_hop));
  const hopsTo = (some: readonly Entry[]) => some.map((entry) => ({ address: entry.next_hop, entry }));
  return [...hopsTo(others.filter(isFirst)), ...byBgp, ...hopsTo(others.filter((one) => !isFirst(one)))];
}
