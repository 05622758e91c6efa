// The pieces that every noun's schema is made of: identifiers, times, names, addresses, tags.
import { z } from 'zod';
import * as limits from '../limits/texts.ts';
import { canonicalAddress, formatEndpoint, parseEndpoint } from '../net/address.ts';
import { hostnameRule, isHostname } from '../net/hostname.ts';
import { canonicalPrefix } from '../net/prefix.ts';
import { endpointRefusal } from '../net/special-addresses.ts';

/** UUID in lower case; the platform makes version 7 (RFC 9562 §5.7), and reads any. */
export const id = z
  .string()
  .max(limits.uuidLength, 'must be a UUID')
  .regex(/^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/, 'must be a UUID')
  .toLowerCase()
  .meta({ format: 'uuid' });

/** RFC 3339 in UTC, with milliseconds. */
export const time = z.string().meta({ format: 'date-time', description: 'RFC 3339, UTC' });

export const revision = z.int().min(0).meta({ description: 'Rises with every change of the object' });

/** A line of text to look for. */
export const line = (lengthMax: number) =>
  z
    .string()
    .max(lengthMax)
    .regex(/^[^\p{Cc}]*$/u, 'must not contain control characters');

/** What people and models read as a name: one line, with nothing invisible in it and nothing that turns it around. */
export const name = z
  .string()
  .max(limits.nameLengthMax)
  .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u, 'must not contain control characters or invisible ones')
  .trim()
  .min(1, 'must not be empty');

/** What a machine is called, also by itself (RFC 1123 §2.1). */
export const hostname = z
  .string()
  .max(limits.hostnameLengthMax)
  .refine(isHostname, hostnameRule)
  .meta({ format: 'hostname' });

export const description = z
  .string()
  .max(limits.descriptionLengthMax)
  .regex(/^(?:[^\p{Cc}]|[\n\t])*$/u, 'must not contain control characters but line breaks and tabs');

export const tag = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._:-]*$/,
    'must start with a letter or digit and go on with letters, digits, . _ : -',
  )
  .max(limits.tagLengthMax);

/** A set of tags: sorted, each once. */
export const tags = z
  .array(tag)
  .max(limits.tagsPerObjectMax)
  .transform((list) => [...new Set(list)].sort());

export const tagsShown = z.array(z.string());

/**
 * What schemas say of texts that a parser reads: every text that it takes matches, and hardly any other. Lookahead would
 * make them exact, and validators of several languages have none.
 */
const octet = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const ipv4 = `${octet}(?:\\.${octet}){3}`;
const group = '[0-9A-Fa-f]{1,4}';
/** Eight colons are those of a `::` before or behind seven groups, where it stands for one (RFC 4291 §2.2). */
const ipv6 = `(?:(?:[0-9A-Fa-f]{0,4}:){2,7}(?:${group}|${ipv4})?|:(?::${group}){7}|(?:${group}:){7}:)`;
/** Of the texts that may be a prefix; what of them is none is said by whoever reads it. */
export const prefixPattern = `^(?:${ipv4}/(?:3[0-2]|[12]?\\d)|${ipv6}/(?:12[0-8]|1[01]\\d|[1-9]?\\d))$`;
const endpointPattern = `^(?:${ipv4}(?::[1-9]\\d{0,4})?|\\[${ipv6}\\]:[1-9]\\d{0,4}|${ipv6})$`;

/** A block of either family in canonical text. */
export const prefix = z
  .string()
  .max(limits.addressTextMax)
  .transform((text, context) => {
    const canonical = canonicalPrefix(text);
    if (canonical !== null) return canonical;
    context.addIssue({
      code: 'custom',
      message: `"${clip(text)}" is not a prefix: write address/length with the host bits zero, such as fd00:1:2:3::/64`,
    });
    return z.NEVER;
  })
  .meta({ pattern: prefixPattern, description: 'address/length, host bits zero' });

export const address = z
  .string()
  .max(limits.addressTextMax)
  .transform((text, context) => {
    const canonical = canonicalAddress(text);
    if (canonical !== null) return canonical;
    context.addIssue({ code: 'custom', message: `"${clip(text)}" is not an IPv6 or IPv4 address` });
    return z.NEVER;
  })
  .meta({ anyOf: [{ format: 'ipv6' }, { format: 'ipv4' }] });

/**
 * Where a peer can be met: an address and a port, or only an address (the port is then the peer's own). Addresses that
 * never name another machine are refused (net/special-addresses.ts).
 */
export const endpoint = z
  .string()
  .max(limits.addressTextMax)
  .transform((text, context) => {
    const whole = parseEndpoint(text);
    const canonical = whole === null ? canonicalAddress(text) : formatEndpoint(whole);
    const refusal = canonical === null ? null : endpointRefusal(canonical);
    if (canonical !== null && refusal === null) return canonical;
    context.addIssue({
      code: 'custom',
      message:
        refusal === null
          ? `"${clip(text)}" is not an endpoint: write 203.0.113.5:51820, [2001:db8::5]:51820, or an address alone`
          : `"${clip(text)}" cannot be used by other peers: it is ${refusal.why}. Give an address of the instance, or of the router in front of it, that the other members reach`,
    });
    return z.NEVER;
  })
  .meta({ pattern: endpointPattern, description: 'address:port, [address]:port, or an address alone' });

/** WireGuard's public key: 32 bytes in base64 (44 characters). */
export const publicKey = z
  .string()
  .max(limits.publicKeyLength, 'must be 32 bytes in base64')
  .regex(/^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/, 'must be 32 bytes in base64');

/** What every stored object carries (contract §1). */
export const base = {
  id,
  account_id: id,
  created_at: time,
  updated_at: time,
  revision,
};

function clip(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** The parts of a node that problems belong to. */
export const nodeSubsystems = [
  'agent',
  'state',
  'wireguard',
  'addresses',
  'routing',
  'nftables',
  'host',
  'paths',
] as const;
export type NodeSubsystem = (typeof nodeSubsystems)[number];
