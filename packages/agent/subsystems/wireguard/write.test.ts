// What is run for steps about WireGuard, as it would stand in a shell.
import { agentPeersPerCallMax } from '@powernode/core/limits/agent';
import { expect, test } from 'vitest';
import { describeCommand } from '../../ports/run.ts';
import type { PeerWrite, WireguardStep } from './steps.ts';
import { wgCommands } from './write.ts';

function shellLines(steps: readonly WireguardStep[]): string[] {
  return wgCommands('wg-a', steps, (publicKey) => `/state/keys/${publicKey}`).map(describeCommand);
}

const peer: PeerWrite = {
  publicKey: 'PEER',
  endpoint: '203.0.113.5:51820',
  allowedIps: ['fd00::1/128', 'fd00::2/128'],
  keepalive: 25,
  how: 'new',
  clearPresharedKey: false,
};

test('a key is named by its file and never stands in an argument', () => {
  expect(shellLines([{ kind: 'set_device', name: 'wg-a', publicKey: 'OWN', listenPort: 51820 }])).toEqual([
    'wg set wg-a private-key /state/keys/OWN listen-port 51820',
  ]);
});

test('all steps of an interface are one call, in their order', () => {
  const steps: WireguardStep[] = [
    { kind: 'set_device', name: 'wg-a', publicKey: null, listenPort: 7 },
    { kind: 'set_peer', interface: 'wg-a', peer },
    {
      kind: 'set_peer',
      interface: 'wg-a',
      peer: { ...peer, publicKey: 'SECOND', endpoint: null, how: 'change' },
    },
    { kind: 'remove_peer', interface: 'wg-a', publicKey: 'OLD' },
  ];
  expect(shellLines(steps)).toEqual([
    'wg set wg-a listen-port 7' +
      ' peer PEER endpoint 203.0.113.5:51820 allowed-ips fd00::1/128,fd00::2/128 persistent-keepalive 25' +
      ' peer SECOND allowed-ips fd00::1/128,fd00::2/128 persistent-keepalive 25' +
      ' peer OLD remove',
  ]);
});

test('a renewed peer is taken out and put in again in one call', () => {
  expect(shellLines([{ kind: 'set_peer', interface: 'wg-a', peer: { ...peer, how: 'renew' } }])).toEqual([
    'wg set wg-a peer PEER remove peer PEER endpoint 203.0.113.5:51820' +
      ' allowed-ips fd00::1/128,fd00::2/128 persistent-keepalive 25',
  ]);
});

test('a preshared key is cleared', () => {
  const [line] = shellLines([
    { kind: 'set_peer', interface: 'wg-a', peer: { ...peer, clearPresharedKey: true } },
  ]);
  expect(line).toContain('peer PEER preshared-key /dev/null ');
});

test('very many peers are written by several calls of bounded length', () => {
  const steps = Array.from(
    { length: agentPeersPerCallMax * 2 + 1 },
    (_, i): WireguardStep => ({ kind: 'set_peer', interface: 'wg-a', peer: { ...peer, publicKey: `P${i}` } }),
  );
  const lines = shellLines(steps);
  expect(lines).toHaveLength(3);
  for (const line of lines) expect(line.length).toBeLessThan(100_000);
});
