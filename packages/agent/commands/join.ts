// `powernode agent join`: enrols this machine with a platform and keeps the identity that it gets.
import { readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { ProductError } from '@powernode/core/errors';
import { agentTokenFileBytesMax } from '@powernode/core/limits/agent';
import { unusedKeysTarget } from '@powernode/core/limits/trust';
import { asHostname, hostnameRule, isHostname } from '@powernode/core/net/hostname';
import { enrol } from '../link/enrol.ts';
import { systemClock } from '../ports/clock.ts';
import { systemRun } from '../ports/run.ts';
import { hasService, restartService } from '../ports/service.ts';
import { StateFolder } from '../state/folder.ts';
import { type Identity, readIdentity, writeIdentity } from '../state/identity.ts';
import { KeyStore, makeKeyPair } from '../state/keys.ts';
import { forget, stopAgent, takeDown } from './departure.ts';
import { readOptions, stateDirDefault } from './options.ts';

export async function join(args: readonly string[]): Promise<number> {
  const options = readOptions(args, {
    platform: { type: 'string' },
    token: { type: 'string' },
    'token-file': { type: 'string' },
    'state-dir': { type: 'string', default: stateDirDefault },
    hostname: { type: 'string' },
    anew: { type: 'boolean', default: false },
  });
  const token = readToken({ token: options.token, file: options['token-file'] });
  const folder = new StateFolder(options['state-dir']);
  const known = readIdentity(folder);
  if (known !== null && !options.anew) throw joinedAlready(known, folder);
  // A copy of another machine joins the same platform, unless it is told another one.
  const platformUrl = options.platform ?? known?.platform_url;
  if (platformUrl === undefined) throw new ProductError('usage', 'Say which platform with --platform URL.');
  const wasService = known !== null && (await hasService(systemRun, folder.path));
  const lock = known === null ? null : await stopAgent(folder);
  try {
    folder.prepare();
    const pairs = Array.from({ length: unusedKeysTarget }, makeKeyPair);
    const identity = await enrol({
      platformUrl,
      token,
      hostname: nameOfMachine(options.hostname),
      unusedKeys: pairs.map(({ publicKey }) => publicKey),
      clock: systemClock,
    });
    if (known !== null) {
      if (lock !== null) await takeDown(folder);
      forget(folder);
    }
    new KeyStore(folder).keep(pairs);
    writeIdentity(folder, identity);
    process.stdout.write(joinedText(identity, known));
  } finally {
    lock?.leave();
    if (wasService) await restartService(systemRun);
  }
  return 0;
}

function joinedAlready(known: Identity, folder: StateFolder): ProductError {
  return new ProductError(
    'conflict',
    `This instance has joined ${known.platform_url} already, as instance ${known.instance_id} (in ${folder.path}). ` +
      'To join another platform, run "powernode agent leave" first. If this system is a copy of another instance, run this ' +
      'again with --anew: it drops the copied identity, which the other instance keeps.',
  );
}

function joinedText(identity: Identity, known: Identity | null): string {
  const forgot =
    known === null
      ? ''
      : `Forgot the identity of instance ${known.instance_id}, which stays on its platform.\n`;
  return `${forgot}Joined ${identity.platform_url} as instance ${identity.instance_id}.\n`;
}

/** A name that was given is taken or refused; the machine's own is made one where it is none, and that is said. */
function nameOfMachine(given: string | undefined): string {
  if (given !== undefined) {
    if (isHostname(given)) return given;
    throw new ProductError('usage', `--hostname ${hostnameRule}.`);
  }
  const own = hostname();
  const name = asHostname(own);
  if (name !== own)
    process.stdout.write(`The hostname of this system is ${JSON.stringify(own)}; it joins as ${name}.\n`);
  return name;
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
