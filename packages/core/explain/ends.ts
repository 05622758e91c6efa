// Where a packet that is asked about begins and where it goes: the addresses of what the question names, and whose
// they are.

import { hostAddressesOf } from '../compile/entries.ts';
import type { UserDeviceModel } from '../compile/model.ts';
import { familyOf } from '../net/address.ts';
import type { Spot } from './prefix-map.ts';
import { isPeer, type Owner, type Sight } from './sight.ts';
import type { Named, NameOf } from './trail.ts';

/** One side of a question, by an object of the network or by an address in canonical text. */
export type Asked =
  | { readonly kind: 'peer' | 'user_device' | 'virtual_ip'; readonly id: string }
  | { readonly kind: 'address'; readonly address: string };

export interface End {
  readonly spot: Spot;
  /** null: it does not belong to any member of the network. */
  readonly owner: Owner | null;
}

export interface Ends {
  readonly source: End;
  readonly destination: End;
}

/** Why a question cannot be put as a packet. */
export interface NoEnds {
  readonly step: 'source' | 'destination';
  readonly object: Named | null;
  readonly detail: (nameOf: NameOf) => string;
}

/** Both sides in one family: that of the address which is given, else IPv6. */
export function endsOf(
  sight: Sight,
  asked: { readonly source: Asked; readonly destination: Asked },
): Ends | NoEnds {
  const given = [asked.source, asked.destination].find((side) => side.kind === 'address');
  const family = given?.kind === 'address' ? familyOf(given.address) : 6;
  const source = endOf(sight, asked.source, family);
  if (source === null) return missing('source', asked.source, family);
  const destination = endOf(sight, asked.destination, family);
  if (destination === null) return missing('destination', asked.destination, family);
  return { source, destination };
}

function endOf(sight: Sight, asked: Asked, family: 4 | 6): End | null {
  if (asked.kind === 'address') {
    const spot = sight.spot(asked.address);
    return spot?.family === family ? { spot, owner: sight.owner(spot) ?? null } : null;
  }
  const owner = ownerOf(sight, asked);
  const addresses = owner === undefined ? [] : isPeer(owner) ? hostAddressesOf(owner) : owner.addresses;
  const text = addresses.find((address) => familyOf(address) === family);
  const spot = text === undefined ? null : sight.spot(text);
  return spot === null || owner === undefined ? null : { spot, owner };
}

function ownerOf(sight: Sight, asked: Exclude<Asked, { kind: 'address' }>): Owner | undefined {
  if (asked.kind === 'peer') return sight.network.peer(asked.id);
  const item = sight.network.item(asked.id);
  return item?.type === asked.kind ? item : undefined;
}

function missing(step: NoEnds['step'], asked: Asked, family: 4 | 6): NoEnds {
  if (asked.kind === 'address') {
    const detail = () =>
      `${asked.address} is not of the same address family as the other address (IPv${family}): no packet can have both.`;
    return { step, object: null, detail };
  }
  const object: Named = { type: asked.kind, id: asked.id };
  return {
    step,
    object,
    detail: (nameOf) => `${nameOf(object)} has no IPv${family} address in the network.`,
  };
}

export function namedOwner(owner: Owner): Named {
  return { type: isPeer(owner) ? 'peer' : owner.type, id: owner.id };
}

export function isDevice(owner: Owner): owner is UserDeviceModel {
  return !isPeer(owner) && owner.type === 'user_device';
}
