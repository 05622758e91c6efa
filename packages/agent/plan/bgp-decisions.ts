// What BGP has decided about prefixes behind peers, as the selection of paths asks for it.

export interface BgpDecisions {
  /** null: BGP does not decide in this network now, so that preferences do. */
  of(networkId: string): NetworkDecisions | null;
}

export interface NetworkDecisions {
  /**
   * The overlay addresses of the peers that packets to a prefix go to, all equally good; none: nobody announces it. null:
   * BGP does not decide about this prefix yet.
   */
  nextHops(prefix: string): readonly string[] | null;
}

/** Everywhere static. */
export const noDecisions: BgpDecisions = { of: () => null };
