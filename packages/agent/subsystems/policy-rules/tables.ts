// The routing table that each network has for the prefixes behind its peers.
import { fnv1a } from '@powernode/core/compile/fnv';
import type { NodeDocument } from '@powernode/core/wire/node-document';

/** Numbers of tables have 32 bits; these have a first digit (in hexadecimal) that nobody else was seen to use. */
const firstTable = 0x5000_0000;
const tablesMask = 0x0fff_ffff;

const known = new WeakMap<NodeDocument, ReadonlyMap<string, number>>();

/** By network, of those that have such prefixes. The same network has the same table in each document. */
export function tablesOf(document: NodeDocument): ReadonlyMap<string, number> {
  let tables = known.get(document);
  if (tables === undefined) {
    tables = numbered(new Set([...document.all('subnet').values()].map((entry) => entry.network_id)));
    known.set(document, tables);
  }
  return tables;
}

function numbered(networkIds: ReadonlySet<string>): Map<string, number> {
  const tables = new Map<string, number>();
  const taken = new Set<number>();
  for (const id of [...networkIds].sort()) {
    let table = firstTable + (fnv1a(id) & tablesMask);
    while (taken.has(table)) table++;
    taken.add(table);
    tables.set(id, table);
  }
  return tables;
}

export function isSubnetTable(table: number): boolean {
  return table >= firstTable && table <= firstTable + tablesMask;
}

/** A destination in such a table, as `ip route` takes it. Those of the main table are their prefix alone. */
export function destinationIn(table: number, prefix: string): string {
  return `${prefix} table ${table}`;
}
