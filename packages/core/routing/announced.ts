// What a peer announces of a prefix behind it: the attributes that the path begins with, and what export policies make of
// them. Every node of the network can tell that as well as the peer itself.
import { parsePrefix } from '../net/prefix.ts';
import { type Evaluated, evaluatePolicies } from './evaluate.ts';
import { announcerCommunity } from './identity.ts';
import type { PlacedStatement } from './statements.ts';

export interface Announcement {
  readonly prefix: string;
  /** The announcer's address in the overlay. */
  readonly announcer: string;
  readonly preference: number;
}

/** `exports`: the statements of all export policies (statements.ts). */
export function announced(
  { prefix: text, announcer, preference }: Announcement,
  { asNumber, exports }: { readonly asNumber: number; readonly exports: readonly PlacedStatement[] },
): Evaluated {
  const prefix = parsePrefix(text);
  if (prefix === null) throw new Error(`not a prefix: ${text}`);
  const attributes = {
    local_pref: preference,
    med: 0,
    as_path: [],
    origin: 'IGP' as const,
    communities: [],
    announcer: announcerCommunity(asNumber, announcer),
    next_hop: announcer,
  };
  return evaluatePolicies(exports, { prefix, attributes }, asNumber);
}
