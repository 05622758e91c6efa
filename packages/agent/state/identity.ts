// Who this machine is to its platform. One file, so that a key and its certificate change together.
import { ProductError } from '@powernode/core/errors';
import { parseJson } from '@powernode/core/json';
import { asHostname } from '@powernode/core/net/hostname';
import { PrivateKey } from '@powernode/core/private-key';
import { z } from 'zod';
import type { StateFolder } from './folder.ts';

const identityFile = 'identity.json';

/** What a later agent has written beside these is left out, so that an earlier one in its place runs. */
export const identity = z.object({
  instance_id: z.string(),
  account_id: z.string(),
  /** An earlier release joined by whatever the machine called itself. */
  hostname: z.string().transform(asHostname),
  /** Where the operator said the platform is, and where its node listener is. */
  platform_url: z.string(),
  node_url: z.string(),
  /** SPIFFE ID that the platform's certificate must carry. */
  platform_id: z.string(),
  authority_pem: z.string(),
  certificate_pem: z.string(),
  key_pem: z.string().transform((text) => new PrivateKey(text)),
  joined_at: z.string(),
  /** The platform said that this machine may not come back. */
  revoked_at: z.string().nullable(),
});
export type Identity = z.infer<typeof identity>;

/** null: this machine has not joined. */
export function readIdentity(folder: StateFolder): Identity | null {
  const text = folder.read(identityFile);
  if (text === null) return null;
  const parsed = identity.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new ProductError(
    'invalid_configuration',
    `${folder.at(identityFile)} is not a complete identity (${parsed.error.issues[0]?.path.join('.') || 'not JSON'}). ` +
      'Run "powernode agent leave" and join again.',
  );
}

export function requireIdentity(folder: StateFolder): Identity {
  const known = readIdentity(folder);
  if (known === null) {
    throw new ProductError(
      'conflict',
      `This instance has not joined a platform (nothing in ${folder.path}). ` +
        'Run: powernode agent join --platform URL --token TOKEN',
    );
  }
  return known;
}

export function writeIdentity(folder: StateFolder, value: Identity): void {
  const stored = { ...value, key_pem: value.key_pem.reveal() };
  folder.write(identityFile, `${JSON.stringify(stored, null, 2)}\n`);
}
