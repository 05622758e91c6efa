// The platform's own rows, read past the platform: what networks and peers should be, and the journal of changes.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { canonicalJson } from '@powernode/core/compile/digest';
import type { Change } from '@powernode/core/compile/fleet-index';
import type { Item, NetworkModel, PeerModel } from '@powernode/core/compile/model';
import { compileNaively } from '@powernode/core/compile/naive';
import { subjectOf } from '@powernode/core/compile/object-change';
import type { EntryValue } from '@powernode/core/wire/document';
import { loadFleet } from '../../../packages/platform/actions/load-fleet.ts';
import { loadDelivery } from '../../../packages/platform/deliver/load.ts';
import { createLog } from '../../../packages/platform/observe/log.ts';
import { embeddedUser } from '../../../packages/platform/store/embedded/cluster.ts';
import { findPostmaster } from '../../../packages/platform/store/embedded/postmaster.ts';
import { openStore, type Store } from '../../../packages/platform/store/open-store.ts';
import { inPlatform } from '../../../packages/platform/store/tenancy.ts';

export interface NetworkRows {
  readonly network: NetworkModel;
  readonly peers: readonly PeerModel[];
  readonly items: readonly Item[];
}

export interface Journal {
  readonly sequence: number;
  readonly changes: readonly Change[];
}

export interface Rows {
  readonly networks: readonly NetworkRows[];
  /** The number of the account's newest change, as the account's row has it. */
  readonly sequence: number;
  /** Every change there ever was, oldest first. */
  readonly journal: readonly Journal[];
}

/** Rows of the only account of a lab's platform. */
export async function readRows(dataDir: string): Promise<Rows> {
  const store = await openEmbedded(dataDir);
  try {
    const { model, sequences } = await loadDelivery(store, loadFleet);
    const networks = [...model.values()].map(({ network, peers, items }) => ({
      network,
      peers: [...peers.values()],
      items: [...items.values()],
    }));
    const [sequence = 0, ...others] = sequences.values();
    if (others.length > 0) throw new Error(`there are ${sequences.size} accounts`);
    return { networks, sequence, journal: await readJournal(store) };
  } finally {
    await store.close();
  }
}

/** A second reader beside the platform, over the server's socket. */
async function openEmbedded(dataDir: string): Promise<Store> {
  const postmaster = await findPostmaster(path.join(dataDir, 'postgres'));
  if (postmaster === null) throw new Error(`no database runs in ${dataDir}`);
  const password = await readFile(path.join(dataDir, 'postgres-password'), 'utf8');
  const socketDir = encodeURIComponent(postmaster.socketDir);
  const databaseUrl = `postgres://${embeddedUser}:${password}@/powernode?host=${socketDir}`;
  return openStore({ dataDir, databaseUrl, log: createLog('warn') });
}

function readJournal(store: Store): Promise<Journal[]> {
  return inPlatform(store, (trx) =>
    trx.selectFrom('changes').select(['sequence', 'changes']).orderBy('sequence').execute(),
  );
}

/** What is wrong with the journal: a number that is missing, or a state that does not follow from it. */
export function faultsOfJournal({ journal, sequence, networks }: Rows): string[] {
  const faults: string[] = [];
  for (const [index, row] of journal.entries()) {
    if (row.sequence !== index + 1)
      faults.push(`change ${index + 1} is missing; ${row.sequence} comes instead`);
    if (faults.length > 0) return faults;
  }
  if (journal.length !== sequence) faults.push(`${journal.length} changes, but the account says ${sequence}`);
  const replayed = textOf(replayJournal(journal));
  if (replayed !== textOf(networks)) {
    faults.push(`the changes lead to\n${replayed}\nbut the rows are\n${textOf(networks)}`);
  }
  return faults;
}

/** How many of the numbers after `sequence` each object took, but for those that the platform took by itself. */
export function numbersSince({ journal }: Rows, sequence: number): Record<string, number> {
  const numbers = new Map<string, number>();
  for (const row of journal) {
    if (row.sequence <= sequence || (row.changes.length > 0 && row.changes.every(isObserved))) continue;
    const names = [...new Set(row.changes.map(nameOf))].join(' and ');
    numbers.set(names, (numbers.get(names) ?? 0) + 1);
  }
  return Object.fromEntries(numbers);
}

/** Where hubs see a spoke without being asked. */
function isObserved(change: Change): boolean {
  return (
    change.kind === 'peer_changed' &&
    change.before !== null &&
    change.after !== null &&
    change.before.directEndpoint !== change.after.directEndpoint &&
    canonicalJson({ ...change.before, directEndpoint: null }) ===
      canonicalJson({ ...change.after, directEndpoint: null })
  );
}

function nameOf(change: Change): string {
  switch (change.kind) {
    case 'network_created':
    case 'network_updated':
      return `network ${change.network.id}`;
    case 'network_deleted':
      return `network ${change.networkId}`;
    case 'peer_changed':
      return `peer ${subjectOf(change).id}`;
    case 'item_changed':
      return `item ${subjectOf(change).id}`;
  }
}

interface Replayed {
  network: NetworkModel;
  readonly peers: Map<string, PeerModel>;
  readonly items: Map<string, Item>;
}

function replayJournal(journal: readonly Journal[]): NetworkRows[] {
  const networks = new Map<string, Replayed>();
  for (const change of journal.flatMap((row) => row.changes)) {
    switch (change.kind) {
      case 'network_created':
      case 'network_updated': {
        const { network } = change;
        const known = networks.get(network.id) ?? { network, peers: new Map(), items: new Map() };
        networks.set(network.id, { ...known, network });
        break;
      }
      case 'network_deleted':
        networks.delete(change.networkId);
        break;
      case 'peer_changed':
        put(networks.get(change.networkId)?.peers, change);
        break;
      case 'item_changed':
        put(networks.get(change.networkId)?.items, change);
    }
  }
  return Array.from(networks.values(), ({ network, peers, items }) => ({
    network,
    peers: [...peers.values()],
    items: [...items.values()],
  }));
}

function put<T extends { readonly id: string }>(
  into: Map<string, T> | undefined,
  { before, after }: { readonly before: T | null; readonly after: T | null },
): void {
  if (after !== null) into?.set(after.id, after);
  else if (before !== null) into?.delete(before.id);
}

/** The same text for the same state, whatever the order in which it came about. */
function textOf(networks: readonly NetworkRows[]): string {
  const lines = networks
    .flatMap(({ network, peers, items }) => [network, ...peers, ...items])
    .map(canonicalJson);
  return lines.sort().join('\n');
}

/** The document of each machine, from the rows alone, by the compiler that nothing of the product runs on. */
export function documentOf(rows: Rows, instanceId: string): Map<string, EntryValue> {
  return compileNaively(rows.networks, instanceId);
}
