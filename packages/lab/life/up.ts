// Bringing a lab up: every step makes only what is missing, so that `up` again repairs a lab that has lost parts,
// and a lab that could not be brought up is taken down again.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ProductError } from '@powernode/core/errors';
import { labParallelMax, labPublicPrefixesMax } from '@powernode/core/limits/lab';
import { overlaps, type Prefix, parsePrefix } from '@powernode/core/net/prefix';
import { z } from 'zod';
import { findAgent, join, startAgent } from '../fleet/agent.ts';
import { connect } from '../fleet/api.ts';
import { type NetworkPlace, setUpNetwork, waitConnected } from '../fleet/networks.ts';
import { freePort, nodeUrl, startPlatform } from '../fleet/platform.ts';
import { chooseProgram } from '../fleet/programs.ts';
import {
  benchmarkBlocks,
  type HostPlan,
  type LabPlan,
  type PublicBlocks,
  usualPublic,
} from '../plan/plan.ts';
import type { LabSpec } from '../plan/spec.ts';
import {
  claimMachineLink,
  fabricMark,
  plugMachine,
  startFabric,
  startHost,
  startNat,
} from '../stage/fabric.ts';
import { makeNodeFolder, readRecord, writeRecord } from '../stage/folder.ts';
import { requireMachine } from '../stage/machine.ts';
import { findHolder } from '../stage/process.ts';
import { run } from '../stage/run.ts';
import { takeDown } from './down.ts';
import { changeRecord, hostPlace, type OpenLab, openRecord, platformPlace } from './record.ts';

export interface UpOptions {
  /** Files to run platforms and agents from, by node; all others are of this checkout. */
  readonly programs?: Readonly<Record<string, string>>;
  readonly report: (line: string) => void;
}

export async function bringUp(spec: LabSpec, options: UpOptions): Promise<OpenLab> {
  requireMachine();
  const known = await readRecord(spec.name);
  const stands = findHolder(fabricMark(spec.name)) !== null;
  if (known !== null && stands) {
    if (JSON.stringify(known.spec) === JSON.stringify(spec)) return furnish(openRecord(known), options);
    throw new ProductError(
      'already_exists',
      `a lab "${spec.name}" is up, made from another file; end it first: powernode lab down ${spec.name}`,
    );
  }
  await takeDown(spec.name);
  try {
    return await furnish(await build(spec, options), options);
  } catch (error) {
    options.report('failed; taking the lab down again');
    await takeDown(spec.name);
    throw error;
  }
}

/** The record, the bridges, and the wire to this machine. */
async function build(spec: LabSpec, { programs = {} }: UpOptions): Promise<OpenLab> {
  const blocks = spec.platforms.length === 0 ? (spec.public ?? usualPublic) : await claimBlocks(spec);
  const ports: Record<string, number> = {};
  for (const platform of spec.platforms) ports[platform.name] = await freePort();
  const record = { spec, public: blocks, ports, instances: {} };
  await writeRecord(record);
  for (const [node, file] of Object.entries(programs)) {
    await chooseProgram({ lab: spec.name, node }, file);
  }
  const lab = openRecord(record);
  await startFabric(lab.plan, await makeNodeFolder(spec.name, fabricMark(spec.name).node));
  if (spec.platforms.length > 0) await plugMachine(lab.plan);
  return lab;
}

/** The file's public block, or the first one that this machine and its other labs do not use. */
async function claimBlocks(spec: LabSpec): Promise<PublicBlocks> {
  const used = await routedPrefixes();
  const free = (blocks: PublicBlocks) =>
    [blocks.prefix4, blocks.prefix6].every((text) => {
      const prefix = parsePrefix(text);
      return prefix !== null && !used.some((other) => overlaps(prefix, other));
    });
  const candidates = spec.public === undefined ? usualCandidates() : [spec.public];
  for (const blocks of candidates) {
    if (free(blocks) && (await claimMachineLink(blocks, spec.name))) return blocks;
  }
  throw new ProductError(
    'conflict',
    spec.public === undefined
      ? 'no block of addresses is free here for the public segment; say public.prefix4 and public.prefix6'
      : `${spec.public.prefix4} or ${spec.public.prefix6} is in use here; choose another public block`,
  );
}

function* usualCandidates(): Generator<PublicBlocks> {
  yield usualPublic;
  for (let number = 0; number < labPublicPrefixesMax; number++) yield benchmarkBlocks(number);
}

const routeList = z.array(z.looseObject({ dst: z.string() }));

/** What this machine has routes to, its default routes excepted. */
async function routedPrefixes(): Promise<Prefix[]> {
  const prefixes: Prefix[] = [];
  for (const family of ['-4', '-6']) {
    const text = await run({ program: 'ip', args: ['-j', family, 'route', 'show', 'table', 'all'] });
    for (const { dst } of routeList.parse(JSON.parse(text === '' ? '[]' : text))) {
      const prefix = parsePrefix(dst.includes('/') ? dst : `${dst}/${dst.includes(':') ? 128 : 32}`);
      if (prefix !== null && prefix.length > 8) prefixes.push(prefix);
    }
  }
  return prefixes;
}

/** Everything that stands on the wires, each part unless it is there. */
async function furnish(lab: OpenLab, { report }: UpOptions): Promise<OpenLab> {
  const { plan } = lab;
  await settled([startNodes(lab, report), startPlatforms(lab, report)]);
  const calls = new Map<string, NetworkPlace['call']>();
  for (const { name } of plan.platforms) calls.set(name, await connect(platformPlace(lab, name)));
  await inTurns(plan.hosts, (host) => enlist(lab, host, calls));
  if (plan.platforms.length > 0)
    report(`${plan.hosts.filter((host) => host.platform !== null).length} agents run`);
  const places = plan.networks.flatMap((network): NetworkPlace[] => {
    const call = calls.get(network.platform);
    return call === undefined ? [] : [{ plan, network, call, instances: lab.record.instances, report }];
  });
  for (const place of places) await setUpNetwork(place);
  for (const place of places) await waitConnected(place);
  return lab;
}

async function startNodes(lab: OpenLab, report: (line: string) => void): Promise<void> {
  const { plan } = lab;
  const off = <T extends { readonly name: string }>(nodes: readonly T[]) =>
    nodes.filter((node) => findHolder({ lab: plan.name, node: node.name }) === null);
  await inTurns(off(plan.nats), async (nat) => {
    await startNat(plan, nat, await makeNodeFolder(plan.name, nat.name));
  });
  await inTurns(off(plan.hosts), async (host) => {
    await startHost(plan, host, await hostFolder(plan, host));
  });
  report(`${plan.hosts.length} hosts and ${plan.nats.length} NATs stand`);
}

async function startPlatforms(lab: OpenLab, report: (line: string) => void): Promise<void> {
  for (const { name } of lab.plan.platforms) {
    report(`platform ${name}: starting`);
    await startPlatform(platformPlace(lab, name));
    report(`platform ${name}: ready`);
  }
}

/** The host's folder, with a private /etc/hosts in which the machines that it can meet have names. */
export async function hostFolder(plan: LabPlan, host: HostPlan): Promise<string> {
  const folder = await makeNodeFolder(plan.name, host.name);
  const lines = [`127.0.0.1 localhost`, `::1 localhost`, `127.0.1.1 ${host.name}`];
  for (const platform of plan.platforms) lines.push(`${platform.address4} ${platform.name}`);
  for (const other of plan.hosts) {
    if (other.name === host.name) continue;
    for (const { segment, address4, address6 } of other.attachments) {
      const near = host.attachments.some((attachment) => attachment.segment === segment);
      if (!near && segment !== 'public') continue;
      if (address4 !== null) lines.push(`${address4} ${other.name}`);
      if (near && address6 !== null) lines.push(`${address6} ${other.name}`);
    }
  }
  await writeFile(path.join(folder, 'etc-hosts'), `${lines.join('\n')}\n`, { mode: 0o644 });
  return folder;
}

/** The host's machine in its platform's fleet, with its agent running. */
async function enlist(lab: OpenLab, host: HostPlan, calls: Map<string, NetworkPlace['call']>): Promise<void> {
  const call = host.platform === null ? undefined : calls.get(host.platform);
  if (call === undefined || host.platform === null) return;
  const place = hostPlace(lab, host.name);
  if (lab.record.instances[host.name] === undefined) {
    const instance = await join(place, { nodeUrl: nodeUrl(platformPlace(lab, host.platform)), call });
    await changeRecord(lab, { instances: { ...lab.record.instances, [host.name]: instance } });
  }
  if (findAgent(place) === null) await startAgent(place);
}

/** All of them, so many at a time. */
async function inTurns<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await work(item);
  };
  await settled(Array.from({ length: labParallelMax }, worker));
}

/** Unlike Promise.all, returns only when nothing goes on any more: what follows a failure is taking down. */
async function settled(work: readonly Promise<void>[]): Promise<void> {
  const outcomes = await Promise.allSettled(work);
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}
