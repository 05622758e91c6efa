// What a lab is right now, read from the kernel: which platforms and agents run, and which addresses are there.
import { z } from 'zod';
import { findAgent } from '../fleet/agent.ts';
import { findPlatform, operatorUrl, tokenFile } from '../fleet/platform.ts';
import { hostPlace, type OpenLab, platformPlace } from '../life/record.ts';
import { findHolder } from '../stage/process.ts';
import { attempt, inNetwork } from '../stage/run.ts';

/** As `powernode lab status --json` prints it (contract §2). */
export interface LabStatus {
  readonly platforms: readonly {
    readonly name: string;
    readonly url: string;
    readonly token_file: string;
    /** null: it does not run. */
    readonly pid: number | null;
  }[];
  readonly hosts: readonly HostStatus[];
}

export interface HostStatus {
  readonly name: string;
  readonly platform: string | null;
  /** null: it has not joined. */
  readonly instance_id: string | null;
  /** As this machine numbers processes; null: no agent runs. */
  readonly agent_pid: number | null;
  readonly overlay_addresses: readonly string[];
  readonly lan_addresses: readonly string[];
}

export async function readStatus(lab: OpenLab): Promise<LabStatus> {
  const platforms = lab.plan.platforms.map(({ name }) => {
    const place = platformPlace(lab, name);
    return {
      name,
      url: operatorUrl(place),
      token_file: tokenFile(place),
      pid: findPlatform(place)?.pid ?? null,
    };
  });
  const hosts = await Promise.all(
    lab.plan.hosts.map(async (host): Promise<HostStatus> => {
      const addresses = await readAddresses(lab, host.name);
      return {
        name: host.name,
        platform: host.platform,
        instance_id: lab.record.instances[host.name] ?? null,
        agent_pid: findAgent(hostPlace(lab, host.name))?.pid ?? null,
        overlay_addresses: addresses.overlay,
        lan_addresses: addresses.lan,
      };
    }),
  );
  return { platforms, hosts };
}

const addressList = z.array(
  z.looseObject({
    ifname: z.string().optional(),
    addr_info: z.array(z.looseObject({ local: z.string().optional(), scope: z.string().optional() })),
  }),
);

/** The host's addresses, on the overlay's interfaces (`wg-…`) and on its wires. Empty when it is off. */
export async function readAddresses(
  lab: OpenLab,
  host: string,
): Promise<{ readonly overlay: string[]; readonly lan: string[] }> {
  const holder = findHolder({ lab: lab.plan.name, node: host });
  if (holder === null) return { overlay: [], lan: [] };
  const outcome = await attempt(inNetwork(holder.pid, { program: 'ip', args: ['-j', 'address', 'show'] }));
  if (outcome.exitCode !== 0) return { overlay: [], lan: [] };
  const [overlay, lan] = [new Set<string>(), new Set<string>()];
  for (const link of addressList.parse(JSON.parse(outcome.stdout))) {
    const into = link.ifname?.startsWith('wg-') ? overlay : link.ifname?.startsWith('eth') ? lan : null;
    for (const { local, scope } of link.addr_info) {
      if (local !== undefined && scope === 'global') into?.add(local);
    }
  }
  return { overlay: [...overlay], lan: [...lan] };
}
