// Rendered configurations in real daemons of FRR: two reflectors and three clients that run one random network after
// another, some such sets of five beside each other. What each daemon then has is compared with what the explanation says.
// Needs root and FRR.
import { existsSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { contradiction, type SaidPaths, saidPaths } from './comparison.fixture.ts';
import { FrrHosts, until } from './frr.fixture.ts';
import { type NaiveNetwork, networkOf, tableOf } from './naive.fixture.ts';
import { addresses, prefixes, randomNetwork } from './random-routing.fixture.ts';
import { bfddConfig, renderBgpd } from './render.ts';

const canRun = process.platform === 'linux' && process.getuid?.() === 0 && existsSync('/usr/lib/frr/bgpd');
const seed = Number(process.env['POWERNODE_TEST_SEED'] ?? Date.now() % 1_000_000);
/** A hundred policies with 1,400 announcements. Ten times as many in the long form: POWERNODE_ROUTING_RUNS=520. */
const rounds = Number(process.env['POWERNODE_ROUTING_RUNS'] ?? 52);

/** Networks run beside each other: most of a round waits for bgpd, which evaluates a second after a policy has changed. */
const lanes = 4;

const own = new Set(['::', '0.0.0.0']);

/** What a daemon has of a prefix, as both sides write it. */
function tableIn(answer: string): { readonly paths: string[]; readonly asGood: string[] } {
  const { paths = [] } = JSON.parse(answer) as { readonly paths?: readonly ShownPath[] };
  const isUsed = ({ bestpath, multipath }: ShownPath) => bestpath?.overall === true || multipath === true;
  return { paths: textsOf(paths), asGood: textsOf(paths.filter(isUsed)) };
}

function textsOf(paths: readonly ShownPath[]): string[] {
  const found = paths
    .map((one) => ({
      neighbor: own.has(one.peer.peerId) ? null : one.peer.peerId,
      originator_id: one.originatorId ?? null,
      cluster_length: one.clusterList?.list.length ?? 0,
      local_pref: one.locPrf ?? 100,
      med: one.metric,
      as_path: one.aspath.string === 'Local' ? '' : one.aspath.string,
      origin: one.origin,
      communities: one.community?.string ?? '',
      announcer: one.largeCommunity?.string ?? null,
      // Of its own paths it shows none, or that of IPv6 alone.
      next_hop: own.has(one.peer.peerId) ? null : one.nexthops[0]?.ip,
      best: one.bestpath?.overall === true,
    }))
    .map((one) => JSON.stringify(one))
    .sort();
  // After changes bgpd 8.4 now and then lists one path twice, alike in everything: that decides nothing.
  return [...new Set(found)];
}

interface ShownPath {
  readonly peer: { readonly peerId: string };
  readonly originatorId?: string;
  readonly clusterList?: { readonly list: readonly string[] };
  readonly locPrf?: number;
  readonly metric?: number;
  readonly aspath: { readonly string: string };
  readonly origin: string;
  readonly community?: { readonly string: string };
  readonly largeCommunity?: { readonly string: string };
  readonly nexthops: readonly { readonly ip: string }[];
  readonly bestpath?: { readonly overall?: boolean };
  /** It is used beside others. */
  readonly multipath?: boolean;
}

const first = networkOf(
  [],
  prefixes.map(() => addresses.map(() => 100)),
);

function routingOf(of: NaiveNetwork, address: string) {
  const routing = of.routings.get(address);
  if (routing === undefined) throw new Error(`nobody has ${address}`);
  return routing;
}

/**
 * Five daemons that run one network at a time. bgpd 8.4 now and then leaves a withdrawn path at a neighbor when the whole
 * network changes at once, and no route refresh removes it: then all sessions of the lane begin anew, and the paths have
 * to be the explained ones.
 */
class Lane {
  /** What was there too much, or was missing, before sessions began anew. */
  readonly stale: unknown[] = [];
  drops: unknown[] = [];
  readonly frr = new FrrHosts(addresses);

  async start(): Promise<void> {
    const starts = [...this.frr.hosts].map(([address, host]) =>
      host.start(renderBgpd(routingOf(first, address)), address),
    );
    await Promise.all(starts);
  }

  async become(next: NaiveNetwork): Promise<void> {
    const changes = [...this.frr.hosts].map(async ([address, host]) => {
      const wanted = renderBgpd(routingOf(next, address));
      await host.apply(await host.difference(wanted));
      expect(await host.difference(wanted)).toEqual([]);
    });
    await Promise.all(changes);
    await this.settled(next);
  }

  /** Until each daemon has of each prefix the paths that are explained and that actions say, all at one time. */
  async settled(of: NaiveNetwork): Promise<void> {
    const tables = addresses.flatMap((address) =>
      prefixes.map((prefix) => ({
        ...{ address, prefix, wanted: tableOf(of, address, prefix) },
        said: saidPaths(of, address, prefix),
      })),
    );
    let wrong: unknown = null;
    const isSettled = async () => {
      for (const [i, table] of tables.entries()) {
        wrong = await this.#difference(table);
        if (wrong === null) continue;
        // The next look begins with it.
        tables.unshift(...tables.splice(i));
        return null;
      }
      return true;
    };
    const isInTime = await until('tables as explained', isSettled, 20_000).catch(() => false);
    if (isInTime) return;
    this.stale.push(wrong);
    for (const host of this.frr.hosts.values()) await host.bgp('clear bgp *');
    await until('tables as explained', isSettled, 60_000).catch(() => expect(wrong).toBeNull());
    this.drops = await this.countDrops();
  }

  async #difference(table: {
    readonly address: string;
    readonly prefix: string;
    readonly wanted: readonly string[];
    readonly said: SaidPaths;
  }): Promise<unknown> {
    const { address, prefix, wanted, said } = table;
    const family = prefix.includes(':') ? 'ipv6' : 'ipv4';
    const host = this.frr.hosts.get(address);
    const answer = (await host?.bgp(`show bgp ${family} unicast ${prefix} json`)) ?? '{}';
    const { paths: has, asGood } = tableIn(answer);
    if (JSON.stringify(has) === JSON.stringify(wanted)) {
      const contradicts = contradiction(said, has, { prefix, asGood });
      return contradicts === null ? null : { address, contradicts };
    }
    return {
      ...{ address, prefix },
      lacks: wanted.filter((one) => !has.includes(one)),
      has: has.filter((one) => !wanted.includes(one)),
    };
  }

  async countDrops(): Promise<unknown[]> {
    const all = [...this.frr.hosts.values()].map(async (host) => {
      const { peers } = JSON.parse(await host.bgp('show bgp ipv6 unicast summary json')) as {
        readonly peers: Record<string, { readonly connectionsDropped: number }>;
      };
      return Object.values(peers).map(({ connectionsDropped }) => connectionsDropped);
    });
    return Promise.all(all);
  }
}

describe.skipIf(!canRun)(`daemons of FRR (POWERNODE_TEST_SEED=${seed})`, () => {
  const running: Lane[] = [];

  beforeAll(async () => {
    for (let i = 0; i < lanes; i++) running.push(new Lane());
    await Promise.all(running.map((lane) => lane.start()));
  });
  afterAll(() => {
    for (const { frr } of running) frr.end();
  });

  test('load the configuration as it is: nothing differs', async () => {
    for (const lane of running) {
      for (const [address, host] of lane.frr.hosts) {
        expect(await host.difference(renderBgpd(routingOf(first, address)))).toEqual([]);
        expect(await host.loadedBfd(bfddConfig)).toEqual(bfddConfig);
      }
      await lane.settled(first);
    }
  });

  test(`have the paths that are explained, in ${rounds} networks, and lose no session`, {
    timeout: 3_600_000,
  }, async () => {
    for (const lane of running) lane.drops = await lane.countDrops();
    const left = fc.sample(randomNetwork, { numRuns: rounds, seed });
    const policies = left.reduce((sum, next) => sum + next.policies.length, 0);
    const announcements = left.flatMap(({ preferences }) => preferences.flat()).filter((one) => one !== null);
    console.log(`${policies} policies, ${announcements.length} announcements`);
    const runs = running.map(async (lane) => {
      for (let next = left.pop(); next !== undefined; next = left.pop()) {
        await lane.become(networkOf(next.policies, next.preferences));
      }
    });
    await Promise.all(runs);
    for (const lane of running) expect(await lane.countDrops()).toEqual(lane.drops);
    const stale = running.flatMap((lane) => lane.stale);
    console.log(`${stale.length} of ${rounds} networks left a withdrawn path`, JSON.stringify(stale));
    expect(stale.length).toBeLessThanOrEqual(1 + rounds / 50);
  });
});
