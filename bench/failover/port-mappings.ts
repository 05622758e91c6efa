// How much goes through a port mapping, beside plain DNAT on the same path: the same hub, tunnel and target, with the
// agents of both ends off and nothing but a rule for nft by hand.
import { type ChildProcess, spawn } from 'node:child_process';
import { portMappingActions } from '@powernode/core/actions/port-mappings';
import { z } from 'zod';
import { waitFor } from '../../packages/lab/stage/process.ts';
import type { Services } from '../../packages/lab/testing/services.ts';
import { percentile } from '../report.ts';

const hub = 'hub1';
const target = 'server1';
const port = 5201;
const runs = 3;
const secondsEach = 3;
const readyWithinMs = 30_000;

export const mappingFamilies = ['ipv4', 'ipv6'] as const;
export type MappingFamily = (typeof mappingFamilies)[number];
const clients = { ipv4: 'client4', ipv6: 'client6' } as const;

export interface Throughput {
  readonly mappedMbit: number;
  /** The same while both agents are held, which leaves what the rules cost. */
  readonly rulesMbit: number;
  readonly plainMbit: number;
}

export async function portMappingThroughput(services: Services, family: MappingFamily): Promise<Throughput> {
  const { lab, call } = services;
  const [hubPeer, targetPeer] = [await services.peer(hub), await services.peer(target)];
  const inner = family === 'ipv4' ? (targetPeer.ipv4_address ?? '') : targetPeer.host_address;
  const source = family === 'ipv4' ? (hubPeer.ipv4_address ?? '') : hubPeer.host_address;
  const wire = lab.plan.hosts.find(({ name }) => name === hub)?.attachments[0];
  const outer = (family === 'ipv4' ? wire?.address4 : wire?.address6) ?? '';
  const server = serveIperf(lab.command(target, { program: 'iperf3', args: ['-s', '-p', String(port)] }));
  try {
    const { port_mapping } = await call(portMappingActions.createPortMapping, {
      network_id: services.networkId,
      external_address: outer,
      external_port: port,
      internal_peer_id: targetPeer.id,
      internal_port: port,
      protocol: 'tcp',
    });
    const mappedMbit = await measure(services, family, outer);
    const rulesMbit = await whileHeld(services, () => measure(services, family, outer));
    await call(portMappingActions.deletePortMapping, { port_mapping_id: port_mapping.id, approve: true });
    for (const host of [target, hub]) await lab.killAgent(host);
    const plainMbit = await plain(services, { family, outer, inner, source });
    for (const host of [hub, target]) await lab.startAgent(host);
    return { mappedMbit, rulesMbit, plainMbit };
  } finally {
    if (server.pid !== undefined) process.kill(-server.pid, 'SIGKILL');
  }
}

function serveIperf(command: { readonly program: string; readonly args: readonly string[] }): ChildProcess {
  return spawn(command.program, [...command.args], { detached: true, stdio: 'ignore' });
}

/** The agents of both ends take no processor, and what they have made stays. */
async function whileHeld<T>({ lab }: Services, work: () => Promise<T>): Promise<T> {
  const pids = [hub, target].flatMap((host) => lab.agentPid(host) ?? []);
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  try {
    return await work();
  } finally {
    for (const pid of pids) process.kill(pid, 'SIGCONT');
  }
}

interface Path {
  readonly family: MappingFamily;
  readonly outer: string;
  readonly inner: string;
  readonly source: string;
}

/** The agents' table goes, because it lets in only what mappings name; when they are back, so is the table. */
async function plain(services: Services, { family, outer, inner, source }: Path): Promise<number> {
  const ip = family === 'ipv4' ? 'ip' : 'ip6';
  const text = `delete table inet powernode
table ${ip} bench_plain {
  chain bench_in {
    type nat hook prerouting priority dstnat; policy accept;
    ${ip} daddr ${outer} tcp dport ${port} dnat to ${inner}
  }
  chain bench_out {
    type nat hook postrouting priority srcnat; policy accept;
    oifname "wg-*" ${ip} daddr ${inner} tcp dport ${port} snat to ${source}
  }
}
`;
  await nft(services, text);
  const mbit = await measure(services, family, outer);
  await nft(services, `delete table ${ip} bench_plain\n`);
  return mbit;
}

async function nft({ lab }: Services, input: string): Promise<void> {
  const { exitCode, stderr } = await lab.exec(hub, { program: 'nft', args: ['-f', '-'], input });
  if (exitCode !== 0) throw new Error(`nft in ${hub}: ${stderr}`);
}

const result = z.object({ end: z.object({ sum_received: z.object({ bits_per_second: z.number() }) }) });

/** The median of a few runs, once the first connection gets through. */
async function measure({ lab }: Services, family: MappingFamily, address: string): Promise<number> {
  const client = (seconds: number) =>
    lab.exec(clients[family], {
      program: 'iperf3',
      args: ['-c', address, '-p', String(port), '-t', String(seconds), '--connect-timeout', '1000', '-J'],
    });
  // The server takes one client at a time, and may not be done with the one before.
  const run = (seconds: number) =>
    waitFor({ what: 'iperf3 to get through', limitMs: readyWithinMs }, async () => {
      const { exitCode, stdout } = await client(seconds);
      // It also ends well with an error in place of figures.
      const measured = exitCode === 0 ? result.safeParse(JSON.parse(stdout)) : null;
      return measured?.success === true ? measured.data.end.sum_received.bits_per_second / 1e6 : null;
    });
  await run(1);
  const mbit: number[] = [];
  for (let i = 0; i < runs; i++) mbit.push(await run(secondsEach));
  return percentile(mbit, 0.5);
}
