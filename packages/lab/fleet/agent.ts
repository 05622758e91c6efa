// The agent in a host of a lab: joining, running, being killed. It is found by looking, so one that was
// started by hand inside the host counts as well.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fleetActions } from '@powernode/core/actions/fleet';
import { ProductError } from '@powernode/core/errors';
import { labStepMs } from '@powernode/core/limits/lab';
import { z } from 'zod';
import { hostOf, type LabPlan } from '../plan/plan.ts';
import { startBackground } from '../stage/background.ts';
import { requireNode } from '../stage/fabric.ts';
import { logTail } from '../stage/folder.ts';
import { inside } from '../stage/holder.ts';
import { type Mark, markEnvironment, nodeFolder } from '../stage/names.ts';
import {
  findHolder,
  lookAgain,
  type Process,
  processesInside,
  signal,
  waitFor,
  waitUntilGone,
} from '../stage/process.ts';
import { attempt, type Command } from '../stage/run.ts';
import type { Call } from './api.ts';
import { programCommand, programSeeker } from './programs.ts';

export interface HostPlace {
  readonly plan: LabPlan;
  readonly name: string;
}

function stateFolder({ plan, name }: HostPlace): string {
  return path.join(nodeFolder(plan.name, name), 'state');
}

export function agentLog({ plan, name }: HostPlace): string {
  return path.join(nodeFolder(plan.name, name), 'agent.log');
}

function agent(place: HostPlace, verb: string, args: readonly string[]): Command {
  const words = [verb, '--state-dir', stateFolder(place), ...args];
  return inside(requireNode(place.plan, place.name), programCommand('agent', markOfHost(place), words));
}

function markOfHost({ plan, name }: HostPlace): Mark {
  return { lab: plan.name, node: name };
}

/** Lets the host's machine into its platform's fleet; answers with the instance it has become. */
export async function join(place: HostPlace, at: { nodeUrl: string; call: Call }): Promise<string> {
  const { plan, name } = place;
  const host = hostOf(plan, name);
  const tags = host.tags.length > 0 ? { tags: [...host.tags] } : {};
  const { join_token } = await at.call(fleetActions.createJoinToken, { name_hint: name, ...tags });
  await mkdir(stateFolder(place), { recursive: true, mode: 0o700 });
  const tokenFile = path.join(nodeFolder(plan.name, name), 'join-token');
  await writeFile(tokenFile, `${join_token.token}\n`, { mode: 0o600 });
  try {
    const args = ['--platform', at.nodeUrl, '--token-file', tokenFile, '--hostname', name];
    const outcome = await attempt(agent(place, 'join', args));
    if (outcome.exitCode !== 0) {
      const said = `${outcome.stdout}${outcome.stderr}`.trim().slice(-2000);
      throw new ProductError('command_failed', `host ${name} could not join (${outcome.exitCode}): ${said}`);
    }
  } finally {
    await rm(tokenFile, { force: true });
  }
  return instanceOf(name, { tokenId: join_token.id, call: at.call });
}

async function instanceOf(name: string, made: { tokenId: string; call: Call }): Promise<string> {
  const { join_tokens } = await made.call(fleetActions.listJoinTokens, { limit: 500 });
  const instance = join_tokens.find((token) => token.id === made.tokenId)?.instance_id;
  if (instance !== null && instance !== undefined) return instance;
  throw new ProductError('command_failed', `host ${name} has joined, but its join token names no instance`);
}

export function findAgent(place: HostPlace): Process | null {
  return lookAgain(() => lookForAgent(place));
}

function lookForAgent({ plan, name }: HostPlace): Process | null {
  const mark = { lab: plan.name, node: name };
  const holder = findHolder(mark);
  if (holder === null) return null;
  const isAgent = programSeeker('agent', mark, 'run');
  const matches = processesInside(holder).filter(({ args }) => isAgent(args));
  const pids = new Set(matches.map((process) => process.pid));
  return matches.find((process) => !pids.has(process.parentPid)) ?? null;
}

/** Starts the agent, unless it runs; returns when its process is there. */
export async function startAgent(place: HostPlace): Promise<void> {
  if (findAgent(place) !== null) return;
  const started = await startBackground({
    command: agent(place, 'run', []),
    mark: markOfHost(place),
    log: agentLog(place),
  });
  await waitFor({ what: `the agent of ${place.name} to start`, limitMs: labStepMs, pollMs: 5 }, async () => {
    const end = started.ended();
    if (end === null) return findAgent(place);
    throw new ProductError(
      'command_failed',
      `the agent of ${place.name} ended with ${end}; ${await logTail(agentLog(place))}`,
    );
  });
}

/** Only the agent: what it has started (wireguard-go) and what is in the kernel stay, as on any machine. */
export async function killAgent(place: HostPlace, name: NodeJS.Signals): Promise<void> {
  const found = findAgent(place);
  if (found === null) throw new ProductError('conflict', `no agent runs in ${place.name}`);
  signal(found.pid, name);
  await waitUntilGone([found.pid], labStepMs);
}

/** What a command inside the host sees besides the caller's environment. */
export function hostEnvironment(place: HostPlace): Record<string, string> {
  return {
    ...markEnvironment(markOfHost(place)),
    POWERNODE_STATE_DIR: stateFolder(place),
  };
}

const status = z.looseObject({ paths: z.array(z.looseObject({ purpose: z.string(), state: z.string() })) });

/** A path that the host's agent probes: what for, and whether it lives. */
export type ProbedPath = z.infer<typeof status>['paths'][number];

/** What the host's agent says of its paths; none when it does not run. */
export async function probedPaths(place: HostPlace): Promise<readonly ProbedPath[]> {
  const { exitCode, stdout, stderr } = await attempt(agent(place, 'status', ['--json']));
  if (exitCode === 0) return status.parse(JSON.parse(stdout)).paths;
  throw new ProductError('command_failed', `the agent of ${place.name} says nothing of itself: ${stderr}`);
}
