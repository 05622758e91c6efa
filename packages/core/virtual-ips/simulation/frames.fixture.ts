// Test support: what machines and platform processes of the simulation say to each other on their lines.
import type { Terms } from '../terms.ts';

/** What a candidate is to be: with the address, or without. */
export interface Document {
  readonly revision: number;
  readonly entry: { readonly epoch: number; readonly terms: Exclude<Terms, 'unknown'> } | null;
}

export type Up =
  | { readonly kind: 'hello'; readonly held: number; readonly applied: number }
  | { readonly kind: 'applied'; readonly revision: number }
  | { readonly kind: 'paths'; readonly peers: readonly { readonly peer: string; readonly alive: boolean }[] }
  | { readonly kind: 'hold'; readonly sequence: number; readonly epoch: number }
  | { readonly kind: 'ask'; readonly token: number }
  | { readonly kind: 'told'; readonly token: number };

export type Down =
  | { readonly kind: 'document'; readonly document: Document }
  | { readonly kind: 'held'; readonly sequence: number; readonly epochs: readonly number[] }
  | { readonly kind: 'ask'; readonly token: number }
  | { readonly kind: 'told'; readonly token: number };

/** Between processes: what one of them hears, and what the leading one wants of it. */
export type Hearsay =
  | { readonly kind: 'sights'; readonly from: string; readonly sights: readonly Hearing[] }
  | {
      readonly kind: 'hold';
      readonly from: string;
      readonly node: string;
      readonly line: number;
      readonly sequence: number;
      readonly epoch: number;
    }
  | {
      readonly kind: 'held';
      readonly to: string;
      readonly node: string;
      readonly line: number;
      readonly sequence: number;
      readonly epochs: readonly number[];
    }
  | {
      readonly kind: 'prove';
      readonly to: string;
      readonly from: string;
      readonly number: number;
      readonly hub: string;
      readonly line: number;
      readonly peer: string;
    }
  | {
      readonly kind: 'proven';
      readonly to: string;
      readonly number: number;
      readonly hub: string;
      readonly line: number;
      readonly peer: string;
      readonly alive: boolean | null;
    }
  | { readonly kind: 'changed' };

/** One machine as a process hears it on its line. */
export interface Hearing {
  readonly name: string;
  readonly line: number;
  readonly applied: number;
  readonly words: readonly { readonly peer: string; readonly alive: boolean }[];
}
