// The agent beside the packet filter of its host, and containers behind a bridge: real kernels, real iptables-nft.
// Needs root.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { EntryValue } from '@powernode/core/wire/document';
import type { NodeProblem } from '@powernode/core/wire/node-problems';
import { expect, test } from 'vitest';
import { type Fleet, pings, until, withFleet } from './fixtures/agents.ts';
import { addressOf, networkId, prefix } from './fixtures/documents.ts';
import { connectLan, lan } from './fixtures/lan.ts';
import { Overlay, subnetBehind } from './fixtures/overlay.ts';
import { agentMain, type Host } from './fixtures/stage.ts';

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
const fixtures = path.join(import.meta.dirname, 'host', 'fixtures');

function lastProblems(fleet: Fleet, name: string): readonly NodeProblem[] {
  const said = fleet.platform.said.filter(
    ({ hostname, message }) => hostname === name && message.kind === 'problems',
  );
  const last = said.at(-1)?.message;
  return last?.kind === 'problems' ? last.problems : [];
}

/** Runs the agent of a host anew, with what its owner says. */
/** A failure says what was there instead. */
const limit = { timeout: 60_000 };

async function runWith(fleet: Fleet, name: string, ...options: readonly string[]): Promise<void> {
  const { host } = fleet.member(name);
  await fleet.kill(name);
  const from = fleet.platform.said.length;
  host.spawn(process.execPath, [agentMain, 'run', '--state-dir', host.stateDir, ...options]);
  await fleet.equal(name, from);
}

test.skipIf(!isRoot)(
  'a hub beside Docker says what drops its packets, lets them through when asked, and takes that back [9.27]',
  async () => {
    await withFleet(['hub1', 'edge1', 'edge2'], async (fleet) => {
      const hub = fleet.member('hub1').host;
      const rules = readFileSync(path.join(fixtures, 'docker-ipv6.rules'), 'utf8');
      const restore = hub.spawn('ip6tables-nft-restore', []);
      restore.stdin?.end(rules);
      await new Promise((resolve) => restore.once('exit', resolve));
      await fleet.connect('hub1', ['edge1', 'edge2']);
      const edge = fleet.member('edge1').host;
      await until(() => pings(edge, addressOf(1)));
      expect(await pings(edge, addressOf(3))).toBe(false);
      const [problem] = await until(async () => {
        const all = lastProblems(fleet, 'hub1');
        return all.length > 0 ? all : null;
      });
      expect(problem).toMatchObject({ code: 'host_firewall_forward', network_id: networkId });
      expect(problem?.detail).toContain('the policy of chain FORWARD of table ip6 filter (Docker)');
      await runWith(fleet, 'hub1', '--host-firewall', 'accept');
      await until(() => pings(edge, addressOf(3)));
      await until(async () => lastProblems(fleet, 'hub1').length === 0);
      // iptables still reads its own table.
      expect(await hub.must('ip6tables-nft', '-S', 'DOCKER-USER')).toContain('-i wg-test -o wg-test');
      expect((await hub.agent('leave')).code).toBe(0);
      expect(await hub.must('ip6tables-nft', '-S', 'DOCKER-USER')).not.toContain('wg-test');
    });
  },
);

test.skipIf(!isRoot)(
  'a LAN router beside Docker says what drops the packets of its LAN, and lets them through when asked [9.27]',
  async () => {
    await withFleet(['hub1'], async (fleet) => {
      const edge = await fleet.stage.host('edge1');
      const client = await fleet.stage.host('printer');
      // Before it joins: an agent whose addresses change connects anew.
      await connectLan(edge, client);
      await fleet.join(edge);
      const restore = edge.spawn('ip6tables-nft-restore', []);
      restore.stdin?.end(readFileSync(path.join(fixtures, 'docker-ipv6.rules'), 'utf8'));
      await new Promise((resolve) => restore.once('exit', resolve));
      const overlay = new Overlay(fleet, { hubs: ['hub1'], spokes: ['edge1'] });
      overlay.setItem(
        subnetBehind(overlay.peerId('edge1'), { id: 'subnet-1', prefix: lan.prefix, preference: 100 }),
      );
      await overlay.apply();
      const hub = fleet.member('hub1').host;
      await until(() => pings(hub, addressOf(2)));
      expect(await pings(hub, lan.client)).toBe(false);
      const problem = await until(async () =>
        lastProblems(fleet, 'edge1').find(({ code }) => code === 'host_firewall_lan'),
      );
      expect(problem?.detail).toContain('behind this instance on lan0: the policy of chain FORWARD');
      await runWith(fleet, 'edge1', '--host-firewall', 'accept');
      await until(() => pings(hub, lan.client));
      expect(await pings(client, addressOf(1))).toBe(true);
      await until(async () => lastProblems(fleet, 'edge1').length === 0);
    });
  },
);

/** A container behind docker0 that publishes port 8080, as Docker would do it, over IPv6. */
async function container(host: Host): Promise<void> {
  const script = `set -e
    ip link add docker0 type bridge
    ip address add fd00:d::1/64 dev docker0 nodad
    ip link set docker0 up
    ip netns add c1
    ip link add v0 type veth peer name eth0 netns c1
    ip link set v0 master docker0 up
    ip netns exec c1 ip address add fd00:d::2/64 dev eth0 nodad
    ip netns exec c1 ip link set eth0 up
    ip netns exec c1 ip link set lo up
    ip netns exec c1 ip route add default via fd00:d::1
    echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
    nft -f - <<'RULES'
    table ip6 nat {
      chain PREROUTING {
        type nat hook prerouting priority -100; policy accept;
        iifname != "docker0" fib daddr type local tcp dport 8080 dnat to [fd00:d::2]:80
      }
      chain POSTROUTING {
        type nat hook postrouting priority 100; policy accept;
        oifname != "docker0" ip6 saddr fd00:d::/64 masquerade
      }
    }
RULES`;
  await host.must('sh', '-c', script);
  const serve = `require('http').createServer((_, answer) => answer.end('hello')).listen(80, '::', () => console.log('up'))`;
  const server = host.spawn('ip', ['netns', 'exec', 'c1', process.execPath, '-e', serve]);
  await new Promise((resolve) => server.stdout?.once('data', resolve));
}

async function fetches(host: Host, address: string): Promise<boolean> {
  const ask = `fetch('http://[${address}]:8080', { signal: AbortSignal.timeout(1500) }).then((answer) => answer.text()).then((text) => process.exit(text === 'hello' ? 0 : 1), () => process.exit(1))`;
  return (await host.run(process.execPath, '-e', ask)).code === 0;
}

const rule = (port: number): EntryValue => ({
  kind: 'rule',
  network_id: networkId,
  rule_id: 'rule-web',
  direction: 'ingress',
  action: 'accept',
  from: { kind: 'all' },
  to: { kind: 'all' },
  protocol: 'tcp',
  ports: [port, port],
});

test.skipIf(!isRoot)(
  'a container behind a bridge is cut off, says the agent, until the owner lets it in; then the rules decide [9.27]',
  async () => {
    await withFleet(['hub1', 'edge1'], async (fleet) => {
      await fleet.connect('hub1', ['edge1']);
      const hub = fleet.member('hub1').host;
      const edge = fleet.member('edge1').host;
      await until(() => pings(edge, addressOf(1)));
      await container(edge);
      const firewall: EntryValue = {
        kind: 'firewall',
        network_id: networkId,
        handle: 'test',
        prefixes: [prefix],
        default_policy: 'drop',
        rematch: false,
      };
      const from = fleet.platform.said.length;
      await fleet.platform.put('edge1', [firewall, rule(8080)]);
      await fleet.platform.applied('edge1', 2, from);
      const said = () => lastProblems(fleet, 'edge1').map(({ code, detail }) => `${code}: ${detail}`);
      await expect.poll(said, limit).toContainEqual(expect.stringContaining('bridge_cut_off'));
      const pingsOut = async () =>
        (await edge.run('ip', 'netns', 'exec', 'c1', 'ping', '-c', '1', '-W', '1', addressOf(1))).code === 0;
      expect(await fetches(hub, addressOf(2))).toBe(false);
      expect(await pingsOut()).toBe(false);
      await runWith(fleet, 'edge1', '--bridge', 'docker0');
      await expect.poll(() => fetches(hub, addressOf(2)), limit).toBe(true);
      expect(await pingsOut()).toBe(true);
      await expect.poll(said, limit).toEqual([]);
      // The same rules as for the machine itself: another port is open, and this one is not any more.
      const later = fleet.platform.said.length;
      await fleet.platform.put('edge1', [rule(8081)]);
      await fleet.platform.applied('edge1', 3, later);
      expect(await fetches(hub, addressOf(2))).toBe(false);
    });
  },
);
