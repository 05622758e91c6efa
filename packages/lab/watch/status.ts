// What a lab is right now, read from the kernel: which platforms and agents run, and which addresses are there.
import { networkPrefixLength } from '@powernode/core/limits/overlay';
import { parseAddress } from '@powernode/core/net/address';
import { probeHostNumberFirst } from '@powernode/core/net/probe-address';
import { z } from 'zod';
import { findAgent } from '../fleet/agent.ts';
import { findPlatform, operatorUrl, tokenFile } from '../fleet/platform.ts';
import { hostPlace, type OpenLab, platformPlace } from '../life/record.ts';
import { findHolder } from '../stage/process.ts';
import { attempt, inNetwork } from '../stage/run.ts';
import { wholeListing } from './dump.ts';

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

/**
 * The host's addresses, on the overlay's interfaces (`wg-…`) and on its wires: IPv6 first in overlays, and the oldest
 * first, which is the host's own; those that it holds for others came later. Empty when it is off.
 */
export async function readAddresses(
  lab: OpenLab,
  host: string,
): Promise<{ readonly overlay: string[]; readonly lan: string[] }> {
  const text = await wholeListing({
    node: host,
    holder: () => findHolder({ lab: lab.plan.name, node: host }),
    list: (pid) => attempt(inNetwork(pid, { program: 'ip', args: ['-j', 'address', 'show'] })),
  });
  if (text === null) return { overlay: [], lan: [] };
  const [overlay, lan] = [new Set<string>(), new Set<string>()];
  for (const link of addressList.parse(JSON.parse(text))) {
    const into = link.ifname?.startsWith('wg-') ? overlay : link.ifname?.startsWith('eth') ? lan : null;
    for (const { local, scope } of link.addr_info) {
      if (local !== undefined && scope === 'global' && !isForProbes(local)) into?.add(local);
    }
  }
  // The kernel lists the newest IPv6 address of an interface first.
  const newestFirst = [...overlay].filter((address) => address.includes(':'));
  const ipv4 = [...overlay].filter((address) => !address.includes(':'));
  return { overlay: [...newestFirst.reverse(), ...ipv4], lan: [...lan] };
}

/** Agents have addresses beside their own at which they answer probes and nothing else. */
function isForProbes(text: string): boolean {
  const address = parseAddress(text);
  if (address?.family !== 6) return false;
  return (address.bits & hostBits) >= probeHostNumberFirst;
}

const hostBits = (1n << BigInt(128 - networkPrefixLength)) - 1n;
