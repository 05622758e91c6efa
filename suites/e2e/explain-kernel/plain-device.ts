// A person's device: WireGuard as anybody would configure it, and no agent.

import type { ChildProcess } from 'node:child_process';
import type { PeerModel, UserDeviceModel } from '@powernode/core/compile/model';
import { uuid } from '@powernode/core/explain/random-network.fixture';
import { until } from '../../../packages/agent/fixtures/agents.ts';
import type { Host } from '../../../packages/agent/fixtures/stage.ts';
import type { KernelNetwork } from './kernel-network.ts';
import { within } from './within.ts';

const interfaceName = 'wg-device';
const bootMs = 60_000;

export class PlainDevice {
  readonly host: Host;
  readonly publicKey: string;
  readonly #engine: ChildProcess;

  private constructor(host: Host, parts: { readonly publicKey: string; readonly engine: ChildProcess }) {
    this.host = host;
    this.publicKey = parts.publicKey;
    this.#engine = parts.engine;
  }

  static async boot(host: Host): Promise<PlainDevice> {
    const engine = host.spawn('wireguard-go', ['-f', interfaceName]);
    let complaint = '';
    engine.stderr?.on('data', (chunk) => {
      complaint += String(chunk);
    });
    const up = until(async () => (await host.run('wg', 'show', interfaceName)).code === 0);
    await within(bootMs, up, () => `wireguard-go has no ${interfaceName} ${complaint}`);
    const publicKey = await host.must(
      'sh',
      '-c',
      'umask 077; wg genkey > /run/device.key; wg pubkey < /run/device.key',
    );
    await host.must('wg', 'set', interfaceName, 'private-key', '/run/device.key');
    await host.must('ip', 'link', 'set', interfaceName, 'mtu', '1420', 'up');
    return new PlainDevice(host, { publicKey: publicKey.trim(), engine });
  }

  model(network: KernelNetwork, hub: PeerModel): UserDeviceModel {
    return {
      type: 'user_device',
      id: uuid(4, 1),
      networkId: network.index.network.id,
      publicKey: this.publicKey,
      addresses: network.addresses(100),
      hubPeerId: hub.id,
      tags: [],
    };
  }

  /** As its configuration file would have it. */
  async configure(network: KernelNetwork, { addresses, hubPeerId }: UserDeviceModel): Promise<void> {
    const hub = network.index.peer(hubPeerId);
    const { prefix, ipv4Prefix } = network.shape;
    const prefixes = ipv4Prefix === null ? [prefix] : [prefix, ipv4Prefix];
    for (const peer of (await this.host.must('wg', 'show', interfaceName, 'peers')).trim().split('\n')) {
      if (peer !== '') await this.host.must('wg', 'set', interfaceName, 'peer', peer, 'remove');
    }
    await this.host.must('ip', 'address', 'flush', 'dev', interfaceName);
    for (const address of addresses) {
      const nodad = address.includes(':') ? ['nodad'] : [];
      await this.host.must(
        'ip',
        'address',
        'add',
        `${address}/${address.includes(':') ? 128 : 32}`,
        'dev',
        interfaceName,
        ...nodad,
      );
    }
    await this.host.must(
      ...([
        'wg',
        'set',
        interfaceName,
        'peer',
        hub?.publicKey ?? '',
        'endpoint',
        hub?.endpoint ?? '',
      ] as const),
      ...['allowed-ips', prefixes.join(','), 'persistent-keepalive', '25'],
    );
    for (const one of prefixes) await this.host.must('ip', 'route', 'replace', one, 'dev', interfaceName);
  }

  end(): void {
    this.#engine.kill('SIGKILL');
  }
}
