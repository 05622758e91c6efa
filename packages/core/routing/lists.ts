// The lists that route-maps refer to. The name of a list is a hash of its lines, so a changed list is a new one. It is
// written whole before a route-map refers to it, so route-maps never evaluate half of it.
import { hash } from 'node:crypto';
import { prefixListLinesMax, prefixListLinesUsual } from '../limits/routing.ts';
import type { Family } from '../net/address.ts';
import type { ConfigLine } from './config-lines.ts';
import { aggregate, type PrefixRange, rangeText } from './prefix-range.ts';

/** The same text for the same content; 40 bits, so that the few lists of a network do not meet. */
export function contentName(kind: string, content: string): string {
  return `pn-${kind}-${hash('sha256', content).slice(0, 10)}`;
}

/** A condition of a route-map's entry: `match …`. */
type Condition = string;

export class Lists {
  readonly #lines = new Map<string, readonly string[]>();

  /** In the order of their names. */
  lines(): ConfigLine[] {
    return [...this.#lines]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([, lines]) => lines.map((line) => ({ path: [], line })));
  }

  /** Conditions of which a prefix of the ranges meets one, each for an entry of its own: families do not share a list, and
   * a long list is several. */
  prefixes(ranges: readonly PrefixRange[]): Condition[] {
    const whole = aggregate(ranges);
    return ([6, 4] as const).flatMap((family) =>
      divided(whole.filter(({ block }) => block.family === family).map(rangeText)).map((texts) =>
        this.#prefixList(family, texts),
      ),
    );
  }

  communities(texts: string): Condition {
    const name = contentName('c', texts);
    this.#lines.set(name, [`bgp community-list standard ${name} seq 5 permit ${texts}`]);
    return `match community ${name}`;
  }

  announcer(largeCommunity: string): Condition {
    const name = contentName('p', largeCommunity);
    this.#lines.set(name, [`bgp large-community-list standard ${name} seq 5 permit ${largeCommunity}`]);
    return `match large-community ${name}`;
  }

  asPath(expression: string): Condition {
    const name = contentName('a', expression);
    this.#lines.set(name, [`bgp as-path access-list ${name} seq 5 permit ${expression}`]);
    return `match as-path ${name}`;
  }

  #prefixList(family: Family, texts: readonly string[]): Condition {
    const name = contentName(String(family), texts.join('\n'));
    const word = family === 6 ? 'ipv6' : 'ip';
    this.#lines.set(
      name,
      texts.map((text, i) => `${word} prefix-list ${name} seq ${5 * (i + 1)} permit ${text}`),
    );
    return `match ${word} address prefix-list ${name}`;
  }
}

/** A list is divided behind lines that their text chooses, so that one more line changes one part. */
function divided(texts: readonly string[]): string[][] {
  const parts: string[][] = [];
  let part: string[] = [];
  for (const text of texts) {
    part.push(text);
    const isEnd = Number.parseInt(hash('sha256', text).slice(0, 8), 16) % prefixListLinesUsual === 0;
    if (!isEnd && part.length < prefixListLinesMax) continue;
    parts.push(part);
    part = [];
  }
  return part.length > 0 ? [...parts, part] : parts;
}
