// Many spokes on one host: of each a WireGuard interface with a tunnel to both hubs, its overlay address, and a bgpd. They
// have one zebra, one bfdd and no agent.
import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { frrDiff } from '../../packages/agent/bgp/network.ts';
import { wantedBgp } from '../../packages/agent/bgp/wanted-bgp.ts';
import { addressOf, prefix } from '../../packages/agent/fixtures/documents.ts';
import type { Overlay } from '../../packages/agent/fixtures/overlay.ts';
import type { Host } from '../../packages/agent/fixtures/stage.ts';
import { systemClock } from '../../packages/agent/ports/clock.ts';
import { type Run, systemRun } from '../../packages/agent/ports/run.ts';
import { FrrConfig } from '../../packages/agent/subsystems/frr/apply.ts';
import { FrrDaemons } from '../../packages/agent/subsystems/frr/daemons.ts';
import { FrrPlaces } from '../../packages/agent/subsystems/frr/places.ts';
import { systemProcesses } from '../../packages/agent/subsystems/frr/processes.ts';
import { findFrr } from '../../packages/agent/subsystems/frr/programs.ts';
import { Vty } from '../../packages/agent/subsystems/frr/vty.ts';
import { configText } from '../../packages/core/routing/config-lines.ts';
import { bfddConfig } from '../../packages/core/routing/render.ts';

export interface CrowdHub {
  readonly number: number;
  readonly publicKey: string;
  /** `address:port` of the underlay. */
  readonly endpoint: string;
}

export interface Spoke {
  readonly name: string;
  readonly number: number;
  readonly publicKey: string;
  readonly privateKey: string;
}

/** Of addresses that no host of the stage has. */
export function spokesOf(count: number): Spoke[] {
  return Array.from({ length: count }, (_, i) => {
    const { privateKey } = generateKeyPairSync('x25519');
    const { d = '', x = '' } = privateKey.export({ format: 'jwk' });
    const base64 = (text: string) => Buffer.from(text, 'base64url').toString('base64');
    return { name: `crowd${i}`, number: 100 + i, publicKey: base64(x), privateKey: base64(d) };
  });
}

export class Crowd {
  readonly #host: Host;
  readonly #spokes: readonly Spoke[];
  readonly #configs = new Map<string, FrrConfig>();
  readonly #vtys: Vty[] = [];
  #daemons: FrrDaemons | null = null;

  constructor(host: Host, spokes: readonly Spoke[]) {
    this.#host = host;
    this.#spokes = spokes;
  }

  /** Tunnels alone. `folder`: for keys, as long as this takes. */
  async connect(hubs: readonly CrowdHub[], folder: string): Promise<void> {
    for (const [i, spoke] of this.#spokes.entries()) {
      const device = `crowd${i}`;
      const userspace = this.#host.spawn('wireguard-go', ['-f', device]);
      userspace.stdout?.resume();
      userspace.stderr?.resume();
      const file = path.join(folder, device);
      await writeFile(file, spoke.privateKey, { mode: 0o600 });
      const peers = hubs.map(
        ({ number, publicKey, endpoint }) =>
          `peer ${publicKey} endpoint ${endpoint} allowed-ips ${addressOf(number)}/128 persistent-keepalive 25`,
      );
      const table = 1000 + i;
      await this.#host.must(
        ...['sh', '-c'],
        `set -e
        until wg show ${device} > /dev/null 2>&1; do sleep 0.02; done
        wg set ${device} private-key ${file} ${peers.join(' ')}
        ip address add ${addressOf(spoke.number)}/128 dev ${device} nodad
        ip link set ${device} up mtu 1420
        ip -6 rule add from ${addressOf(spoke.number)} lookup ${table}
        ip -6 route add ${prefix} dev ${device} table ${table}
        # For zebra, which knows the main table and is asked whether hubs can be reached.
        ip -6 route replace ${prefix} dev ${device}`,
      );
    }
  }

  /** Starts a bgpd for each spoke, configured as soon as it answers. Answers when the last one was started. */
  async speak(
    overlay: Overlay,
  ): Promise<{ readonly lastStartedMs: number; readonly configured: Promise<unknown> }> {
    const namespace = `/proc/${this.#host.pid}/ns/net`;
    const programs = await findFrr(systemRun);
    if (programs.kind === 'absent') throw new Error(programs.detail);
    const places = FrrPlaces.of(`/bench-${process.pid}`, namespace);
    const applying: Promise<unknown>[] = [];
    let lastStartedMs = 0;
    this.#daemons = new FrrDaemons({
      ...{ run: this.#inside(), clock: systemClock, processes: systemProcesses(namespace), places, programs },
      started: ({ daemon, network }) => {
        lastStartedMs = performance.now();
        if (daemon === 'zebra') return;
        const vty = new Vty({ path: places.vtyOf(daemon, network), daemon, clock: systemClock });
        const config = new FrrConfig(vty, frrDiff);
        this.#vtys.push(vty);
        if (network !== null) this.#configs.set(network, config);
        applying.push(
          network === null ? must(config, configText(bfddConfig)) : this.#configure(overlay, network),
        );
      },
      othersChanged: () => undefined,
      failed: ({ network }, why) => process.stderr.write(`the bgpd of ${network} ended: ${why}\n`),
    });
    await this.#daemons.keep(
      this.#spokes.map(({ name, number }) => ({ network: name, address: addressOf(number) })),
    );
    return { lastStartedMs, configured: Promise.all(applying) };
  }

  /** What the overlay says of one spoke now. */
  configure(overlay: Overlay, name: string): Promise<void> {
    return this.#configure(overlay, name);
  }

  async end(): Promise<void> {
    for (const vty of this.#vtys) vty.close();
    await this.#daemons?.removeAll();
    this.#daemons?.leave();
  }

  async #configure(overlay: Overlay, name: string): Promise<void> {
    const [wanted] = wantedBgp(overlay.documentOf(name));
    const config = this.#configs.get(name);
    if (wanted === undefined || config === undefined) throw new Error(`${name} speaks no BGP`);
    await must(config, wanted.text);
  }

  #inside(): Run {
    const entering = ['--target', String(this.#host.pid), '--net', '--'];
    const inside = <T extends { readonly program: string; readonly args: readonly string[] }>(
      command: T,
    ) => ({
      ...command,
      program: 'nsenter',
      args: [...entering, command.program, ...command.args],
    });
    return {
      attempt: (command) => systemRun.attempt(inside(command)),
      detach: (command, environment) => systemRun.detach(inside(command), environment),
      follow: (command, on) => systemRun.follow(inside(command), on),
    };
  }
}

async function must(config: FrrConfig, text: string): Promise<void> {
  const applied = await config.apply(text);
  if (applied.kind === 'refused') throw new Error(`${applied.refusal.line}: ${applied.refusal.said}`);
}
