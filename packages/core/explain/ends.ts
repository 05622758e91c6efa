// The ends of a packet that a question is about: the addresses of the objects that it names, and their owners.

import { hostAddressesOf } from '../compile/entries.ts';
import type { SubnetModel, UserDeviceModel } from '../compile/model.ts';
import { familyOf } from '../net/address.ts';
import { isPeer, type NetworkSnapshot, type Owner } from './network-snapshot.ts';
import type { ParsedAddress } from './prefix-map.ts';
import type { NameOf, ObjectRef } from './trace.ts';

/** One side of a question, by an object of the network or by an address in canonical text. */
export type QuestionEnd =
  | { readonly kind: 'peer' | 'user_device' | 'virtual_ip'; readonly id: string }
  | { readonly kind: 'address'; readonly address: string };

export interface End {
  readonly address: ParsedAddress;
  /** null: it does not belong to any member of the network. */
  readonly owner: Owner | null;
  /** The prefix behind peers that it is in, for each peer in front of it; empty: it is in none. */
  readonly subnets: readonly SubnetModel[];
}

export interface Ends {
  readonly source: End;
  readonly destination: End;
}

/** Why a question cannot be put as a packet. */
export interface NoEnds {
  readonly step: 'source' | 'destination';
  readonly object: ObjectRef | null;
  readonly detail: (nameOf: NameOf) => string;
}

/** Both sides in one family: that of the address which is given, else IPv6. */
export function endsOf(
  snapshot: NetworkSnapshot,
  asked: { readonly source: QuestionEnd; readonly destination: QuestionEnd },
): Ends | NoEnds {
  const given = [asked.source, asked.destination].find((side) => side.kind === 'address');
  const family = given?.kind === 'address' ? familyOf(given.address) : 6;
  const source = endOf(snapshot, asked.source, family);
  if (source === null) return missing('source', asked.source, family);
  const destination = endOf(snapshot, asked.destination, family);
  if (destination === null) return missing('destination', asked.destination, family);
  return { source, destination };
}

function endOf(snapshot: NetworkSnapshot, asked: QuestionEnd, family: 4 | 6): End | null {
  if (asked.kind === 'address') {
    const address = snapshot.address(asked.address);
    return address?.family === family ? endAt(snapshot, address) : null;
  }
  const owner = ownerOf(snapshot, asked);
  const addresses = owner === undefined ? [] : isPeer(owner) ? hostAddressesOf(owner) : owner.addresses;
  const text = addresses.find((address) => familyOf(address) === family);
  const address = text === undefined ? null : snapshot.address(text);
  return address === null || owner === undefined ? null : { address, owner, subnets: [] };
}

export function endAt(snapshot: NetworkSnapshot, address: ParsedAddress): End {
  const owner = snapshot.owner(address) ?? null;
  return { address, owner, subnets: owner === null ? snapshot.subnetsAt(address) : [] };
}

function ownerOf(
  snapshot: NetworkSnapshot,
  asked: Exclude<QuestionEnd, { kind: 'address' }>,
): Owner | undefined {
  if (asked.kind === 'peer') return snapshot.network.peer(asked.id);
  const item = snapshot.network.item(asked.id);
  return item?.type === asked.kind ? item : undefined;
}

function missing(step: NoEnds['step'], asked: QuestionEnd, family: 4 | 6): NoEnds {
  if (asked.kind === 'address') {
    const detail = () =>
      `${asked.address} is not of the same address family as the other address (IPv${family}): no packet can have both.`;
    return { step, object: null, detail };
  }
  const object: ObjectRef = { type: asked.kind, id: asked.id };
  return {
    step,
    object,
    detail: (nameOf) => `${nameOf(object)} has no IPv${family} address in the network.`,
  };
}

export function refOf(owner: Owner): ObjectRef {
  return { type: isPeer(owner) ? 'peer' : owner.type, id: owner.id };
}

export function isDevice(owner: Owner): owner is UserDeviceModel {
  return !isPeer(owner) && owner.type === 'user_device';
}
