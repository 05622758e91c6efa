// What the test and its program inside each host say to each other, a line of JSON each.

/** One packet that is sent, and the path whose marker tells when nothing more can come of it. */
export interface Shot {
  readonly id: number;
  readonly source: string;
  readonly destination: string;
  readonly protocol: 'tcp' | 'udp' | 'icmp6';
  /** 0: it has none. */
  readonly port: number;
  readonly flow: number;
}

/** A connection that was open before any rule was there, and so goes on whatever the rules say. */
export interface Flow {
  readonly id: number;
  readonly source: string;
  readonly destination: string;
  readonly port: number;
}

export type Command =
  | { readonly command: 'serve'; readonly addresses: readonly string[] }
  | { readonly command: 'open'; readonly flows: readonly Flow[] }
  | { readonly command: 'send'; readonly shots: readonly Shot[] };

/** arrived: it was answered. refused: the sender was told. silent: neither. */
export interface Outcome {
  readonly id: number;
  readonly outcome: 'arrived' | 'refused' | 'silent';
  /** Errors by which it was known, for people. */
  readonly signs: readonly string[];
}

export interface Reply {
  readonly outcomes: readonly Outcome[];
}

/** On these everybody answers. */
export const servedPorts = [7000, 7001, 7002, 7003, 7004] as const;
export const markerPort = 7999;
