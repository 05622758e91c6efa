// What a statement of a route policy says, in words. No elements here.
import type { NameOf } from '../names.ts';
import type { Statement } from './statement-drafts.ts';

/** `fd00:7::/64 up to /96, announced by edge1`; `every path` when it matches all. */
export function matchWords({ match }: Pick<Statement, 'match'>, nameOf: NameOf): string {
  const { prefix, prefix_ge: ge, prefix_le: le, peer, community, as_path } = match;
  const parts = [
    ...(prefix === undefined
      ? []
      : [`${prefix}${ge === undefined ? '' : ` from /${ge}`}${le === undefined ? '' : ` up to /${le}`}`]),
    ...(peer === undefined ? [] : [`announced by ${nameOf(peer)}`]),
    ...(community === undefined ? [] : [`community ${community}`]),
    ...(as_path === undefined ? [] : [`AS path ${as_path}`]),
  ];
  return parts.length === 0 ? 'every path' : parts.join(', ');
}

/** `local_pref 200, med 5`; empty when it sets nothing. */
export function setWords({ set }: Pick<Statement, 'set'>): string {
  return Object.entries(set)
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${value}`]))
    .join(', ');
}
