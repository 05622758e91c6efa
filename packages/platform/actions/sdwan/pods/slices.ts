// The slices of one network, read once and kept as the transaction changes them. As rows they are prefixes behind peers of
// the source `pod_subnet`, at most one of a peer that is not withdrawn. The caller holds the account's lock to write.
import type { PodSubnetSource } from '@powernode/core/intent/subnet';
import {
  addressQuarantineMs,
  subnetPreferenceDefault,
  subnetsPerNetworkMax,
} from '@powernode/core/limits/overlay';
import { freeSlice, sliceLengthOf } from '@powernode/core/net/pod-slices';
import { contains, overlaps, type Prefix, parsePrefix } from '@powernode/core/net/prefix';
import type { ActionContext } from '../../context.ts';
import type { NetworkRow, PeerRow } from '../rows.ts';
import type { SubnetRow } from '../subnets/model.ts';
import { advertise, writeSubnet } from '../subnets/write-subnet.ts';

export interface Slice {
  readonly peerId: string;
  readonly prefix: Prefix;
  readonly source: PodSubnetSource;
  readonly row: SubnetRow;
}

export class NetworkSlices {
  readonly network: NetworkRow;
  /** What they are parts of. */
  readonly podPrefix: Prefix;
  /** How long a usual one is. */
  readonly length: number;
  readonly #context: ActionContext;
  /** By peer: what the network routes to. */
  readonly #held = new Map<string, Slice>();
  /** Withdrawn so lately that a cluster may still use them; the last one first. */
  readonly #resting: Slice[] = [];
  /** Prefixes of the network behind peers that are no slices. */
  #lansCount = 0;

  private constructor(context: ActionContext, of: Pick<NetworkSlices, 'network' | 'podPrefix' | 'length'>) {
    this.#context = context;
    this.network = of.network;
    this.podPrefix = of.podPrefix;
    this.length = of.length;
  }

  /** null: the network has none. */
  static async of(context: ActionContext, network: NetworkRow): Promise<NetworkSlices | null> {
    const podPrefix = network.pod_subnet_prefix === null ? null : parsePrefix(network.pod_subnet_prefix);
    const length = podPrefix === null ? null : sliceLengthOf(podPrefix);
    if (podPrefix === null || length === null) return null;
    const slices = new NetworkSlices(context, { network, podPrefix, length });
    await slices.#load();
    return slices;
  }

  async #load(): Promise<void> {
    const { trx, accountId, now } = this.#context;
    const rows = await trx
      .selectFrom('subnet_advertisements')
      .selectAll()
      .where('account_id', '=', accountId)
      .where('network_id', '=', this.network.id)
      .orderBy('withdrawn_at', 'desc')
      .orderBy('id')
      .execute();
    for (const row of rows) {
      if (row.source !== 'pod_subnet') {
        if (row.withdrawn_at === null) this.#lansCount++;
      } else if (row.withdrawn_at === null) this.#held.set(row.peer_id, sliceOf(row));
      else if (now.getTime() - row.withdrawn_at.getTime() < addressQuarantineMs) {
        this.#resting.push(sliceOf(row));
      }
    }
  }

  get held(): Iterable<Slice> {
    return this.#held.values();
  }

  of(peerId: string): Slice | undefined {
    return this.#held.get(peerId);
  }

  /** One of another peer that shares addresses with the prefix. */
  inTheWayOf(prefix: Prefix, peerId: string): Slice | undefined {
    return [...this.#held.values()].find((one) => one.peerId !== peerId && overlaps(one.prefix, prefix));
  }

  /** As many prefixes behind peers as the network may have. */
  get isFull(): boolean {
    return this.#held.size + this.#lansCount >= subnetsPerNetworkMax;
  }

  /** What the platform would give a peer: what it had before if that is free, else one that nobody had lately. */
  choose(peerId: string): Pick<Slice, 'prefix' | 'source'> | null {
    const { podPrefix, length } = this;
    const former = this.#resting.find(
      (one) =>
        one.peerId === peerId &&
        contains(podPrefix, one.prefix) &&
        this.inTheWayOf(one.prefix, peerId) === undefined,
    );
    // What an operator had set is the operator's again; what a cluster had is observed anew.
    if (former !== undefined) {
      return { prefix: former.prefix, source: former.source === 'set' ? 'set' : 'assigned' };
    }
    const taken = Array.from(this.#held.values(), (one) => one.prefix);
    const resting = this.#resting.map((one) => one.prefix);
    const prefix =
      freeSlice(podPrefix, length, [...taken, ...resting]) ?? freeSlice(podPrefix, length, taken);
    return prefix === null ? null : { prefix, source: 'assigned' };
  }

  async give(
    peer: Pick<PeerRow, 'id' | 'network_id'>,
    slice: { readonly text: string; readonly source: PodSubnetSource },
  ): Promise<void> {
    const after = await advertise(this.#context, peer, {
      prefix: slice.text,
      local_prefix: slice.text,
      source: 'pod_subnet',
      slice_source: slice.source,
      description: '',
      preference: subnetPreferenceDefault,
      source_nat: false,
    });
    this.#held.set(peer.id, sliceOf(after));
  }

  async withdraw(slice: Slice): Promise<void> {
    const row = await writeSubnet(this.#context, slice.row, { withdrawn_at: this.#context.now });
    this.#held.delete(slice.peerId);
    this.#resting.unshift(sliceOf(row));
  }

  /** The same slice, chosen by somebody else: no node has anything other than before. */
  async writeSource(slice: Slice, source: PodSubnetSource): Promise<void> {
    if (slice.source === source) return;
    const row = await writeSubnet(this.#context, slice.row, { slice_source: source });
    this.#held.set(slice.peerId, sliceOf(row));
  }
}

function sliceOf(row: SubnetRow): Slice {
  const prefix = parsePrefix(row.prefix);
  if (prefix === null) throw new Error(`the slice "${row.prefix}" cannot be read`);
  return { peerId: row.peer_id, prefix, source: row.slice_source ?? 'assigned', row };
}
