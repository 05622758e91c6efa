// The pieces that every noun's schema is made of: identifiers, times, names, addresses, tags.
import { z } from 'zod';
import * as limits from '../limits.ts';
import { canonicalAddress, formatEndpoint, parseAddress, parseEndpoint } from '../net/address.ts';
import { canonicalPrefix } from '../net/prefix.ts';

/** UUID in lower case; the platform makes version 7 (RFC 9562 §5.7), and reads any. */
export const id = z
  .string()
  .regex(/^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/, 'must be a UUID')
  .toLowerCase()
  .meta({ format: 'uuid' });

/** A UUID as the platform writes it. */
export const idShape = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** RFC 3339 in UTC, with milliseconds. */
export const time = z.string().meta({ format: 'date-time', description: 'RFC 3339, UTC' });

export const revision = z.int().min(0).meta({ description: 'Rises with every change of the object' });

/** A line of text to look for. */
export const line = (lengthMax: number) =>
  z
    .string()
    .max(lengthMax)
    .regex(/^[^\p{Cc}]*$/u, 'must not contain control characters');

export const name = line(limits.nameLengthMax).trim().min(1, 'must not be empty');

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

/** A block of either family in canonical text. */
export const prefix = z
  .string()
  .transform((text, context) => {
    const canonical = canonicalPrefix(text);
    if (canonical !== null) return canonical;
    context.addIssue({
      code: 'custom',
      message: `"${clip(text)}" is not a prefix: write address/length with the host bits zero, such as fd00:1:2:3::/64`,
    });
    return z.NEVER;
  })
  .meta({ description: 'address/length, host bits zero' });

export const address = z.string().transform((text, context) => {
  const canonical = canonicalAddress(text);
  if (canonical !== null) return canonical;
  context.addIssue({ code: 'custom', message: `"${clip(text)}" is not an IPv6 or IPv4 address` });
  return z.NEVER;
});

/** Where a peer can be met: an address and a port, or only an address (the port is then the peer's own). */
export const endpoint = z
  .string()
  .transform((text, context) => {
    const whole = parseEndpoint(text);
    if (whole !== null) return formatEndpoint(whole);
    const canonical = parseAddress(text) === null ? null : canonicalAddress(text);
    if (canonical !== null) return canonical;
    context.addIssue({
      code: 'custom',
      message: `"${clip(text)}" is not an endpoint: write 203.0.113.5:51820, [2001:db8::5]:51820, or an address alone`,
    });
    return z.NEVER;
  })
  .meta({ description: 'address:port, [address]:port, or an address alone' });

/** WireGuard's public key: 32 bytes in base64 (44 characters). */
export const publicKey = z
  .string()
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
