// Taking a lab down: whatever of it is left, in whatever state, found by looking. It needs no record, and it
// may be done again.

import { ProductError } from '@powernode/core/errors';
import { labPlatformStopMs, labStepMs } from '@powernode/core/limits/lab';
import { z } from 'zod';
import { dataFolderName, stopDatabases } from '../fleet/platform.ts';
import { platformSource } from '../fleet/programs.ts';
import { removeMachineLink } from '../stage/fabric.ts';
import { labsOnDisk, removeFolder } from '../stage/folder.ts';
import { labFolder, labOfAlias, machineTable } from '../stage/names.ts';
import {
  isHolder,
  listProcesses,
  type Process,
  readProcess,
  signal,
  waitFor,
  waitUntilGone,
} from '../stage/process.ts';
import { attempt, run } from '../stage/run.ts';

/** Removes everything of the lab. Returns false when there was nothing. */
export async function takeDown(lab: string): Promise<boolean> {
  const hadProcesses = await endProcesses(lab);
  const links = await linksOf(lab);
  for (const link of links) await removeMachineLink(link);
  const table = machineTable(lab).split(' ');
  const hadTable = (await attempt({ program: 'nft', args: ['delete', 'table', ...table] })).exitCode === 0;
  const hadFolder = (await labsOnDisk()).includes(lab);
  await removeFolder(lab);
  return hadProcesses || links.length > 0 || hadTable || hadFolder;
}

/**
 * Hosts lose power. Platforms are asked to end, and their databases get the time to end after them: killed
 * hard, they would leave shared memory of the machine behind.
 */
async function endProcesses(lab: string): Promise<boolean> {
  const found = processesOf(lab);
  const platforms = found.filter(isPlatform).map((process) => process.pid);
  for (const pid of platforms) signal(pid, 'SIGTERM');
  const holders = found.filter(isHolder).map((process) => process.pid);
  for (const pid of holders) signal(pid, 'SIGKILL');
  await waitUntilGone(holders, labStepMs);
  await waitUntilGone(platforms, labPlatformStopMs).catch(() => {
    for (const pid of platforms) signal(pid, 'SIGKILL');
  });
  await stopDatabases(labFolder(lab));
  const what = `the processes of lab ${lab} to end`;
  await waitFor({ what, limitMs: labPlatformStopMs }, () => processesOf(lab).length === 0).catch(
    () => undefined,
  );
  await waitFor({ what, limitMs: labStepMs }, () => {
    const rest = processesOf(lab);
    for (const process of rest) signal(process.pid, 'SIGKILL');
    return rest.length === 0;
  });
  return found.length > 0;
}

function isPlatform(process: Process): boolean {
  return process.args.some((arg) => arg.endsWith(platformSource));
}

/** What is marked, and what works on a platform's data, which its database does without a mark; never this
 * process or one that it is in. */
function processesOf(lab: string): Process[] {
  const own = ancestors();
  const folder = `${labFolder(lab)}/`;
  const onData = (arg: string) => arg.startsWith(folder) && arg.includes(`/${dataFolderName}`);
  return listProcesses().filter(
    (process) => !own.has(process.pid) && (process.mark?.lab === lab || process.args.some(onData)),
  );
}

function ancestors(): Set<number> {
  const own = new Set<number>();
  for (let pid = process.pid; pid > 0 && !own.has(pid); pid = readProcess(pid)?.parentPid ?? 0) own.add(pid);
  return own;
}

const linkList = z.array(z.looseObject({ ifname: z.string(), ifalias: z.string().optional() }));

async function machineLinks(): Promise<z.infer<typeof linkList>> {
  const text = await run({ program: 'ip', args: ['-j', 'link', 'show'] });
  return linkList.parse(JSON.parse(text));
}

async function linksOf(lab: string): Promise<string[]> {
  const links = await machineLinks();
  return links.filter((link) => labOfAlias(link.ifalias ?? '') === lab).map((link) => link.ifname);
}

/** Every lab of which something is left: a folder, a process or an interface. */
export async function labsFound(): Promise<string[]> {
  const names = new Set(await labsOnDisk());
  for (const process of listProcesses()) if (process.mark !== null) names.add(process.mark.lab);
  for (const { ifalias } of await machineLinks()) {
    const lab = labOfAlias(ifalias ?? '');
    if (lab !== null) names.add(lab);
  }
  return [...names].sort();
}

/** The lab that is meant when none is named: the only one there is. */
export async function theLab(named: string | undefined): Promise<string> {
  if (named !== undefined) return named;
  const found = await labsFound();
  const only = found[0];
  if (only === undefined)
    throw new ProductError('not_found', 'no lab is up; make one with: powernode lab up FILE');
  if (found.length === 1) return only;
  throw new ProductError('usage', `several labs are up (${found.join(', ')}); say which with --lab NAME`);
}
