// Writes of WireGuard as calls of `wg set`: only what differs, many peers a call. Never `syncconf`, which sends
// every peer again whatever changed.
import { agentPeersPerCallMax } from '@powernode/core/limits/agent';
import type { Command } from '../../ports/run.ts';
import type { PeerWrite, WireguardStep } from './steps.ts';

/** The calls for the steps of one interface, in their order. `privateKeyFile` finds a private half by the public one. */
export function wgCommands(
  name: string,
  steps: readonly WireguardStep[],
  privateKeyFile: (publicKey: string) => string,
): Command[] {
  const commands: Command[] = [];
  for (let first = 0; first < steps.length; first += agentPeersPerCallMax) {
    const args = steps
      .slice(first, first + agentPeersPerCallMax)
      .flatMap((step) => argumentsOf(step, privateKeyFile));
    if (args.length === 0) continue;
    commands.push({ program: 'wg', args: ['set', name, ...args] });
  }
  return commands;
}

function argumentsOf(step: WireguardStep, privateKeyFile: (publicKey: string) => string): string[] {
  switch (step.kind) {
    case 'set_device':
      return [
        ...(step.publicKey === null ? [] : ['private-key', privateKeyFile(step.publicKey)]),
        ...(step.listenPort === null ? [] : ['listen-port', String(step.listenPort)]),
      ];
    case 'set_peer':
      return peerArguments(step.peer);
    case 'remove_peer':
      return ['peer', step.publicKey, 'remove'];
  }
}

function peerArguments(peer: PeerWrite): string[] {
  return [
    ...(peer.how === 'renew' ? ['peer', peer.publicKey, 'remove'] : []),
    ...['peer', peer.publicKey],
    ...(peer.clearPresharedKey ? ['preshared-key', '/dev/null'] : []),
    ...(peer.endpoint === null ? [] : ['endpoint', peer.endpoint]),
    ...['allowed-ips', peer.allowedIps.join(',')],
    ...['persistent-keepalive', String(peer.keepalive)],
  ];
}
