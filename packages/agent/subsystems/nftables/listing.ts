// Reading what nft lists, as JSON: the table as a whole, or only what there is in it by name. There may be a hundred
// thousand things in a table, so each is read by hand and not by a schema; whatever has another shape is refused.
import { ProductError } from '@powernode/core/errors';
import { parseJson } from '@powernode/core/json';
import type { Command } from '../../ports/run.ts';
import { evaluatedCounter } from './chains/entrance.ts';
import { tableName } from './model.ts';
import type { ObservedChain, ObservedSet } from './observed.ts';

/** Everything in the table. */
export const tableCommand: Command = {
  program: 'nft',
  args: ['--json', '-nn', 'list', 'table', 'inet', tableName],
};

const namesWanted = ['list chains inet', 'list sets inet', 'list maps inet'];

/**
 * Names and kinds, of all tables and without rules and elements: a hundredth of the cost in a large table. And how many
 * packets were evaluated since this was asked last: of all ways to ask for a counter, setting it to zero is the one for
 * which nft does not read every element.
 */
export const namesCommand: Command = {
  program: 'nft',
  args: [
    '--json',
    '--terse',
    [...namesWanted, `reset counter inet ${tableName} ${evaluatedCounter}`].join('; '),
  ],
};

/** One element of a set whose elements count. */
export interface Count {
  readonly set: string;
  readonly key: string;
  readonly ruleId: string;
  readonly packets: number;
  readonly bytes: number;
}

export interface Listing {
  readonly chains: ReadonlyMap<string, ObservedChain>;
  readonly sets: ReadonlyMap<string, ObservedSet>;
  readonly others: readonly string[];
  /** Packets that were evaluated. */
  readonly evaluated: number;
  readonly counts: readonly Count[];
}

/** `how`: names leaves open what rules and elements there are. */
export function readListing(text: string, how: 'whole' | 'names'): Listing {
  const reader = new Reader(how);
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const items = memberOf(parseJson(line), 'nftables');
    if (!Array.isArray(items)) throw unreadable(line);
    for (const item of items as readonly unknown[]) {
      if (typeof item !== 'object' || item === null) throw unreadable(line);
      for (const [kind, value] of Object.entries(item)) reader.take(kind, value);
    }
  }
  return reader.listing();
}

class Reader {
  readonly #how: 'whole' | 'names';
  readonly #bases = new Map<string, string | null>();
  readonly #marks = new Map<string, (string | null)[]>();
  readonly #sets = new Map<string, ObservedSet>();
  readonly #others: string[] = [];
  readonly #counts: Count[] = [];
  #evaluated = 0;

  constructor(how: 'whole' | 'names') {
    this.#how = how;
  }

  take(kind: string, value: unknown): void {
    if (kind === 'metainfo' || kind === 'table') return;
    if (textAt(value, 'family') !== 'inet' || textAt(value, 'table') !== tableName) return;
    switch (kind) {
      case 'chain':
        return this.#takeChain(value);
      case 'set':
      case 'map':
        return this.#takeSet(kind, value);
      case 'rule':
        return this.#takeRule(value);
      case 'counter':
        if (textAt(value, 'name') === evaluatedCounter) this.#evaluated = numberAt(value, 'packets');
        else this.#others.push(kind);
        return;
      default:
        this.#others.push(kind);
    }
  }

  #takeChain(value: unknown): void {
    const name = textAt(value, 'name');
    if (memberOf(value, 'hook') === undefined) {
      this.#bases.set(name, null);
      return;
    }
    const policy = textAt(value, 'policy');
    const place = `hook ${textAt(value, 'hook')} priority ${String(memberOf(value, 'prio'))}`;
    const base = `${textAt(value, 'type')} ${place}${policy === 'accept' ? '' : ` policy ${policy}`}`;
    this.#bases.set(name, base);
  }

  #takeRule(value: unknown): void {
    const chain = textAt(value, 'chain');
    const comment = memberOf(value, 'comment');
    const mark =
      typeof comment === 'string' ? (/^powernode ([0-9a-f]{16})$/.exec(comment)?.[1] ?? null) : null;
    const marks = this.#marks.get(chain);
    if (marks === undefined) this.#marks.set(chain, [mark]);
    else marks.push(mark);
  }

  #takeSet(kind: 'set' | 'map', value: unknown): void {
    const name = textAt(value, 'name');
    const types = memberOf(value, 'type');
    const type = Array.isArray(types) ? types.join(' . ') : textAt(value, 'type');
    const data = kind === 'map' ? textAt(value, 'map') : null;
    const elements = this.#how === 'names' ? null : this.#elementsOf(name, memberOf(value, 'elem') ?? []);
    this.#sets.set(name, { kind, type, data, elements });
  }

  #elementsOf(set: string, list: unknown): Map<string, string> {
    if (!Array.isArray(list)) throw unreadable(JSON.stringify(list));
    const elements = new Map<string, string>();
    for (const one of list) {
      const [written, data] = Array.isArray(one) ? one : [one, undefined];
      const elem = memberOf(written, 'elem');
      const key = keyText(elem === undefined ? written : memberOf(elem, 'val'));
      const comment = memberOf(elem, 'comment');
      const ruleId = typeof comment === 'string' ? comment : '';
      const counter = memberOf(elem, 'counter');
      if (counter !== undefined && ruleId !== '') {
        const packets = numberAt(counter, 'packets');
        this.#counts.push({ set, key, ruleId, packets, bytes: numberAt(counter, 'bytes') });
      }
      elements.set(key, data === undefined ? ruleId : dataText(data));
    }
    return elements;
  }

  listing(): Listing {
    const chains = new Map<string, ObservedChain>();
    for (const [name, base] of this.#bases) {
      const marks = this.#marks.get(name) ?? [];
      const [mark = null] = marks;
      const rules = { count: marks.length, mark: marks.every((one) => one === mark) ? mark : null };
      chains.set(name, { base, rules: this.#how === 'names' ? null : rules });
    }
    return {
      chains,
      sets: this.#sets,
      others: this.#others,
      evaluated: this.#evaluated,
      counts: this.#counts,
    };
  }
}

/** As the plan writes it. What nobody but somebody else can have written is a key of its own. */
function keyText(value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  const concat = memberOf(value, 'concat');
  if (Array.isArray(concat)) return concat.map(keyText).join(' . ');
  const prefix = memberOf(value, 'prefix');
  if (prefix !== undefined) return `${textAt(prefix, 'addr')}/${numberAt(prefix, 'len')}`;
  const range = memberOf(value, 'range');
  if (Array.isArray(range)) return range.map(keyText).join('-');
  return JSON.stringify(value);
}

function dataText(value: unknown): string {
  for (const verdict of ['goto', 'jump']) {
    const target = memberOf(memberOf(value, verdict), 'target');
    if (typeof target === 'string') return `${verdict} ${target}`;
  }
  return keyText(value);
}

function textAt(value: unknown, name: string): string {
  const text = memberOf(value, name);
  if (typeof text !== 'string') throw unreadable(JSON.stringify(value));
  return text;
}

function numberAt(value: unknown, name: string): number {
  const number = memberOf(value, name);
  if (typeof number !== 'number') throw unreadable(JSON.stringify(value));
  return number;
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

function unreadable(text: string): ProductError {
  return new ProductError(
    'command_failed',
    `nft printed a listing that cannot be read: ${text.slice(0, 200)}`,
  );
}
