// FRR itself in network namespaces: the daemons' lives, the suite of the vty, changes and what is observed. Needs root.
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../ports/clock.ts';
import { FrrConfig } from './apply.ts';
import { simpleDiff } from './config-lines.fixture.ts';
import { type BgpDifference, BgpObserver } from './observe.ts';
import { type FrrSite, joinSites, openSite } from './site.fixture.ts';
import { describeVty } from './vty-suite.fixture.ts';

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
const lan = '192.168.7.0/24';

/** A network's configuration of one of two neighbors. `own`: the last number of its address. */
function text(network: number, own: 1 | 2, ...more: readonly string[]): string {
  const other = `fd00:${network}::${3 - own}`;
  return [
    'bgp route-map delay-timer 1',
    'router bgp 65000',
    ` bgp router-id 10.255.${network}.${own}`,
    ' no bgp default ipv4-unicast',
    ' no bgp network import-check',
    ` neighbor ${other} remote-as 65000`,
    ` neighbor ${other} bfd`,
    ` neighbor ${other} bfd profile powernode`,
    ` neighbor ${other} timers connect 1`,
    ` neighbor ${other} update-source fd00:${network}::${own}`,
    ` neighbor ${other} capability extended-nexthop`,
    ...more.map((line) => ` ${line}`),
    ' address-family ipv4 unicast',
    ...(own === 2 ? [`  network ${lan}`] : []),
    `  neighbor ${other} activate`,
    ' exit-address-family',
    ' address-family ipv6 unicast',
    `  neighbor ${other} activate`,
    ' exit-address-family',
    'exit',
    '',
  ].join('\n');
}

const bfdText = [
  'bfd',
  ' profile powernode',
  '  transmit-interval 100',
  '  receive-interval 100',
  ' exit',
  'exit',
  '',
].join('\n');

describe.skipIf(!isRoot)('FRR', () => {
  let near: FrrSite;
  let far: FrrSite;
  const networks = (own: 1 | 2) => [
    { network: 'one', address: `fd00:1::${own}` },
    { network: 'two', address: `fd00:2::${own}` },
  ];

  beforeAll(async () => {
    near = await openSite();
    far = await openSite();
    await joinSites(near, far);
  });

  afterAll(async () => {
    await near.end();
    await far.end();
  });

  /** Both networks with a session between the two sites. */
  async function configured(): Promise<void> {
    for (const [site, own] of [
      [near, 1],
      [far, 2],
    ] as const) {
      await site.daemons.keep(networks(own));
      await new FrrConfig(site.vty('bfdd'), simpleDiff).apply(bfdText);
      for (const [i, { network }] of networks(own).entries()) {
        const answer = await config(site, network).apply(text(i + 1, own));
        expect(answer.kind).not.toBe('refused');
      }
    }
  }

  const config = (site: FrrSite, network: string) => new FrrConfig(site.vty('bgpd', network), simpleDiff);

  function observe(network: string) {
    const told: BgpDifference[] = [];
    const parts = { vty: near.vty('bgpd', network), clock: systemClock };
    const observer = new BgpObserver({ ...parts, changed: (difference) => told.push(difference) });
    observer.start();
    onTestFinished(() => observer.stop());
    return { observer, told };
  }

  const session = (observer: BgpObserver, network: number) => observer.sessions.get(`fd00:${network}::2`);
  const pids = (site: FrrSite) => new Set(site.daemons.running().map(({ pid }) => pid));

  describe('the vty of bgpd', () => {
    beforeEach(() => near.daemons.removeAll());
    describeVty(async () => {
      await near.daemons.removeAll();
      await near.daemons.keep([{ network: 'one', address: 'fd00:1::1' }]);
      return {
        path: near.places.vtyOf('bgpd', 'one'),
        restart: async () => {
          await near.killAndWait('bgpd', 'one');
        },
      };
    });
  });

  test('two networks of a host with the same LAN share no route, and the kernel has none of them', async () => {
    await configured();
    const one = observe('one').observer;
    const two = observe('two').observer;
    await expect.poll(() => one.best(lan)?.nextHops).toEqual(['fd00:1::2']);
    await expect.poll(() => two.best(lan)?.nextHops).toEqual(['fd00:2::2']);
    await expect.poll(() => session(one, 1)?.bfd).toBe('up');
    await expect.poll(() => session(two, 2)?.bfd).toBe('up');
    expect(await near.namespace.must('ip', 'route', 'show', 'table', 'all')).not.toContain('192.168.7.');
    expect(await near.namespace.must('ip', 'nexthop')).toBe('');
    // A second apply has nothing to do.
    expect(await config(near, 'one').apply(text(1, 1))).toEqual({ kind: 'unchanged' });
    expect(await config(far, 'two').apply(text(2, 2))).toEqual({ kind: 'unchanged' });
    expect(await new FrrConfig(near.vty('bfdd'), simpleDiff).apply(bfdText)).toEqual({ kind: 'unchanged' });
  });

  test('a value that FRR refuses changes nothing, and no session is reset', async () => {
    await configured();
    const { observer } = observe('one');
    await expect.poll(() => session(observer, 1)?.state).toBe('Established');
    const vty = near.vty('bgpd', 'one');
    const before = await vty.show('show running-config');
    const summary = 'show bgp ipv4 unicast summary json';
    const connections = async () => /"connectionsDropped":\d+/.exec(await vty.show(summary))?.[0];
    const dropped = await connections();
    const wrong = text(
      1,
      1,
      'neighbor fd00:1::2 description changed',
      'neighbor fd00:1::9 remote-as 99999999999',
    );
    expect(await config(near, 'one').apply(wrong)).toEqual({
      kind: 'refused',
      refusal: {
        line: 'neighbor fd00:1::9 remote-as 99999999999',
        said: expect.stringContaining('Unknown command: neighbor fd00:1::9'),
      },
      restored: true,
    });
    expect(await vty.show('show running-config')).toBe(before);
    expect(await connections()).toBe(dropped);
    expect(session(observer, 1)?.state).toBe('Established');
  });

  test('a path that dies is told with its reason, and what came that way is gone', async () => {
    await configured();
    const { observer } = observe('one');
    await expect.poll(() => observer.best(lan)?.from).toBe('fd00:1::2');
    await expect.poll(() => session(observer, 1)?.bfd).toBe('up');
    await near.namespace.must('ip', 'link', 'set', 'near0', 'down');
    onTestFinished(async () => {
      await joinSites(near, far);
    });
    await expect.poll(() => observer.best(lan)).toBeUndefined();
    await expect.poll(() => session(observer, 1)?.lastError ?? '').toMatch(/BFD down|NHT/);
  });

  test.each(['bgpd', 'bfdd', 'zebra'] as const)(
    '%s that was killed is back, and configured again',
    async (name) => {
      await configured();
      const { observer } = observe('one');
      await expect.poll(() => session(observer, 1)?.bfd).toBe('up');
      const others = pids(near);
      near.failed.length = 0;
      const [killed] = await near.killAndWait(name, name === 'bgpd' ? 'one' : null);
      expect(near.failed).toEqual([`${name}${name === 'bgpd' ? ' one' : ''}: SIGKILL`]);
      others.delete(killed ?? 0);
      expect([...pids(near)]).toEqual(expect.arrayContaining([...others]));
      await configured();
      await expect.poll(() => session(observer, 1)?.state).toBe('Established');
      await expect.poll(() => session(observer, 1)?.bfd).toBe('up');
      await expect.poll(() => observer.best(lan)?.nextHops).toEqual(['fd00:1::2']);
    },
  );

  test('the next agent finds them by looking, and leaves sessions as they are', async () => {
    await configured();
    const before = pids(near);
    expect(before.size).toBe(4);
    near.anotherAgent();
    near.started.length = 0;
    await near.daemons.keep(networks(1));
    expect(pids(near)).toEqual(before);
    expect(near.started).toEqual([]);
    expect(await config(near, 'one').apply(text(1, 1))).toEqual({ kind: 'unchanged' });
    // One that it did not start itself it restarts as well.
    await near.killAndWait('bgpd', 'two');
    expect(near.started).toEqual(['bgpd two']);
  });

  test('a network that is not wanted any more takes its bgpd alone with it', async () => {
    await configured();
    const before = pids(near);
    await near.daemons.keep(networks(1).slice(0, 1));
    expect([...pids(near)].every((pid) => before.has(pid))).toBe(true);
    expect(pids(near).size).toBe(3);
    expect(existsSync(near.places.folderOf('bgpd', 'two'))).toBe(false);
    // Another address is another daemon.
    await near.daemons.keep([{ network: 'one', address: 'fd00:2::1' }]);
    expect(
      near.daemons.running().flatMap(({ daemon, args }) => (daemon === 'bgpd' ? [args.at(-1)] : [])),
    ).toEqual(['fd00:2::1']);
  });

  test('the host has an FRR of its own: its processes and routes stay as they are', async () => {
    await near.daemons.removeAll();
    const host = await near.hostFrr();
    await expect.poll(() => near.namespace.must('ip', 'route', 'show', '10.99.0.0/24')).toContain('proto');
    const routes = await near.namespace.must('ip', 'route');
    await configured();
    expect(near.daemons.foreign()).toMatchObject([{ pid: host.pid, daemon: 'zebra' }]);
    await near.killAndWait('zebra', null);
    await near.daemons.removeAll();
    expect(near.daemons.foreign()).toMatchObject([{ pid: host.pid }]);
    const plain = (listed: string) => listed.replaceAll(/nhid \d+ /g, '');
    expect(plain(await near.namespace.must('ip', 'route'))).toBe(plain(routes));
    await host.withdraw();
    await expect.poll(() => near.namespace.must('ip', 'route', 'show', '10.99.0.0/24')).toBe('');
    await host.end();
  });

  test('when nothing is wanted, nothing is left', async () => {
    await configured();
    await near.daemons.keep([]);
    expect(pids(near).size).toBe(0);
    expect(existsSync(near.places.root)).toBe(false);
    await configured();
    near.anotherAgent();
    await near.daemons.removeAll();
    expect(pids(near).size).toBe(0);
    expect(existsSync(near.places.root)).toBe(false);
    expect(await near.namespace.must('ip', 'nexthop')).toBe('');
    // The other agent of this machine has met nothing of that.
    expect(pids(far).size).toBe(4);
  });
});
