// A router that runs FRR of its own joins a network: its FRR announces the network's routes to the site, and neither
// touches what the other has. The configuration is that of the how-to. In a network with iBGP two bgpd share TCP port 179 by
// their addresses, and to a bfdd of the machine the agent's daemons give way. Needs root and FRR.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { routerIdOf } from '@powernode/core/routing/identity';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Fleet, Flow, pings, until } from './fixtures/agents.ts';
import { openMessage } from './fixtures/bgp-messages.ts';
import { BgpSpeaker } from './fixtures/bgp-speaker.ts';
import { addressOf } from './fixtures/documents.ts';
import { Overlay, subnetBehind } from './fixtures/overlay.ts';
import type { Host } from './fixtures/stage.ts';
import { mustRun, systemRun } from './ports/run.ts';

const programs = '/usr/lib/frr';
const canRun = process.platform === 'linux' && process.getuid?.() === 0 && existsSync(`${programs}/bgpd`);
const howTo = path.join(import.meta.dirname, '..', '..', 'docs', 'how-to', 'own-frr.md');
const far4 = { prefix: '192.168.7.0/24', host: '192.168.7.1' };
const far6 = { prefix: 'fd00:7::/64', host: 'fd00:7::1' };
/** Of nobody. */
const later = '203.0.113.0/24';
/** As in the how-to. */
const overlayPrefixes = ['100.64.0.0/18', 'fd00:99::/64'];
const siteText = `router bgp 65002
 no bgp ebgp-requires-policy
 neighbor 10.5.0.1 remote-as 65001
 neighbor fd00:5::1 remote-as 65001
 address-family ipv6 unicast
  neighbor fd00:5::1 activate
 exit-address-family
`;

const asNumber = 65_010;
/** Of the switch, outside of the overlay. */
const outside = { hub: '2001:db8:200::2', edge: '2001:db8:200::3' };
const ownText = `router bgp 65001
 no bgp ebgp-requires-policy
 neighbor ${outside.edge} remote-as 65002
 address-family ipv6 unicast
  neighbor ${outside.edge} activate
`;

/** The block of the page that configures a bgpd. */
function documentedText(): string {
  const blocks = readFileSync(howTo, 'utf8').matchAll(/^```text\n([^]*?)^```$/gm);
  const found = [...blocks].map(([, text = '']) => text).find((text) => text.includes('router bgp'));
  if (found === undefined) throw new Error(`${howTo} configures no bgpd`);
  return found;
}

/** The FRR of a distribution: its usual places, an integrated configuration, started as its service does. */
class HostFrr {
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  async install(text: string): Promise<void> {
    const lines = [
      ...['mount -t tmpfs -o mode=755 own-frr /etc/frr', 'mkdir /run/frr', 'chown frr:frr /run/frr'],
      ...['echo service integrated-vtysh-config > /etc/frr/vtysh.conf', 'cat > /etc/frr/frr.conf <<"X"'],
      ...[text, 'X', 'chown -R frr:frr /etc/frr'],
    ];
    await this.#host.must('sh', '-ec', lines.join('\n'));
  }

  async start(): Promise<void> {
    for (const name of ['zebra', 'bgpd']) {
      await this.#host.must(`${programs}/${name}`, '-d', '-F', 'traditional', '-A', '127.0.0.1');
    }
    await this.#host.must('vtysh', '-b');
  }

  /** Of zebra and bgpd. */
  async pids(): Promise<string[]> {
    const pids = await this.#host.must('cat', '/run/frr/zebra.pid', '/run/frr/bgpd.pid');
    return pids.trim().split('\n');
  }

  async end(signal: 'TERM' | 'KILL'): Promise<void> {
    const pids = await this.pids();
    await this.#host.must('kill', `-${signal}`, ...pids);
    await until(async () => (await this.#host.run('kill', '-0', ...pids)).code !== 0);
  }

  show(command: string): Promise<string> {
    return this.#host.must('vtysh', '-c', command);
  }

  async files(): Promise<string> {
    return this.#host.must('sh', '-c', 'stat -c "%n %a %U %Y" /etc/frr/*; sha256sum /etc/frr/*');
  }
}

async function connectSite(router: Host, site: Host): Promise<void> {
  const peer = ['peer', 'name', 'lan0', 'netns', String(site.pid)];
  const inside = ['--target', String(router.pid), '--net', '--', 'ip'];
  const link = ['link', 'add', 'name', 'lan0', 'type', 'veth', ...peer];
  await mustRun(systemRun, { program: 'nsenter', args: [...inside, ...link] });
  for (const [end, number] of [
    [router, 1],
    [site, 2],
  ] as const) {
    await end.must('ip', 'address', 'add', `10.5.0.${number}/24`, 'dev', 'lan0');
    await end.must('ip', 'address', 'add', `fd00:5::${number}/64`, 'dev', 'lan0', 'nodad');
    await end.must('ip', 'link', 'set', 'dev', 'lan0', 'up');
    // Of the switch it has no need: what it reaches, it reaches by the router.
    if (end === site) await end.must('ip', 'link', 'set', 'dev', 'eth0', 'down');
  }
}

describe.skipIf(!canRun)('a router with FRR of its own', () => {
  const fleet = new Fleet();
  let overlay: Overlay;
  let site: Host;
  let own: HostFrr;
  let siteFrr: HostFrr;
  const host = (name: string) => fleet.member(name).host;
  const lanBehindEdge = (id: string, prefix: string) =>
    subnetBehind(overlay.peerId('edge'), { id, prefix, preference: 100 });

  beforeAll(async () => {
    await fleet.start(['hub', 'edge', 'router']);
    site = await fleet.stage.host('site');
    await connectSite(host('router'), site);
    await host('edge').must('ip', 'address', 'add', `${far4.host}/24`, 'dev', 'lo');
    await host('edge').must('ip', 'address', 'add', `${far6.host}/64`, 'dev', 'lo', 'nodad');
    overlay = new Overlay(fleet, { hubs: ['hub'], spokes: ['edge', 'router'] });
    overlay.setItem(lanBehindEdge('far4', far4.prefix));
    overlay.setItem(lanBehindEdge('far6', far6.prefix));
    for (const [id, prefix] of [
      ['site4', '10.5.0.0/24'],
      ['site6', 'fd00:5::/64'],
    ] as const) {
      overlay.setItem(subnetBehind(overlay.peerId('router'), { id, prefix, preference: 100 }));
    }
    await overlay.apply();
    await until(() => pings(host('router'), far6.host));
    own = new HostFrr(host('router'));
    siteFrr = new HostFrr(site);
    await own.install(documentedText());
    await siteFrr.install(siteText);
    await siteFrr.start();
    await own.start();
  });
  afterAll(() => fleet.end());

  /** Routes of a machine by protocol. */
  async function routes(of: Host, protocol: string): Promise<string[]> {
    const list = async (family: string) =>
      (await of.must('ip', family, 'route', 'show', 'table', 'all', 'proto', protocol)).split('\n');
    return [...(await list('-4')), ...(await list('-6'))]
      .map((line) => line.trim())
      .filter((line) => line !== '');
  }

  /** What the kernel of the site's router has learned. */
  async function learned(): Promise<string[]> {
    return (await routes(site, 'bgp')).map((line) => line.split(' ')[0] ?? '').sort();
  }

  async function runAnew(...options: string[]): Promise<void> {
    await fleet.kill('router');
    const from = fleet.platform.said.length;
    fleet.run(host('router'), ...options);
    await fleet.equal('router', from);
  }

  /** How often each session of the router's own bgpd has ended. */
  async function drops(): Promise<string> {
    const counts = (await own.show('show bgp neighbors json')).matchAll(/"connectionsDropped":(\d+)/g);
    return [...counts].map(([, count]) => count).join(' ');
  }

  const all = [...overlayPrefixes, far4.prefix, far6.prefix].sort();

  test('announces the network, and what is behind its peers once routes are exported', async () => {
    await expect.poll(learned).toEqual([...overlayPrefixes].sort());
    const files = await own.files();
    await runAnew('--export-routes');
    await expect.poll(learned).toEqual(all);
    expect(await pings(site, far4.host)).toBe(true);
    expect(await pings(site, far6.host)).toBe(true);
    expect(await own.files()).toBe(files);
  });

  test('a LAN that is deleted is withdrawn, and is announced again with its return', async () => {
    overlay.removeItem('far4');
    await overlay.apply();
    await expect.poll(learned).toEqual(all.filter((prefix) => prefix !== far4.prefix));
    overlay.setItem(lanBehindEdge('far4', far4.prefix));
    await overlay.apply();
    await expect.poll(learned).toEqual(all);
    await until(() => pings(site, far4.host));
  });

  test('an agent that is killed and comes back withdraws nothing, and touches nothing of that FRR', async () => {
    const before = {
      ...{ files: await own.files(), pids: await own.pids(), drops: await drops() },
      running: await own.show('show running-config'),
    };
    const [mine, sites] = [await routes(host('router'), '212'), await learned()];
    const flow = new Flow(site, far6.host);
    await runAnew('--export-routes');
    expect((await flow.end()).lost).toBe(0);
    expect(await routes(host('router'), '212')).toEqual(mine);
    expect(await learned()).toEqual(sites);
    expect({
      ...{ files: await own.files(), pids: await own.pids(), drops: await drops() },
      running: await own.show('show running-config'),
    }).toEqual(before);
  });

  test.each(['TERM', 'KILL'] as const)(
    'its FRR that ends by SIG%s and starts again leaves the agent’s routes alone',
    async (signal) => {
      const router = host('router');
      const mine = await routes(router, '212');
      const drift = fleet.platform.said.length;
      const flow = new Flow(router, far4.host);
      await own.end(signal);
      expect(await routes(router, '212')).toEqual(mine);
      await expect.poll(learned).toEqual([]);
      await own.start();
      await expect.poll(learned).toEqual(all);
      expect(await routes(router, '212')).toEqual(mine);
      expect((await flow.end()).lost).toBe(0);
      const repaired = fleet.platform.said.slice(drift).filter(({ hostname, message }) => {
        return hostname === 'router' && message.kind === 'observed' && (message.drift?.length ?? 0) > 0;
      });
      expect(repaired).toEqual([]);
    },
  );

  test('a site that announces a LAN of the network back takes no packet from the overlay', async () => {
    const router = host('router');
    const way = async () => (await router.must('ip', 'route', 'get', far4.host)).split(' uid')[0];
    const before = await way();
    const blackhole = (verb: 'add' | 'del', prefix: string) =>
      site.must('ip', 'route', verb, 'blackhole', prefix, 'metric', '1');
    const redistribute = 'redistribute kernel';
    const siteLine = (line: string) =>
      siteFrr.show(`configure terminal\nrouter bgp 65002\naddress-family ipv4 unicast\n${line}`);
    await own.show('configure terminal\nroute-map NOTHING permit 10');
    await siteLine(redistribute);
    await blackhole('add', far4.prefix);
    await until(async () =>
      (await own.show('show bgp ipv4 unicast neighbors 10.5.0.2 routes')).includes(far4.prefix),
    );
    // What comes after it is in the kernel, so that it would be too.
    await blackhole('add', later);
    await until(async () => (await routes(router, 'bgp')).some((line) => line.startsWith(later)));
    const taken = await routes(router, 'bgp');
    expect(taken.filter((line) => !line.startsWith(later))).toEqual([]);
    expect(await way()).toBe(before);
    expect(await pings(router, far4.host)).toBe(true);
    await siteLine(`no ${redistribute}`);
    for (const prefix of [far4.prefix, later]) await blackhole('del', prefix);
    await own.show('configure terminal\nroute-map NOTHING deny 10');
    await expect.poll(learned).toEqual(all);
  });

  test('an agent without the option takes the copies back', async () => {
    await runAnew();
    await expect.poll(learned).toEqual([...overlayPrefixes].sort());
    expect((await routes(host('router'), '212')).filter((line) => line.includes('metric 8192'))).toEqual([]);
    expect(await pings(host('router'), far4.host)).toBe(true);
  });
});

describe.skipIf(!canRun)('FRR of the machine beside that of the agent', () => {
  const fleet = new Fleet();
  let overlay: Overlay;
  const host = (name: string) => fleet.member(name).host;
  const at = (name: string) => addressOf(fleet.number(name));
  const ofAgent = async () =>
    (await host('hub').run('pgrep', '--full', '--list-name', 'vty_socket /run/powernode-frr')).stdout
      .split('\n')
      .map((line) => line.split(' ')[1] ?? '')
      .filter((name) => name !== '')
      .sort();

  beforeAll(async () => {
    await fleet.start(['hub', 'edge']);
    // A speaker takes the place of its bgpd.
    await host('edge').must('mount', '-t', 'tmpfs', 'none', programs);
    await host('hub').must('sh', '-ec', 'mkdir /run/frr; chown frr:frr /run/frr');
    await host('hub').must(
      'sh',
      '-ec',
      `cat > /run/frr/own.conf <<"X"\n${ownText}X\nchown frr:frr /run/frr/*`,
    );
    overlay = new Overlay(fleet, { hubs: ['hub'], spokes: ['edge'] });
    overlay.asNumber = asNumber;
  });
  afterAll(() => fleet.end());

  const startOwn = (name: string, ...more: string[]) =>
    host('hub').must(`${programs}/${name}`, '-d', '-A', '127.0.0.1', ...more);
  const startBgpd = () => startOwn('bgpd', '-n', '-f', '/run/frr/own.conf');

  async function endOwn(name: string): Promise<void> {
    const pid = (await host('hub').must('cat', `/run/frr/${name}.pid`)).trim();
    await host('hub').must('kill', pid);
    await until(async () => (await host('hub').run('kill', '-0', pid)).code !== 0);
  }

  /** A speaker on the edge: with the agent's bgpd over the overlay, or with the machine's outside of it. */
  async function sessionOf(way: 'overlay' | 'outside'): Promise<BgpSpeaker> {
    const routerId = routerIdOf(at('edge'));
    const session =
      way === 'overlay'
        ? { local: at('edge'), remote: at('hub'), open: openMessage({ asNumber, routerId }) }
        : { local: outside.edge, remote: outside.hub, open: openMessage({ asNumber: 65_002, routerId }) };
    return until(async () => {
      const speaker = new BgpSpeaker(host('edge'), session);
      return (await speaker.hears('established').catch(() => null)) === null ? null : speaker;
    });
  }

  test('a bgpd of the machine that is there first keeps its port, and the agent’s has its own', async () => {
    await startBgpd();
    await overlay.apply();
    for (const way of ['overlay', 'outside'] as const) (await sessionOf(way)).end();
    expect(await ofAgent()).toEqual(['bfdd', 'bgpd', 'zebra']);
  });

  test('one that comes later ends no session of the agent’s, and has its port', async () => {
    await endOwn('bgpd');
    const speaker = await sessionOf('overlay');
    await startBgpd();
    (await sessionOf('outside')).end();
    expect(speaker.isOver).toBe(false);
    speaker.end();
    (await sessionOf('overlay')).end();
    await endOwn('bgpd');
  });

  test('to a bfdd of the machine the agent’s daemons give way, which is told, and come back after it', async () => {
    const from = fleet.platform.said.length;
    await startOwn('bfdd');
    const told = await fleet.platform.heard(
      ({ message }) => message.kind === 'problems' && JSON.stringify(message).includes('bfdd=no'),
      from,
    );
    expect(told.hostname).toBe('hub');
    await until(async () => (await ofAgent()).length === 0);
    const lan = { id: 'lan', prefix: 'fd00:7::/64', preference: 100 };
    overlay.setItem(subnetBehind(overlay.peerId('edge'), lan));
    await overlay.apply();
    await until(async () =>
      (await host('hub').must('ip', '-6', 'route', 'show', 'table', 'all')).includes(lan.prefix),
    );
    await endOwn('bfdd');
    overlay.removeItem(lan.id);
    await overlay.apply();
    await until(async () => (await ofAgent()).length === 3);
  });
});
