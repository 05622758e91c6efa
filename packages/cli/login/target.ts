// Which platform a command speaks to, and with which token: flags, then POWERNODE_* variables, then the stored login.
import { readFile } from 'node:fs/promises';
import { ProductError } from '@powernode/core/errors';
import type { World } from '../world.ts';
import { type Login, readLogin } from './login-file.ts';

export interface Target {
  readonly url: string;
  readonly token: string;
  /** Only this authority is trusted when it is given. */
  readonly authorityPem: string | null;
}

export interface TargetFlags {
  readonly url?: string | undefined;
  readonly ca?: string | undefined;
}

/** Where `npm run up` serves when nothing else is said. */
export const defaultUrl = 'http://127.0.0.1:7070';

export async function findTarget(world: World, flags: TargetFlags): Promise<Target> {
  const stored = await readLogin(world.env);
  const given = flags.url ?? (world.env['POWERNODE_URL'] || undefined);
  const url = checkedUrl(given ?? stored?.url ?? defaultUrl);
  const token = (world.env['POWERNODE_TOKEN'] || undefined) ?? storedToken(stored, url);
  if (token === undefined) throw notSignedIn(url);
  return { url, token: token.trim(), authorityPem: await authorityFor({ world, flags, stored, url }) };
}

/** A token goes to the platform that it was stored for, and nowhere else. */
function storedToken(stored: Login | null, url: string): string | undefined {
  return stored !== null && checkedUrl(stored.url) === url ? stored.token : undefined;
}

async function authorityFor(of: {
  readonly world: World;
  readonly flags: TargetFlags;
  readonly stored: Login | null;
  readonly url: string;
}): Promise<string | null> {
  const named = await namedAuthority(of.world, of.flags);
  if (named !== null) return named;
  const { stored, url } = of;
  return stored !== null && checkedUrl(stored.url) === url ? (stored.authority_pem ?? null) : null;
}

export async function namedAuthority(world: World, flags: TargetFlags): Promise<string | null> {
  const file = flags.ca ?? (world.env['POWERNODE_CA'] || undefined);
  if (file === undefined) return null;
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new ProductError(
      'usage',
      `The certificate ${file} cannot be read: ${error.code ?? error.message}.`,
    );
  });
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  throw new ProductError('usage', `${file} has no certificate in PEM form (-----BEGIN CERTIFICATE-----).`);
}

/** Origin of a platform. A token in clear text may only cross loopback. */
export function checkedUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw new ProductError('usage', `"${text.slice(0, 200)}" is not a URL such as ${defaultUrl}.`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new ProductError('usage', 'The URL of the platform must not contain a user name or password.');
  }
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    throw new ProductError(
      'usage',
      `${url.origin} would send the token in clear text. Use https:// (http:// is for localhost only).`,
    );
  }
  return url.origin;
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

function notSignedIn(url: string): ProductError {
  return new ProductError(
    'unauthenticated',
    `There is no token for ${url}. Run powernode login --url ${url}, or set POWERNODE_TOKEN.`,
  );
}
