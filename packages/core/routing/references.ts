// Checks what the statements of a policy name in their network: peers, addresses and AS numbers. Their form is checked
// by core/intent/route-policy.ts.
import type { FieldProblem } from '../errors.ts';
import type { PeerId } from '../ids.ts';
import type { PolicyStatement } from '../intent/route-policy.ts';
import { familyOf } from '../net/address.ts';
import type { Statement } from './model.ts';

export interface NetworkReferences {
  readonly as_number: number;
  /** By the id of the peer, its IPv6 address in the network. */
  readonly peers: ReadonlyMap<PeerId, string>;
}

/** What is wrong, with its path: `statements.1.match.peer`. */
export function referenceFaults(
  statements: readonly PolicyStatement[],
  { as_number, peers }: NetworkReferences,
): FieldProblem[] {
  const addresses = new Set(peers.values());
  return statements.flatMap(({ match, set }, i) => {
    const faults: FieldProblem[] = [];
    const add = (member: string, message: string) =>
      faults.push({ path: `statements.${i}.${member}`, code: 'invalid', message });
    if (match.peer !== undefined && !peers.has(match.peer)) {
      add(
        'match.peer',
        'is no peer of this network: write the id of a peer that system_sdwan_list_peers shows',
      );
    }
    if (set.next_hop !== undefined && !addresses.has(set.next_hop)) {
      const why =
        familyOf(set.next_hop) === 4 ? 'is an IPv4 address' : 'is the address of no peer of this network';
      add('set.next_hop', `${why}: write the host_address of a peer, which IPv4 prefixes use too`);
    }
    if (typeof set.prepend === 'string' && set.prepend.split(' ').includes(String(as_number))) {
      add(
        'set.prepend',
        `has the AS number of the account (${as_number}): write a number for how often to prepend it, or other AS numbers`,
      );
    }
    return faults;
  });
}

/**
 * The statements as nodes have them. `announcerOf`: the address of a peer by its id; null: it is gone, so that what
 * matches it can match nothing and is left out.
 */
export function resolved(
  statements: readonly PolicyStatement[],
  announcerOf: (peerId: PeerId) => string | null,
): Statement[] {
  return statements.flatMap(({ match: { peer, ...match }, ...rest }) => {
    if (peer === undefined) return [{ ...rest, match }];
    const announcer = announcerOf(peer);
    return announcer === null ? [] : [{ ...rest, match: { ...match, announcer } }];
  });
}
