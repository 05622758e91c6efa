// Communities of BGP (RFC 1997) as text: `65010:20`, or a well-known name, several of them with blanks between.
import { communitiesMax } from '../limits/routing.ts';

/** Those that bgpd prints by name. */
const wellKnown: ReadonlyMap<string, number> = new Map([
  ['graceful-shutdown', 0xffff0000],
  ['blackhole', 0xffff029a],
  ['no-export', 0xffffff01],
  ['no-advertise', 0xffffff02],
  ['local-AS', 0xffffff03],
  ['no-peer', 0xffffff04],
]);

const word = `(?:[1-9][0-9]{0,4}:(?:0|[1-9][0-9]{0,4})|${[...wellKnown.keys()].join('|')})`;
/** Of a text of communities, but for how great the numbers may be and how many there may be. */
export const communityPattern = `^ *${word}(?: +${word})* *$`;

/** What is wrong with the text, as a sentence; null: nothing. */
export function communityFault(text: string): string | null {
  const words = text.split(' ').filter((word) => word !== '');
  if (words.length === 0) return 'must not be empty';
  const wrong = words.find((word) => valueOf(word) === null);
  if (wrong !== undefined) {
    const names = [...wellKnown.keys()].join(', ');
    return `"${wrong}" is not a community: write asn:value, such as 65010:20 (1 to 65534, then 0 to 65535), or one of ${names}`;
  }
  return words.length > communitiesMax ? `must have at most ${communitiesMax} communities` : null;
}

function valueOf(word: string): number | null {
  const known = wellKnown.get(word);
  if (known !== undefined) return known;
  const [, high = '', low = ''] = /^([1-9]\d{0,4}):(0|[1-9]\d{0,4})$/.exec(word) ?? [];
  if (high === '' || Number(high) > 65534 || Number(low) > 65535) return null;
  return Number(high) * 65536 + Number(low);
}

/** Each once, in the order in which bgpd prints them. */
export function communitiesOf(text: string): string[] {
  const byValue = new Map<number, string>();
  for (const word of text.split(' ')) {
    const value = valueOf(word);
    if (value !== null) byValue.set(value, word);
  }
  return [...byValue].sort(([a], [b]) => a - b).map(([, word]) => word);
}
