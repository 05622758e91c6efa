// One bad spoke: in place of its bgpd a speaker that announces, by turns, everything that it could. Two hubs, two other
// spokes, real agents and real FRR. No route of any other machine changes, no other session is reset, and both hubs say
// whom they refuse. Needs root and FRR.
import { existsSync } from 'node:fs';
import { routerIdOf } from '@powernode/core/routing/identity';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Fleet, Flow, pings, until } from './fixtures/agents.ts';
import { type Attributes, announcements, openMessage, withdrawals } from './fixtures/bgp-messages.ts';
import { BgpSpeaker } from './fixtures/bgp-speaker.ts';
import { addressOf, prefix as overlayPrefix } from './fixtures/documents.ts';
import { Overlay, subnetBehind } from './fixtures/overlay.ts';
import { manyPrefixes, rogueOpenings, rogueTurns } from './fixtures/rogue-turns.ts';

const canRun = process.platform === 'linux' && process.getuid?.() === 0 && existsSync('/usr/lib/frr/bgpd');
const asNumber = 65_010;
const hubs = ['hub1', 'hub2'];
const spokes = ['rogue', 'edge2', 'edge3'];
const others = [...hubs, 'edge2', 'edge3'];
/** Behind the rogue alone; the second one is withdrawn and announced to see that everything before has had its effect. */
const own = 'fd00:7:1::/64';
const own4 = '10.7.1.0/24';
const canary = 'fd00:7:2::/64';
/** Behind edge2, and less preferred behind the rogue. */
const shared = 'fd00:7:3::/64';
const sharedHost = 'fd00:7:3::1';
/** Behind edge2 alone. */
const foreign = 'fd00:7:4::/64';
const foreign4 = '10.7.4.0/24';
const virtualAddress = 'fd00:99::f00';
/** Of one holder, so that which is the nearest changes no route. */
const anycastAddress = 'fd00:99::f01';
/** Never accepted of anybody. */
const marker = 'fd00:666::/64';

describe.skipIf(!canRun)('a spoke whose bgpd was tampered with', () => {
  const fleet = new Fleet();
  let overlay: Overlay;
  const host = (name: string) => fleet.member(name).host;
  const at = (name: string) => addressOf(fleet.number(name));
  let speakers: BgpSpeaker[] = [];
  let baseline: Record<string, string> = {};

  beforeAll(async () => {
    await fleet.start([...hubs, ...spokes]);
    await host('edge2').must('ip', 'address', 'add', `${sharedHost}/64`, 'dev', 'lo', 'nodad');
    overlay = new Overlay(fleet, { hubs, spokes });
    overlay.asNumber = asNumber;
    let subnets = 0;
    const behind = (name: string, prefix: string, preference = 100) =>
      overlay.setItem(subnetBehind(overlay.peerId(name), { id: `subnet-${++subnets}`, prefix, preference }));
    for (const prefix of [own, own4, canary, shared]) behind('rogue', prefix);
    for (const prefix of [foreign, foreign4]) behind('edge2', prefix);
    behind('edge2', shared, 200);
    overlay.setItem({
      ...{ type: 'virtual_ip', id: 'vip-1', networkId: overlay.networkId, addresses: [virtualAddress] },
      ...{ anycast: false, candidates: [overlay.peerId('edge2')], holder: overlay.peerId('edge2'), epoch: 1 },
    });
    overlay.setItem({
      ...{ type: 'virtual_ip', id: 'vip-2', networkId: overlay.networkId, addresses: [anycastAddress] },
      ...{ anycast: true, candidates: [overlay.peerId('edge2')], holder: null, epoch: 1 },
    });
    await overlay.apply();
    await until(() => pings(host('edge3'), sharedHost));
    await until(() => pings(host('edge3'), virtualAddress));
    await until(() => pings(host('edge3'), anycastAddress));
    // The agent of the rogue goes, so that nobody brings its bgpd back; its tunnels stay.
    await until(async () => (await sessionsUp('hub1')) === 4 && (await sessionsUp('hub2')) === 4);
    await fleet.kill('rogue');
    const [pid = ''] = (await host('rogue').must('pgrep', '--exact', 'bgpd')).trim().split('\n');
    await host('rogue').must('kill', '-KILL', pid);
    await connected();
    baseline = await tables();
  });
  afterAll(() => fleet.end());

  async function vtysh(hub: string, command: string): Promise<string> {
    const bgpd = `vtysh --vty_socket $(dirname /run/powernode-frr/*/bgpd-*/bgpd.vty) -c '${command}'`;
    return host(hub).must('sh', '-c', bgpd);
  }

  interface Peers {
    readonly peers: Record<string, { readonly state: string; readonly connectionsDropped: number }>;
  }

  async function peersOf(hub: string): Promise<Peers['peers']> {
    const answer = JSON.parse(await vtysh(hub, 'show bgp ipv6 unicast summary json')) as Partial<Peers>;
    return answer.peers ?? {};
  }

  async function sessionsUp(hub: string): Promise<number> {
    // Its bgpd may be about to begin.
    return Object.values(await peersOf(hub).catch((): NonNullable<Peers['peers']> => ({}))).filter(
      ({ state }) => state === 'Established',
    ).length;
  }

  /** How often each session that is not the rogue's has ended. */
  async function drops(): Promise<unknown> {
    const all = hubs.map(async (hub) => {
      const peers = Object.entries(await peersOf(hub)).filter(([address]) => address !== at('rogue'));
      return [
        hub,
        ...peers.map(([address, { connectionsDropped }]) => `${address} ${connectionsDropped}`).toSorted(),
      ];
    });
    return Promise.all(all);
  }

  const openAs = (routerId = routerIdOf(at('rogue'))) => openMessage({ asNumber, routerId });

  const speakTo = (hub: string, open = openAs(), local = at('rogue')) =>
    new BgpSpeaker(host('rogue'), { local, remote: at(hub), open });

  /** The rogue announces what it should, to both hubs, and everybody has that. */
  async function connected(open = openAs()): Promise<void> {
    speakers = [];
    for (const hub of hubs) {
      speakers.push(
        await until(async () => {
          const speaker = speakTo(hub, open);
          return (await speaker.hears('established').catch(() => null)) === null ? null : speaker;
        }),
      );
    }
    tell(honest());
    await until(async () => (await routesOf('edge3')).includes(canary));
    await until(async () => (await routesOf('edge3')).includes(own4));
  }

  const tell = (messages: readonly Buffer[]) => {
    for (const speaker of speakers) speaker.send(messages);
  };

  const announce = (prefixes: readonly string[], of: Partial<Attributes> = {}) =>
    announcements(prefixes, { nextHop: at('rogue'), ...of });

  const honest = () => [...announce([own, canary, shared]), ...announce([own4])];

  async function routesOf(name: string): Promise<string> {
    const six = await host(name).must('ip', '-6', 'route', 'show', 'table', 'all');
    return six + (await host(name).must('ip', '-4', 'route', 'show', 'table', 'all'));
  }

  /** What the kernels of all others have: routes, and the peers that prefixes belong to. */
  async function tables(): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    for (const name of others) {
      const peers = await host(name).must('wg', 'show', 'all', 'allowed-ips');
      const words = peers.split('\n').map((line) => line.split(/\s+/).sort().join(' '));
      found[name] = [...(await routesOf(name)).split('\n'), ...words].sort().join('\n');
    }
    return found;
  }

  /** What the rogue's own sessions took with them comes back to each machine in its own time. */
  async function expectBaseline(what: string): Promise<void> {
    await expect.poll(tables, { message: what }).toEqual(baseline);
  }

  /** Everything that was said before has had its effect in the kernels of all others. */
  async function effective(): Promise<void> {
    for (const speaker of speakers) speaker.send(withdrawals([canary]));
    await until(async () => !(await routesOf('edge3')).includes(canary));
    tell(announce([canary]));
    for (const name of others) await until(async () => (await routesOf(name)).includes(canary));
  }

  interface ShownMap {
    readonly rules: readonly { readonly type: string; readonly invoked: number }[];
  }

  /** How often the filters of a hub have refused. */
  async function refusedBy(hub: string): Promise<number> {
    // By the name of the daemon.
    const answer = JSON.parse(await vtysh(hub, 'show route-map json')) as Record<
      string,
      Record<string, ShownMap>
    >;
    const last = Object.entries(answer['BGP'] ?? {}).flatMap(([name, { rules }]) =>
      name.startsWith('pn-from') ? (rules.at(-1) ?? []) : [],
    );
    return last.reduce((sum, { type, invoked }) => sum + (type === 'deny' ? invoked : 0), 0);
  }

  /** What a hub has said last of the rogue's announcements. */
  function refusals(hub: string, from = 0) {
    return fleet.platform.said.slice(from).flatMap(({ hostname, message: one }) => {
      if (hostname !== hub || one.kind !== 'observed') return [];
      const mine = one.bgp_sessions?.filter(({ peer_id: peer }) => peer === overlay.peerId('rogue')) ?? [];
      return mine.flatMap(({ refused }) => refused ?? []);
    });
  }

  const turns = () =>
    rogueTurns({
      ...{ asNumber, rogue: at('rogue'), hub: at('hub1'), other: at('edge2'), overlay: overlayPrefix },
      ...{ own, own4, shared, foreign, foreign4, virtualAddress, anycastAddress },
    });

  test('nobody’s route changes, whatever it announces, and both hubs say what they refuse', async () => {
    const flow = new Flow(host('edge3'), sharedHost);
    const from = fleet.platform.said.length;
    const before = await drops();
    for (const [what, { refused, say }] of Object.entries(turns())) {
      const counted = await Promise.all(hubs.map(refusedBy));
      tell([...say(), ...announce([marker])]);
      await effectiveOrAgain();
      for (const [i, hub] of hubs.entries()) {
        await until(async () => (await refusedBy(hub)) > (counted[i] ?? 0) + refused);
      }
      expect(await tables(), what).toEqual(baseline);
    }
    expect(await drops()).toEqual(before);
    for (const hub of hubs) {
      await until(async () => {
        const { ipv4 = 0, ipv6 = 0 } = refusals(hub, from).at(-1) ?? {};
        return ipv4 > 0 && ipv6 > manyPrefixes;
      });
    }
    expect((await flow.end()).lost).toBe(0);
  });

  /** A hub may end the session for what it was told: that is the rogue's own loss. */
  async function effectiveOrAgain(): Promise<void> {
    if (speakers.some((speaker) => speaker.isOver)) {
      for (const speaker of speakers) speaker.end();
      await connected();
      tell(announce([marker]));
    }
    await effective();
  }

  test('nor does anything, whatever it opens a session with', async () => {
    const before = await drops();
    for (const speaker of speakers) speaker.end();
    const openings = rogueOpenings({ asNumber, rogue: at('rogue'), hub: at('hub1') });
    for (const [what, open] of Object.entries(openings)) {
      const refused = speakTo('hub1', open);
      // Of what is not understood some is passed over: then the session comes up and is as any other.
      await Promise.any([
        refused.hears('established'),
        refused.hears('notification'),
        refused.hears('closed'),
      ]);
      refused.end();
      await connected();
      await expectBaseline(what);
      for (const speaker of speakers) speaker.end();
    }
    expect(await drops()).toEqual(before);
  });

  test('with the router id of another spoke its LANs are its own, and it wins nothing', async () => {
    for (const id of [routerIdOf(at('edge2')), '0.0.0.1']) {
      await connected(openAs(id));
      tell(announce([shared], { localPref: 200 }));
      await effective();
      await expectBaseline(id);
      for (const speaker of speakers) speaker.end();
    }
  });

  test('it is nobody else: what comes from another’s address is dropped by the tunnel', async () => {
    await host('rogue').must('ip', 'address', 'add', `${at('edge2')}/128`, 'dev', 'lo', 'nodad');
    const before = await drops();
    const script = `exec 3<>/dev/tcp/${at('hub1')}/179`;
    const connects = async () => (await host('rogue').run('timeout', '2', 'bash', '-c', script)).code === 0;
    expect(await connects()).toBe(true);
    const route = (await host('rogue').must('ip', '-6', 'route', 'get', at('hub1'))).split('\n')[0] ?? '';
    const [, device = ''] = / dev (\S+)/.exec(route) ?? [];
    await host('rogue').must(
      ...['ip', '-6', 'route', 'add', `${at('hub1')}/128`, 'dev', device],
      ...['src', at('edge2'), 'metric', '1'],
    );
    expect(await connects()).toBe(false);
    await host('rogue').must('ip', '-6', 'route', 'del', `${at('hub1')}/128`, 'dev', device, 'metric', '1');
    expect(await drops()).toEqual(before);
  });

  test('an agent of a hub that comes back asks, and says it again', async () => {
    await connected();
    tell(announce([marker]));
    const [first] = speakers;
    const heard = first?.said.length ?? 0;
    const from = fleet.platform.said.length;
    await fleet.kill('hub1');
    fleet.run(host('hub1'));
    // Route refresh (RFC 2918): the rogue is honest enough to answer.
    await first?.hears('refresh', heard);
    first?.send([...honest(), ...announce([marker])]);
    await until(async () => refusals('hub1', from).length > 0);
    expect(refusals('hub1', from).at(-1)).toMatchObject({ ipv6: expect.any(Number) });
  });
});
