// A path to a prefix, as bgpd has it: what was received, and what became of it.

export interface PathAttributes {
  readonly local_pref: number;
  readonly med: number;
  readonly as_path: readonly number[];
  readonly origin: 'IGP' | 'EGP' | 'incomplete';
  /** In the order in which bgpd prints them. */
  readonly communities: readonly string[];
  /** The identity of the announcer (identity.ts); null: none. */
  readonly announcer: string | null;
  /** An IPv6 address. */
  readonly next_hop: string;
}

/** A path before policies: as a neighbor sent it, or as the node announces it. */
export interface ReceivedPath {
  readonly attributes: PathAttributes;
  /** null: the node announces the prefix itself. */
  readonly neighbor: {
    readonly host_address: string;
    readonly router_id: string;
  } | null;
  /** Of the announcer, when a reflector has passed it on. */
  readonly originator_id: string | null;
  /** Reflectors that have passed it on. */
  readonly cluster_length: number;
}
