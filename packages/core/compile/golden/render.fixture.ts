// Test support: whole documents as text that a person reads: one entry a line, every field of it, sorted by key, a blank
// line between kinds. `network_id` is left out where it is that of the network at the top.
import { type EntryValue, entryKey } from '../../wire/document.ts';
import type { Item, NetworkModel, PeerModel } from '../model.ts';

const widthMax = 120;
const nameWidth = 12;

export interface Given {
  readonly network: NetworkModel;
  readonly peers: readonly PeerModel[];
  readonly items: readonly Item[];
}

/** What was compiled: fields that are null, empty or false are left out here. */
export function renderGiven({ network, peers, items }: Given): string {
  const { id, accountId: _, ...rest } = network;
  return [
    lineOf(`network`, [['id', id], ...Object.entries(rest)], isSaid),
    ...peers.map(({ networkId: _of, id: peerId, ...peer }) => {
      return lineOf('peer', [['id', peerId], ...Object.entries(peer)], isSaid);
    }),
    ...items.map(({ networkId: _of, type, ...item }) => lineOf(type, Object.entries(item), isSaid)),
  ].join('\n');
}

export function renderDocument(network: NetworkModel, document: Iterable<EntryValue>): string {
  const entries = Array.from(document, (value) => ({ value, key: entryKey(value) }));
  entries.sort((a, b) => (a.key < b.key ? -1 : 1));
  const kinds = Map.groupBy(entries, ({ value }) => value.kind);
  return [...kinds]
    .map(([kind, ofKind]) =>
      ofKind.map(({ value }) => {
        const { kind: _, ...fields } = value;
        return lineOf(kind, Object.entries(fields), ([name, field]) => {
          return name !== 'network_id' || field !== network.id;
        });
      }),
    )
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

type Field = readonly [name: string, value: unknown];

function isSaid([, value]: Field): boolean {
  return value !== null && value !== false && !(Array.isArray(value) && value.length === 0);
}

/** Broken between fields, or between members of a list that is too long for a line. */
function lineOf(name: string, fields: readonly Field[], isShown: (field: Field) => boolean): string {
  const words = fields.filter(isShown).flatMap(([key, value]) => `${key}=${valueText(value)}`.split(' '));
  const lines: string[] = [];
  let line = name.padEnd(nameWidth - 1);
  for (const word of words) {
    if (line.length + 1 + word.length > widthMax) {
      lines.push(line);
      line = ' '.repeat(nameWidth + 1);
    }
    line = `${line} ${word}`;
  }
  return [...lines, line].join('\n');
}

function valueText(value: unknown): string {
  if (value === null || value === undefined) return '-';
  if (Array.isArray(value)) return `[${value.map(valueText).join(' ')}]`;
  if (typeof value === 'string') return value;
  if (typeof value !== 'object') return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([key, member]) => `${key}=${valueText(member)}`)
    .join(' ')}}`;
}
