// Where the kernel differed from the applied document; it is repaired by the time that this is reported.
export interface Drift {
  readonly atMs: number;
  /** Of the entry whose part of the kernel differed. */
  readonly key: string;
  readonly detail: string;
}
