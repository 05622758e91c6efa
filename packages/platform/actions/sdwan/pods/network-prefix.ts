// The prefix of pods of a network: which one it may be, until when it may change, and what follows when it does.
import { namedInErrorMax } from '@powernode/core/limits/overlay';
import { familyOf } from '@powernode/core/net/address';
import { podPrefixLengthMax, sliceLengthOf } from '@powernode/core/net/pod-slices';
import { overlaps, type Prefix, parsePrefix } from '@powernode/core/net/prefix';
import type { ActionContext } from '../../context.ts';
import { peerName } from '../peers/peer-names.ts';
import type { NetworkRow } from '../rows.ts';
import { refusal } from './refusal.ts';
import { applyTurn, refusalColumns, turnOf } from './settle.ts';
import { NetworkSlices } from './slices.ts';

const path = 'pod_subnet_prefix';

/** Refuses a prefix that has no room for slices, that flannel could not use, or that a LAN of the account is in. */
export async function refuseUnfitPods(
  context: ActionContext,
  { pods, ipv4 }: { readonly pods: string | null; readonly ipv4: string | null },
): Promise<void> {
  if (pods === null) return;
  const prefix = read(pods);
  if (sliceLengthOf(prefix) === null) {
    const message = `${pods} has no room for slices: it may be /${podPrefixLengthMax[prefix.family]} or shorter`;
    throw refusal('validation_failed', { path, code: 'too_small', message }, 'Choose a shorter one.');
  }
  refuseWithoutIpv4({ pods, ipv4 }, path);
  const lan = (await lansOf(context)).find((one) =>
    one.prefixes.some((text) => overlaps(read(text), prefix)),
  );
  if (lan === undefined) return;
  const behind = await peerName(context, lan.peerId);
  const message = `${pods} overlaps the LAN ${lan.prefixes.join(', known there as ')} behind "${behind}"`;
  throw refusal('conflict', { path, code: 'overlap', message }, 'Choose another prefix, or omit it.');
}

/** A cluster's next hops are addresses of the same family. */
export function refuseWithoutIpv4(
  { pods, ipv4 }: { readonly pods: string | null; readonly ipv4: string | null },
  given: 'pod_subnet_prefix' | 'ipv4_prefix',
): void {
  if (pods === null || familyOf(pods) !== 4 || ipv4 !== null) return;
  const message = `the pods of ${pods} need IPv4 addresses of peers as next hops, and the network has no ipv4_prefix`;
  throw refusal(
    'validation_failed',
    { path: given, code: 'ipv4_needed', message },
    'Give the network an ipv4_prefix, or pods an IPv6 prefix.',
  );
}

/** LANs as the network and their own hosts know them, each prefix once. */
async function lansOf(context: ActionContext): Promise<{ peerId: string; prefixes: string[] }[]> {
  const rows = await context.trx
    .selectFrom('subnet_advertisements')
    .select(['peer_id', 'prefix', 'local_prefix'])
    .where('account_id', '=', context.accountId)
    .where('source', '!=', 'pod_subnet')
    .where('withdrawn_at', 'is', null)
    .orderBy('id')
    .execute();
  return rows.map((row) => ({
    peerId: row.peer_id,
    prefixes: [...new Set([row.prefix, row.local_prefix])],
  }));
}

/** Clusters are started with the prefix, and routes of machines lead to slices of it, so that it stays while a peer has one. */
export async function refusePinned(context: ActionContext, network: NetworkRow): Promise<void> {
  const slices = await NetworkSlices.of(context, network);
  const inUse = [...(slices?.held ?? [])];
  if (inUse.length === 0) return;
  const peers: string[] = [];
  for (const { peerId, row, source } of inUse.slice(0, namedInErrorMax)) {
    peers.push(`${row.prefix} of "${await peerName(context, peerId)}" (${source})`);
  }
  const more = inUse.length > peers.length ? ` and ${inUse.length - peers.length} more` : '';
  const message = `peers have slices of ${network.pod_subnet_prefix}: ${peers.join(', ')}${more}`;
  throw refusal(
    'conflict',
    { path, code: 'in_use', message },
    'Remove the cluster and detach these peers first, or create another network.',
  );
}

/** All peers get a slice of a new prefix. */
export async function giveSlices(context: ActionContext, network: NetworkRow): Promise<void> {
  const peers = await context.trx
    .updateTable('peers')
    .set((eb) => ({
      ...refusalColumns(context, null),
      updated_at: context.now,
      revision: eb('revision', '+', 1),
    }))
    .where('account_id', '=', context.accountId)
    .where('network_id', '=', network.id)
    .returningAll()
    .execute();
  noteSlices(context, network, peers.length);
  const slices = await NetworkSlices.of(context, network);
  if (slices === null) return;
  for (const peer of peers.sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const place = { slices, peer };
    await applyTurn(context, place, { turn: await turnOf(context, place), followed: false });
  }
}

function noteSlices(
  context: ActionContext,
  { name, pod_subnet_prefix: pods }: NetworkRow,
  count: number,
): void {
  if (count === 0 || pods === null) return;
  const peers = count === 1 ? 'The peer' : `The ${count} peers`;
  context.note(
    'pod_slices',
    `${peers} of "${name}" get a slice of ${pods} for pods; a cluster has to be started with that as its prefix.`,
  );
}

function read(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (prefix === null) throw new Error(`the prefix "${text}" cannot be read`);
  return prefix;
}
