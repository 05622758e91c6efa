// The one reader of JSON that comes from outside: I-JSON (RFC 7493) within a depth. What the standard leaves to each
// reader is refused: bytes that are no UTF-8, a name that stands twice in one object, halves of surrogate pairs. Two
// readers could take these differently, and no database stores the last.
import { ProductError } from '../errors.ts';
import { isNestedDeeper } from './json-depth.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

/** Throws `malformed_request` with what is wrong and where. An empty text is undefined. */
export function readJsonBytes(bytes: Uint8Array, depthMax: number): unknown {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    throw malformed('The body is not UTF-8.');
  }
  return readJsonText(text, depthMax);
}

/** The same of a text that is read already. */
export function readJsonText(text: string, depthMax: number): unknown {
  if (text.trim() === '') return undefined;
  if (isNestedDeeper(text, depthMax)) throw malformed(`The body is nested deeper than ${depthMax} levels.`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw malformed('The body is not JSON.');
  }
  const twice = repeatedName(text);
  if (twice !== null) throw malformed(`The name ${JSON.stringify(twice)} occurs twice in one object.`);
  const broken = illFormedAt(value);
  if (broken !== null) {
    throw malformed(
      `${broken === '' ? 'The body' : broken} contains an unpaired surrogate, which is not a valid character.`,
    );
  }
  return value;
}

function malformed(detail: string): ProductError {
  return new ProductError('malformed_request', detail);
}

const quote = 0x22;
const backslash = 0x5c;
const colon = 0x3a;

/** A name that occurs twice in one object of a text that is JSON; null: there is none. */
function repeatedName(text: string): string | null {
  const objects: Set<string>[] = [];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x7b) objects.push(new Set());
    else if (code === 0x7d) objects.pop();
    else if (code === quote) {
      const end = closingQuote(text, at);
      if (isName(text, end)) {
        const raw = text.slice(at + 1, end);
        const name = raw.includes('\\') ? (JSON.parse(`"${raw}"`) as string) : raw;
        const names = objects.at(-1);
        if (names?.has(name) === true) return name;
        names?.add(name);
      }
      at = end;
    }
  }
  return null;
}

function closingQuote(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === backslash) at++;
    else if (code === quote) return at;
  }
  return text.length;
}

function isName(text: string, end: number): boolean {
  let at = end + 1;
  while (at < text.length && text.charCodeAt(at) <= 0x20) at++;
  return text.charCodeAt(at) === colon;
}

/** The path of a text that has half of a surrogate pair, names included; null: there is none. */
export function illFormedAt(value: unknown, path = ''): string | null {
  if (typeof value === 'string') return value.isWellFormed() ? null : path;
  if (typeof value !== 'object' || value === null) return null;
  for (const [name, member] of Object.entries(value)) {
    const below = path === '' ? name : `${path}.${name}`;
    if (!name.isWellFormed()) return path;
    const found = illFormedAt(member, below);
    if (found !== null) return found;
  }
  return null;
}
