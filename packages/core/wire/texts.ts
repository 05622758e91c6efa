// How the texts in a document are spelt. They end up in scripts for nft, ip and wg, so nothing that means something else
// there fits any of them. By pattern, because a document has ten thousand addresses: parsing each takes four times as
// long as reading all the rest.
import { z } from 'zod';
import {
  addressTextMax,
  entryKeyLengthMax,
  interfaceNameLengthMax,
  networkHandleLengthMax,
  publicKeyLength,
  timeTextMax,
  wireIdLengthMax,
} from '../limits/texts.ts';

const group = '[0-9a-f]{1,4}';
const compressed = Array.from({ length: 6 }, (_, i) => {
  // So many groups before the two colons, and as many after them as there is room for.
  const before = i + 1;
  return `(?:${group}:){${before}}:(?:${group}(?::${group}){0,${6 - before}})?`;
});
const ipv6 = [
  `(?:${group}:){7}${group}`,
  `::(?:${group}(?::${group}){0,6})?`,
  ...compressed,
  `(?:${group}:){7}:`,
].join('|');
const octet = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const ipv4 = `(?:${octet}\\.){3}${octet}`;
const ipv6Length = '(?:12[0-8]|1[01]\\d|[1-9]?\\d)';
const ipv4Length = '(?:3[0-2]|[12]?\\d)';

/** Of the interfaces that a document is about. */
export const interfaceNameShape = /^wg-[a-z0-9]{1,9}(?:-\d{1,2})?$/;

export const interfaceName = z
  .string()
  .max(interfaceNameLengthMax)
  .regex(interfaceNameShape, 'is not a name of an interface');
export const handle = z
  .string()
  .max(networkHandleLengthMax)
  .regex(/^[a-z0-9]{1,9}$/, 'is not a handle of a network');
/** The platform makes UUIDs; whatever else they are made of later, it is letters, digits and hyphens. */
export const id = z
  .string()
  .max(wireIdLengthMax)
  .regex(/^[0-9A-Za-z-]{1,64}$/, 'is not an id');
export const publicKey = z
  .string()
  .max(publicKeyLength)
  .regex(/^[0-9A-Za-z+/]{43}=$/, 'is not a public key');
export const address = z
  .string()
  .max(addressTextMax)
  .regex(new RegExp(`^(?:${ipv6}|${ipv4})$`), 'is not an address');
/** An address with its length, or a block of them. */
export const addressWithLength = z
  .string()
  .max(addressTextMax)
  .regex(
    new RegExp(`^(?:(?:${ipv6})/${ipv6Length}|${ipv4}/${ipv4Length})$`),
    'is not an address with a prefix length',
  );
/** The letters of one; whether it is one is looked at peer by peer, so that one that is not stops no other. */
export const endpoint = z
  .string()
  .max(addressTextMax)
  .regex(/^[0-9a-f.:[\]]{1,60}$/, 'is not an endpoint');
export const port = z.int().min(1).max(65535);
/** Of an entry of a document (`entryKey`). */
export const key = z.string().max(entryKeyLengthMax);
/** Of a document: `formatDigest`. */
export const hash = z
  .string()
  .length(32)
  .regex(/^[0-9a-f]{32}$/);
/** RFC 3339; whether it is a time is looked at where it is used. */
export const time = z.string().max(timeTextMax);
