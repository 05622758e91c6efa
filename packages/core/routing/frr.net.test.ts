// Rendered configurations in real daemons of FRR: two reflectors and three clients that run one random network after
// another. What each daemon then has is compared with what the explanation says. Needs root and FRR.
import { existsSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FrrHosts, until } from './frr.fixture.ts';
import { type NaiveNetwork, networkOf, tableOf } from './naive.fixture.ts';
import { addresses, prefixes, randomPolicies } from './random-routing.fixture.ts';
import { bfddConfig, renderBgpd } from './render.ts';

const canRun = process.platform === 'linux' && process.getuid?.() === 0 && existsSync('/usr/lib/frr/bgpd');
const seed = Number(process.env['POWERNODE_TEST_SEED'] ?? Date.now() % 1_000_000);
/** 1000 in the long form. */
const rounds = Number(process.env['POWERNODE_ROUTING_RUNS'] ?? 100);

const preferences = fc.array(
  fc.array(fc.option(fc.constantFrom(100, 100, 90, 200), { nil: null, freq: 2 }), {
    minLength: addresses.length,
    maxLength: addresses.length,
    size: 'max',
  }),
  { minLength: prefixes.length, maxLength: prefixes.length, size: 'max' },
);
const network = fc.record({ policies: randomPolicies, preferences });

const own = new Set(['::', '0.0.0.0']);

/** A path as both sides write it. */
function pathsIn(answer: string) {
  const { paths = [] } = JSON.parse(answer) as { readonly paths?: readonly ShownPath[] };
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
}

describe.skipIf(!canRun)(`daemons of FRR (POWERNODE_TEST_SEED=${seed})`, () => {
  let frr: FrrHosts;
  const first = networkOf(
    [],
    prefixes.map(() => addresses.map(() => 100)),
  );

  beforeAll(async () => {
    frr = new FrrHosts(addresses);
    for (const [address, host] of frr.hosts) await host.start(renderBgpd(routingOf(first, address)), address);
  });
  afterAll(() => frr?.end());

  function routingOf(of: NaiveNetwork, address: string) {
    const routing = of.routings.get(address);
    if (routing === undefined) throw new Error(`nobody has ${address}`);
    return routing;
  }

  const shown = (address: string, prefix: string) =>
    frr.hosts
      .get(address)
      ?.bgp(`show bgp ${prefix.includes(':') ? 'ipv6' : 'ipv4'} unicast ${prefix} json`) ?? '{}';

  async function differences(of: NaiveNetwork): Promise<unknown[]> {
    const found = addresses.map(async (address) => {
      const wrong: unknown[] = [];
      for (const prefix of prefixes) {
        const wanted = tableOf(of, address, prefix);
        const has = pathsIn(await shown(address, prefix));
        if (JSON.stringify(has) !== JSON.stringify(wanted)) {
          wrong.push({
            address,
            prefix,
            lacks: wanted.filter((one) => !has.includes(one)),
            has: has.filter((one) => !wanted.includes(one)),
          });
        }
      }
      return wrong;
    });
    return (await Promise.all(found)).flat();
  }

  async function settled(of: NaiveNetwork): Promise<void> {
    let wrong: unknown[] = [];
    const isSettled = async () => {
      wrong = await differences(of);
      return wrong.length === 0 ? true : null;
    };
    await until('tables as explained', isSettled, 20_000).catch(() => expect(wrong.slice(0, 3)).toEqual([]));
  }

  async function drops(): Promise<unknown[]> {
    const all = [...frr.hosts.values()].map(async (host) => {
      const { peers } = JSON.parse(await host.bgp('show bgp ipv6 unicast summary json')) as {
        readonly peers: Record<string, { readonly connectionsDropped: number }>;
      };
      return Object.values(peers).map(({ connectionsDropped }) => connectionsDropped);
    });
    return Promise.all(all);
  }

  test('load the configuration as it is: nothing differs', async () => {
    for (const [address, host] of frr.hosts) {
      expect(await host.difference(renderBgpd(routingOf(first, address)))).toEqual([]);
      expect(await host.loadedBfd(bfddConfig)).toEqual(bfddConfig);
    }
    await settled(first);
  });

  test(`have the paths that are explained, in ${rounds} networks, and lose no session`, {
    timeout: 3_600_000,
  }, async () => {
    const before = await drops();

    for (const { policies, preferences } of fc.sample(network, { numRuns: rounds, seed })) {
      const next = networkOf(policies, preferences);
      for (const [address, host] of frr.hosts) {
        const wanted = renderBgpd(routingOf(next, address));
        await host.apply(await host.difference(wanted));
        expect(await host.difference(wanted)).toEqual([]);
      }
      await settled(next);
    }
    expect(await drops()).toEqual(before);
  });
});
