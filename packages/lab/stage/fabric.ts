// The wires of a lab: one node that holds a bridge for each segment, and the veth pairs from there to hosts,
// NATs and, for the platforms, to this machine itself.
import { ProductError } from '@powernode/core/errors';
import { labStepMs } from '@powernode/core/limits/lab';
import {
  type Attachment,
  type HostPlan,
  type LabPlan,
  type NatPlan,
  type PublicBlocks,
  segmentOf,
  withLength,
} from '../plan/plan.ts';
import { publicSegment } from '../plan/spec.ts';
import { killHolder, requireHolder, startHolder } from './holder.ts';
import { type Mark, machineAlias, machineLink, machineLinkEnd } from './names.ts';
import { natRuleset } from './nat.ts';
import { findHolder, type Process, waitFor } from './process.ts';
import { attempt, inNetwork, ipBatch, nftFile, run } from './run.ts';

/** The name of the node that holds the bridges. `_` keeps it apart from all names of a lab file. */
const fabricNode = '_net';

export function fabricMark(lab: string): Mark {
  return { lab, node: fabricNode };
}

export function requireFabric(lab: string): Process {
  const fabric = findHolder(fabricMark(lab));
  if (fabric !== null) return fabric;
  throw new ProductError('not_found', `lab ${lab} is not up; make it with: powernode lab up FILE`);
}

/** The bridges. Returns false when they stand already. */
export async function startFabric(plan: LabPlan, folder: string): Promise<boolean> {
  if (findHolder(fabricMark(plan.name)) !== null) return false;
  const fabric = await startHolder(fabricMark(plan.name), folder);
  const lines = plan.segments.flatMap((segment) => [
    `link add name ${segment.bridge} type bridge stp_state 0 forward_delay 0`,
    `link set dev ${segment.bridge} alias "${segment.name}" up`,
  ]);
  const outside = segmentOf(plan, publicSegment);
  for (const gateway of gateways(outside.gateway4, outside.gateway6)) {
    const prefix = gateway.includes(':') ? (outside.prefix6 ?? '') : outside.prefix4;
    lines.push(`addr add ${withLength(gateway, prefix)} dev ${outside.bridge}${noDad(gateway)}`);
  }
  await run(inNetwork(fabric.pid, ipBatch(lines)));
  return true;
}

/** Boots a host and puts it on its wires. */
export async function startHost(plan: LabPlan, host: HostPlan, folder: string): Promise<Process> {
  const holder = await startHolder({ lab: plan.name, node: host.name }, folder);
  for (const attachment of host.attachments) await plug(plan, holder, attachment);
  const way = host.attachments
    .map((attachment) => ({ ...segmentOf(plan, attachment.segment), attachment }))
    .find((segment) => segment.gateway4 !== null);
  const routes =
    host.gateway === null
      ? gateways(
          way?.attachment.address4 == null ? null : way.gateway4,
          way?.attachment.address6 == null ? null : way.gateway6,
        )
      : gateways(host.gateway.address4, host.gateway.address6);
  await run(inNetwork(holder.pid, ipBatch(routes.map((gateway) => `route add default via ${gateway}`))));
  return holder;
}

/** Boots a NAT: a router between its LAN and the segment that it is on. */
export async function startNat(plan: LabPlan, nat: NatPlan, folder: string): Promise<Process> {
  const holder = await startHolder({ lab: plan.name, node: nat.name }, folder);
  await plug(plan, holder, nat.wan);
  await plug(plan, holder, nat.lan);
  const way = segmentOf(plan, nat.wan.segment).gateway4;
  if (way !== null) await run(inNetwork(holder.pid, ipBatch([`route add default via ${way}`])));
  await run(inNetwork(holder.pid, nftFile(natRuleset(nat))));
  const forward = { program: 'sh', args: ['-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward'] };
  await run(inNetwork(holder.pid, forward));
  return holder;
}

/** A veth pair, created from the fabric, so that no name of this machine's own interfaces matters. */
async function plug(plan: LabPlan, holder: Process, attachment: Attachment): Promise<void> {
  const { port, device, mac, address4, address6 } = attachment;
  const segment = segmentOf(plan, attachment.segment);
  const fabric = requireFabric(plan.name).pid;
  await unplug(fabric, port);
  await run(
    inNetwork(
      fabric,
      ipBatch([
        `link add name ${port} type veth peer name ${device} address ${mac} netns ${holder.pid}`,
        `link set dev ${port} master ${segment.bridge} alias "${holder.mark?.node ?? ''}" up`,
      ]),
    ),
  );
  const lines = [];
  if (address4 !== null) lines.push(`addr add ${withLength(address4, segment.prefix4)} dev ${device}`);
  if (address6 !== null && segment.prefix6 !== null) {
    lines.push(`addr add ${withLength(address6, segment.prefix6)} dev ${device} nodad`);
  }
  await run(inNetwork(holder.pid, ipBatch([...lines, `link set dev ${device} up`])));
}

/** The kernel removes a dead node's wires by and by; a new one must not wait for that. */
async function unplug(fabric: number, port: string): Promise<void> {
  await attempt(inNetwork(fabric, { program: 'ip', args: ['link', 'delete', 'dev', port] }));
}

/** Power off: nothing of the node is left, and its ports in the fabric are gone. */
export async function stopNode(plan: LabPlan, name: string): Promise<boolean> {
  const killed = await killHolder({ lab: plan.name, node: name });
  const fabric = findHolder(fabricMark(plan.name));
  if (fabric === null) return killed;
  const host = plan.hosts.find((candidate) => candidate.name === name);
  const nat = plan.nats.find((candidate) => candidate.name === name);
  const attachments = [...(host?.attachments ?? []), ...(nat === undefined ? [] : [nat.wan, nat.lan])];
  for (const { port } of attachments) await unplug(fabric.pid, port);
  return killed;
}

export function requireNode(plan: LabPlan, name: string): Process {
  return requireHolder({ lab: plan.name, node: name });
}

/** False when another lab has the block. */
export async function claimMachineLink(blocks: PublicBlocks, lab: string): Promise<boolean> {
  const name = machineLink(blocks);
  const end = machineLinkEnd(blocks);
  const args = ['link', 'add', 'name', name, 'type', 'veth', 'peer', 'name', end];
  if ((await attempt({ program: 'ip', args })).exitCode !== 0) return false;
  await run({ program: 'ip', args: ['link', 'set', 'dev', name, 'alias', machineAlias(lab)] });
  return true;
}

/** Puts the claimed wire on the public segment, with the addresses of all platforms. */
export async function plugMachine(plan: LabPlan): Promise<void> {
  const outside = segmentOf(plan, publicSegment);
  const prefix6 = outside.prefix6 ?? '';
  const blocks = { prefix4: outside.prefix4, prefix6 };
  const name = machineLink(blocks);
  const end = machineLinkEnd(blocks);
  const fabric = requireFabric(plan.name).pid;
  const addresses = plan.platforms.flatMap((platform) => [
    `addr replace ${withLength(platform.address4, outside.prefix4)} dev ${name}`,
    `addr replace ${withLength(platform.address6, prefix6)} dev ${name} nodad`,
  ]);
  await run(ipBatch([`link set dev ${end} netns ${fabric} name ${plan.platformPort}`, ...addresses]));
  await run(
    inNetwork(
      fabric,
      ipBatch([`link set dev ${plan.platformPort} master ${outside.bridge} alias "machine" up`]),
    ),
  );
  await run(ipBatch([`link set dev ${name} up`]));
}

export async function removeMachineLink(name: string): Promise<void> {
  await attempt({ program: 'ip', args: ['link', 'delete', 'dev', name] });
  const look = async () =>
    (await attempt({ program: 'ip', args: ['link', 'show', 'dev', name] })).exitCode !== 0;
  await waitFor({ what: `the interface ${name} to go`, limitMs: labStepMs }, look);
}

function gateways(...list: (string | null)[]): string[] {
  return list.filter((gateway) => gateway !== null);
}

function noDad(address: string): string {
  return address.includes(':') ? ' nodad' : '';
}
