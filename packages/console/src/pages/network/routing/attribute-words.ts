// Attributes of a path as one line. No elements here.
import type { ExplainedPathShown } from '@powernode/core/intent/bgp';

type Attributes = NonNullable<ExplainedPathShown['attributes']>;

/** `local_pref 200 · MED 0 · AS path 65001 · communities 65000:1 · next hop fd00::3`; what is empty is left out. */
export function attributeWords(attributes: Attributes): string {
  const { local_pref, med, as_path, origin, communities, next_hop } = attributes;
  return [
    `local_pref ${local_pref}`,
    `MED ${med}`,
    ...(as_path.length === 0 ? [] : [`AS path ${as_path.join(' ')}`]),
    ...(origin === 'IGP' ? [] : [`origin ${origin}`]),
    ...(communities.length === 0 ? [] : [`communities ${communities.join(' ')}`]),
    `next hop ${next_hop}`,
  ].join(' · ');
}

/** What differs between two, as `local_pref 100 → 200`. */
export function differingWords(before: Attributes, after: Attributes): string {
  const shown = (value: Attributes[keyof Attributes]) =>
    Array.isArray(value) ? value.join(' ') || 'none' : String(value);
  return (Object.keys(before) as (keyof Attributes)[])
    .map((name) => [name, shown(before[name]), shown(after[name])] as const)
    .filter(([, was, is]) => was !== is)
    .map(([name, was, is]) => `${name} ${was} → ${is}`)
    .join(', ');
}
