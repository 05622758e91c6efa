// `powernode agent join`: enrols this machine with a platform and keeps the identity that it gets.
import { readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { ProductError } from '@powernode/core/errors';
import { agentTokenFileBytesMax } from '@powernode/core/limits';
import { enrol } from '../link/enrol.ts';
import { systemClock } from '../ports/clock.ts';
import { StateFolder } from '../state/folder.ts';
import { readIdentity, writeIdentity } from '../state/identity.ts';
import { readOptions, stateDirDefault } from './options.ts';

export async function join(args: readonly string[]): Promise<number> {
  const options = readOptions(args, {
    platform: { type: 'string' },
    token: { type: 'string' },
    'token-file': { type: 'string' },
    'state-dir': { type: 'string', default: stateDirDefault },
    hostname: { type: 'string', default: hostname() },
  });
  if (options.platform === undefined)
    throw new ProductError('usage', 'Say which platform with --platform URL.');
  const token = readToken({ token: options.token, file: options['token-file'] });
  const folder = new StateFolder(options['state-dir']);
  const known = readIdentity(folder);
  if (known !== null) {
    throw new ProductError(
      'conflict',
      `This machine has joined ${known.platform_url} already, as instance ${known.instance_id} (in ${folder.path}). ` +
        'To join another platform, run "powernode agent leave" first.',
    );
  }
  folder.prepare();
  const identity = await enrol({
    platformUrl: options.platform,
    token,
    hostname: options.hostname.slice(0, 253),
    clock: systemClock,
  });
  writeIdentity(folder, identity);
  process.stdout.write(`Joined ${identity.platform_url} as instance ${identity.instance_id}.\n`);
  return 0;
}

function readToken(given: { readonly token: string | undefined; readonly file: string | undefined }): string {
  if (given.token !== undefined && given.file !== undefined) {
    throw new ProductError('usage', 'Give either --token or --token-file, not both.');
  }
  if (given.file !== undefined) return readTokenFile(given.file);
  const token = given.token ?? process.env['POWERNODE_JOIN_TOKEN'];
  if (token !== undefined && token !== '') return token.trim();
  throw new ProductError('usage', 'Give the join token with --token, --token-file or POWERNODE_JOIN_TOKEN.');
}

function readTokenFile(file: string): string {
  try {
    if (statSync(file).size > agentTokenFileBytesMax) throw new Error('it is too large for a token');
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ProductError('usage', `The token file ${file} cannot be read: ${reason}`, { cause: error });
  }
}
