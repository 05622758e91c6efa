// What the benchmark and its process of simulated nodes say to each other over IPC. Nodes are named by their place
// in the fleet; `to` is the first that is not meant.

export type Order =
  /** Opens streams and waits until each node knows what it should hold. */
  | { readonly kind: 'connect'; readonly from: number; readonly to: number; readonly atOnce: number }
  | { readonly kind: 'drop'; readonly from: number; readonly to: number }
  /** One after the other: connects, says what it holds, hears that this is current, leaves. */
  | { readonly kind: 'poll'; readonly from: number; readonly to: number }
  /** Counts bytes from nothing from here on. */
  | { readonly kind: 'forget' }
  /** Each asks for its whole document; answered when all have it. */
  | { readonly kind: 'resync'; readonly from: number; readonly to: number }
  /** Answered when all of these nodes have a document of this revision. */
  | { readonly kind: 'held'; readonly revision: number; readonly nodes: readonly number[] }
  /** What came since `forget`, to these nodes and to all others. */
  | { readonly kind: 'bytes'; readonly nodes: readonly number[] }
  | { readonly kind: 'end' };

export interface Reached {
  /** Milliseconds since 1970 when the last node had it. */
  readonly lastAtMs: number;
}

export interface Resynced extends Reached {
  readonly begunAtMs: number;
  readonly bytes: number;
}

export interface Bytes {
  readonly named: number;
  readonly others: number;
}

/** What each order is answered with. */
export interface Answers {
  readonly connect: null;
  readonly drop: null;
  readonly poll: null;
  readonly forget: null;
  readonly resync: Resynced;
  readonly held: Reached;
  readonly bytes: Bytes;
  readonly end: null;
}

export type OrderKind = Order['kind'];
