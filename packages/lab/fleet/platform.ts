// A platform of a lab: a process on this machine, with its operators on loopback and its nodes on the lab's
// public segment.
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { ProductError } from '@powernode/core/errors';
import { labPlatformReadyMs, labPlatformStopMs, labStepMs } from '@powernode/core/limits/lab';
import { type LabPlan, nodePort, platformNamed } from '../plan/plan.ts';
import { startBackground } from '../stage/background.ts';
import { logTail, makeNodeFolder } from '../stage/folder.ts';
import { baseFolder, nodeFolder } from '../stage/names.ts';
import {
  listProcesses,
  type Process,
  readProcess,
  signal,
  waitFor,
  waitUntilGone,
} from '../stage/process.ts';
import { programCommand, programSeeker } from './programs.ts';

export interface PlatformPlace {
  readonly plan: LabPlan;
  readonly name: string;
  /** Its operators' port on 127.0.0.1. */
  readonly port: number;
}

export function operatorUrl(place: PlatformPlace): string {
  return `http://127.0.0.1:${place.port}`;
}

export function nodeUrl(place: PlatformPlace): string {
  return `https://${platformNamed(place.plan, place.name).address4}:${nodePort}`;
}

export const dataFolderName = 'data';

function dataFolder(place: PlatformPlace): string {
  return path.join(nodeFolder(place.plan.name, place.name), dataFolderName);
}

export function tokenFile(place: PlatformPlace): string {
  return path.join(dataFolder(place), 'admin-token');
}

export async function adminToken(place: PlatformPlace): Promise<string> {
  const token = await readFile(tokenFile(place), 'utf8').catch((cause: unknown) => {
    throw new ProductError(
      'conflict',
      `platform ${place.name} has not written its administrator's token yet`,
      {
        cause,
      },
    );
  });
  return token.trim();
}

/** Found by its program and its data directory, so that one started by hand counts as well. */
export function findPlatform(place: PlatformPlace): Process | null {
  const data = dataFolder(place);
  const mark = { lab: place.plan.name, node: place.name };
  const isUp = programSeeker('platform', mark, 'up');
  const matches = listProcesses().filter(({ args }) => isUp(args) && args.includes(data));
  const pids = new Set(matches.map((process) => process.pid));
  return matches.find((process) => !pids.has(process.parentPid)) ?? null;
}

/** Starts it, unless it runs, and returns when it is ready. */
export async function startPlatform(place: PlatformPlace): Promise<void> {
  const { plan, name } = place;
  const platform = platformNamed(plan, name);
  if (findPlatform(place) !== null) return waitReady(place, () => null);
  const log = path.join(await makeNodeFolder(plan.name, name), 'platform.log');
  const operators = ['--port', String(place.port), '--data-dir', dataFolder(place)];
  const nodes = [
    '--node-port',
    String(nodePort),
    '--node-host',
    platform.address4,
    '--node-url',
    nodeUrl(place),
  ];
  const mark = { lab: plan.name, node: name };
  const started = await startBackground({
    command: programCommand('platform', mark, ['up', ...operators, ...nodes]),
    mark,
    log,
    // What it puts aside goes with the lab, whatever happens to the platform.
    environment: { TMPDIR: nodeFolder(plan.name, name) },
    ...(plan.platforms.length > 1 ? { groupId: platform.groupId } : {}),
  });
  await waitReady(place, started.ended);
}

async function waitReady(place: PlatformPlace, ended: () => string | null): Promise<void> {
  const log = path.join(nodeFolder(place.plan.name, place.name), 'platform.log');
  const fail = async (why: string) =>
    new ProductError('command_failed', `platform ${place.name} ${why}; ${await logTail(log)}`);
  const what = `platform ${place.name} to be ready`;
  await waitFor({ what, limitMs: labPlatformReadyMs }, async () => {
    const end = ended();
    if (end !== null) throw await fail(`ended with ${end} before it was ready`);
    return isReady(place);
  }).catch(async (error: unknown) => {
    if (error instanceof ProductError && error.detail.startsWith('waited'))
      throw await fail('did not get ready');
    throw error;
  });
}

async function isReady(place: PlatformPlace): Promise<boolean> {
  const request = { signal: AbortSignal.timeout(labStepMs) };
  return fetch(`${operatorUrl(place)}/readyz`, request).then(
    async (response) => {
      await response.body?.cancel();
      return response.status === 200;
    },
    () => false,
  );
}

/** Kills only the platform's own process, as a crash would; its database may live on. */
export async function killPlatform(place: PlatformPlace, name: NodeJS.Signals): Promise<void> {
  const found = findPlatform(place);
  if (found === null) throw new ProductError('conflict', `platform ${place.name} does not run`);
  signal(found.pid, name);
  await waitUntilGone([found.pid], labStepMs);
}

/** Ends the platform and its database, in order if it can. */
export async function stopPlatform(place: PlatformPlace): Promise<void> {
  const found = findPlatform(place);
  if (found !== null) await endInOrder([found.pid], 'SIGTERM');
  await stopDatabases(nodeFolder(place.plan.name, place.name));
}

/** A database that lost its platform: SIGINT is its fast shutdown, which also frees its shared memory. */
export async function stopDatabases(folder: string): Promise<void> {
  const postmasters = [];
  for (const file of await postmasterFiles(folder)) {
    const pid = Number((await readFile(file, 'utf8').catch(() => '')).split('\n')[0]);
    if (readProcess(pid)?.args.some((arg) => arg.includes(`${baseFolder()}/`)) === true)
      postmasters.push(pid);
  }
  if (postmasters.length > 0) await endInOrder(postmasters, 'SIGINT');
}

async function postmasterFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true }).catch(() => []);
  return entries
    .filter((entry) => path.basename(entry) === 'postmaster.pid')
    .map((entry) => path.join(folder, entry));
}

async function endInOrder(pids: readonly number[], name: NodeJS.Signals): Promise<void> {
  for (const pid of pids) signal(pid, name);
  await waitUntilGone(pids, labPlatformStopMs).catch(async () => {
    for (const pid of pids) signal(pid, 'SIGKILL');
    await waitUntilGone(pids, labStepMs);
  });
}

/** A port of 127.0.0.1 that nobody has. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = address !== null && typeof address === 'object' ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
