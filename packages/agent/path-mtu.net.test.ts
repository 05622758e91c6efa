// A path that carries less than the tunnel needs and tells nobody, on real hosts (network namespaces) with real
// WireGuard. Needs root.

import type { NodeProblem } from '@powernode/core/wire/node-problems';
import { expect, test } from 'vitest';
import { type Fleet, pings, until, withFleet } from './fixtures/agents.ts';
import { addressOf } from './fixtures/documents.ts';
import { connectLan, lan } from './fixtures/lan.ts';
import { Overlay, subnetBehind } from './fixtures/overlay.ts';
import type { Host } from './fixtures/stage.ts';

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;

/** As a router on the way would drop them, when another one swallows its ICMP. Whole IPv4 packets outside. */
async function dropLarge(host: Host, bytes: number, from = '0.0.0.0/0'): Promise<void> {
  const large = `iifname "eth0" ip saddr ${from} meta l4proto udp meta length > ${bytes} drop;`;
  await host.must(
    'nft',
    `table ip small { chain arriving { type filter hook prerouting priority -300; ${large} } ; }`,
  );
}

/** As a firewall does that lets no ICMP in. */
async function dropTooBig(host: Host): Promise<void> {
  const chain = 'type filter hook prerouting priority -300; icmpv6 type packet-too-big drop;';
  await host.must('nft', `table ip6 deaf { chain arriving { ${chain} } ; }`);
}

function problemsOf(fleet: Fleet, name: string): readonly NodeProblem[] {
  const last = fleet.platform.said
    .filter(({ hostname, message }) => hostname === name && message.kind === 'problems')
    .at(-1)?.message;
  return last?.kind === 'problems' ? last.problems : [];
}

async function mtuOf(host: Host, name: string): Promise<number> {
  return Number(/ mtu (\d+) /.exec(await host.must('ip', '-oneline', 'link', 'show', 'dev', name))?.[1]);
}

/** Whether a megabyte arrives over TCP. */
async function transfers(from: Host, to: Host, address: string): Promise<boolean> {
  const serve = `const s=require('net').createServer((c)=>c.end(Buffer.alloc(1e6)));s.listen(8080,'::',()=>console.log('up'))`;
  const server = from.spawn(process.execPath, ['-e', serve]);
  await new Promise((resolve) => server.stdout?.once('data', resolve));
  const take = `let n=0;const c=require('net').connect(8080,'${address}');c.setTimeout(8000,()=>process.exit(1));c.on('data',(d)=>{n+=d.length});c.on('end',()=>process.exit(n===1e6?0:1));c.on('error',()=>process.exit(1))`;
  const { code } = await to.run(process.execPath, '-e', take);
  await from.must('pkill', '--full', 'createServer');
  return code === 0;
}

test.skipIf(!isRoot)(
  'a path that swallows large packets is measured, said, and its interface made to fit [9.30]',
  async () => {
    await withFleet(['hub1', 'edge1'], async (fleet) => {
      const overlay = new Overlay(fleet, { hubs: ['hub1'], spokes: ['edge1'] });
      const [hub, edge] = [fleet.member('hub1').host, fleet.member('edge1').host];
      await dropLarge(hub, 1400);
      await dropLarge(edge, 1400);
      await overlay.apply();
      await until(() => pings(edge, addressOf(1)));
      const [problem] = await until(async () => {
        const found = problemsOf(fleet, 'edge1').filter(({ code }) => code === 'path_mtu_lowered');
        return found.length > 0 ? found : null;
      });
      expect(problem).toMatchObject({ interface: 'wg-test-1', subsystem: 'paths' });
      // 1400 bytes outside are 1340 inside (20 of IPv4, 8 of UDP, 32 of WireGuard), of which WireGuard fills up to a
      // multiple of 16: 1328 pass, and are found to 8 bytes.
      const mtu = await until(async () => {
        const now = await mtuOf(edge, 'wg-test-1');
        return now < 1420 ? now : null;
      });
      expect(mtu).toBeLessThanOrEqual(1328);
      expect(mtu).toBeGreaterThan(1328 - 8);
      expect(await transfers(hub, edge, addressOf(1))).toBe(true);
      expect(await transfers(edge, hub, addressOf(2))).toBe(true);
      // What the agent did itself is no drift.
      expect(fleet.logs.get('edge1')).not.toContain('another MTU');
    });
  },
);

test.skipIf(!isRoot)(
  'TCP of a host behind a peer fits such a path, where nobody is told that a packet is too big [9.30]',
  async () => {
    await withFleet(['hub1', 'edge2'], async (fleet) => {
      const edge = await fleet.stage.host('edge1');
      const host = await fleet.stage.host('printer');
      // Before it joins: an agent whose addresses change connects anew.
      await connectLan(edge, host);
      await fleet.join(edge);
      const [hub, other] = [fleet.member('hub1').host, fleet.member('edge2').host];
      const overlay = new Overlay(fleet, { hubs: ['hub1'], spokes: ['edge1', 'edge2'] });
      for (const end of [host, other]) await dropTooBig(end);
      await dropLarge(hub, 1400, `198.18.200.${fleet.number('edge1') + 1}`);
      await dropLarge(edge, 1400);
      overlay.setItem(
        subnetBehind(overlay.peerId('edge1'), { id: 'subnet-1', prefix: lan.prefix, preference: 100 }),
      );
      await overlay.apply();
      await until(() => pings(other, lan.client));
      await until(async () => (await mtuOf(edge, 'wg-test-1')) < 1420);
      expect(await mtuOf(other, 'wg-test-1')).toBe(1420);
      expect(await transfers(host, other, lan.client)).toBe(true);
      expect(await transfers(other, host, addressOf(fleet.number('edge2')))).toBe(true);
    });
  },
);
