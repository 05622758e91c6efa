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

/** Between whom markers are exchanged, and a connection is kept beside them. */
export interface Flow {
  readonly id: number;
  readonly source: string;
  readonly destination: string;
  readonly port: number;
}

export type Command =
  | { readonly command: 'serve'; readonly addresses: readonly string[] }
  | { readonly command: 'open'; readonly flows: readonly Flow[] }
  /** The outcomes are those of the connections, by the numbers of their flows. */
  | { readonly command: 'ask' }
  | { readonly command: 'send'; readonly shots: readonly Shot[] };

/** arrived: it was answered. refused: the sender was told. silent: neither. */
export interface Outcome {
  readonly id: number;
  readonly outcome: 'arrived' | 'refused' | 'silent';
  /** Errors by which it was known, for people. */
  readonly signs: readonly string[];
}

export type Reply =
  | { readonly outcomes: readonly Outcome[] }
  /** The command could not be obeyed; the next one may be. */
  | { readonly error: string };

/** On these everybody answers. */
export const servedPorts = [7000, 7001, 7002, 7003, 7004] as const;
export const markerPort = 7999;
/** One that drawn rules name. */
export const connectionPort = 7002;
