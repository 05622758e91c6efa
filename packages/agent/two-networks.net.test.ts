// One machine in two networks with iBGP that have the same LAN prefix, in a real kernel with real FRR: packets of each network
// go to its own LAN, and neither has a route of the other. Needs root and FRR.
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Fleet, until } from './fixtures/agents.ts';
import { addressOf } from './fixtures/documents.ts';
import { Overlay, otherNetwork, subnetBehind } from './fixtures/overlay.ts';

const canRun = process.platform === 'linux' && process.getuid?.() === 0 && existsSync('/usr/lib/frr/bgpd');
const prefix = 'fd00:7::/64';
const lanHost = 'fd00:7::1';
/** Behind the second edge alone. */
const single = 'fd00:8::/64';

describe.skipIf(!canRun)('a machine in two networks with the same LAN prefix', () => {
  const fleet = new Fleet();
  const host = (name: string) => fleet.member(name).host;
  let first: Overlay;
  let second: Overlay;
  const own = (overlay: Overlay) => {
    const number = fleet.number('both');
    return overlay === first ? addressOf(number) : otherNetwork.addressOf(number);
  };

  beforeAll(async () => {
    await fleet.start(['hub1', 'hub2', 'edge1', 'edge2', 'both']);
    for (const name of ['edge1', 'edge2']) {
      await host(name).must('ip', 'address', 'add', `${lanHost}/64`, 'dev', 'lo', 'nodad');
    }
    first = new Overlay(fleet, { hubs: ['hub1'], spokes: ['edge1', 'both'] });
    second = new Overlay(fleet, { hubs: ['hub2'], spokes: ['edge2', 'both'] }, otherNetwork);
    const behind = (overlay: Overlay, name: string, of: { readonly id: string; readonly prefix: string }) =>
      overlay.setItem(
        subnetBehind(overlay.peerId(name), { ...of, preference: 100, networkId: overlay.networkId }),
      );
    behind(first, 'edge1', { id: 'subnet-1', prefix });
    behind(second, 'edge2', { id: 'subnet-2', prefix });
    behind(second, 'edge2', { id: 'subnet-3', prefix: single });
    for (const overlay of [first, second]) {
      overlay.asNumber = 65_010;
      await overlay.apply();
    }
    for (const overlay of [first, second]) await until(() => reaches(overlay));
  });
  afterAll(() => fleet.end());

  /** From the machine's address in a network to the LAN host. */
  async function reaches(overlay: Overlay): Promise<boolean> {
    const args = ['-c', '1', '-W', '1', '-I', own(overlay), lanHost];
    return (await host('both').run('ping', ...args)).code === 0;
  }

  /** What the bgpd of a network has on a machine, by prefix. */
  async function bgpTable(name: string, overlay: Overlay): Promise<Record<string, unknown>> {
    const folder = `$(dirname /run/powernode-frr/*/bgpd-${overlay.networkId}/bgpd.vty)`;
    const ask = `vtysh --vty_socket ${folder} -c 'show bgp ipv6 unicast json'`;
    const answer = JSON.parse(await host(name).must('sh', '-c', ask)) as { routes?: Record<string, unknown> };
    return answer.routes ?? {};
  }

  const routesOf = (name: string) => host(name).must('ip', '-6', 'route', 'show', 'table', 'all');

  test('each bgpd has the prefixes of its own network alone', async () => {
    await until(async () => Object.keys(await bgpTable('both', first)).length === 1);
    await until(async () => Object.keys(await bgpTable('both', second)).length === 2);
    expect(Object.keys(await bgpTable('both', first))).toEqual([prefix]);
    expect(Object.keys(await bgpTable('both', second)).sort()).toEqual([prefix, single]);
    expect(Object.keys(await bgpTable('hub1', first))).toEqual([prefix]);
  });

  test('the kernel has the prefix once for each network, by an interface of it', async () => {
    const devices = () =>
      routesOf('both').then((text) =>
        text
          .split('\n')
          .filter((line) => line.startsWith(`${prefix} `))
          .map((line) => / dev wg-([a-z]+)/.exec(line)?.[1] ?? '')
          .sort(),
      );
    await until(async () => (await devices()).length === 2);
    expect(await devices()).toEqual(['other', 'test']);
    for (const name of ['hub1', 'edge1']) expect(await routesOf(name)).not.toContain(single);
  });

  test('packets of a network reach its own LAN, whatever becomes of that of the other', async () => {
    for (const [gone, overlay, other] of [
      ['edge1', first, second],
      ['edge2', second, first],
    ] as const) {
      await host(gone).must('ip', 'address', 'del', `${lanHost}/64`, 'dev', 'lo');
      expect(await reaches(overlay)).toBe(false);
      expect(await reaches(other)).toBe(true);
      await host(gone).must('ip', 'address', 'add', `${lanHost}/64`, 'dev', 'lo', 'nodad');
      await until(() => reaches(overlay));
    }
  });

  test('one network that ends to speak BGP, or is left, takes nothing of the other', async () => {
    first.asNumber = null;
    await first.apply();
    expect(await reaches(first)).toBe(true);
    expect(await reaches(second)).toBe(true);
    first.removeItem('subnet-1');
    await first.apply();
    await until(async () => !(await reaches(first)));
    expect(await reaches(second)).toBe(true);
  });
});
