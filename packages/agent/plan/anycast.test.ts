// Where packets for an anycast address go, from documents as the compiler makes them.
import type { VirtualIpModel } from '@powernode/core/compile/model';
import { networkModel, peerModel } from '@powernode/core/compile/model.fixture';
import { NetworkIndex } from '@powernode/core/compile/network-index';
import { nearerForMs } from '@powernode/core/limits/anycast';
import { nodeDocumentOf } from '@powernode/core/wire/node-document.fixture';
import { describe, expect, test } from 'vitest';
import type { PathState } from '../probe/path-state.ts';
import type { BgpDecisions } from './bgp-decisions.ts';
import { PathIndex } from './path-index.ts';
import type { HolderState } from './probe-health.ts';
import { RouteChooser } from './route-choice.ts';

const network = networkModel({ handle: 'x' });
const destination = 'fd00::f0/128';
const numbers = { j: 1, k: 2, s: 3, t: 4, u: 5 } as const;
type Name = keyof typeof numbers;

const peers = (Object.keys(numbers) as Name[]).map((name) => {
  const hubSlot = name === 'j' ? 1 : name === 'k' ? 2 : null;
  return peerModel({
    id: name,
    instanceId: name,
    hostAddress: hostOf(name),
    publicKey: name.padEnd(43, 'k').concat('='),
    directKey: null,
    hubSlot,
    endpoint: hubSlot === null ? null : `203.0.113.${hubSlot}:51820`,
  });
});

function hostOf(name: Name): string {
  return `fd00::${numbers[name]}`;
}

function heldBy(...candidates: Name[]): VirtualIpModel {
  return {
    type: 'virtual_ip',
    id: 'v',
    networkId: network.id,
    addresses: ['fd00::f0'],
    anycast: true,
    candidates,
    holder: null,
    epoch: 1,
  };
}

/** Calling it says what is known now, and answers who is sent to: a spoke, or the interface to a hub. */
function node(name: Name, item: VirtualIpModel, without: readonly Name[] = []) {
  const index = new PathIndex();
  const members = peers.map((one) =>
    without.some((other) => other === one.id) ? { ...one, routingDaemonMissing: true } : one,
  );
  const inside = without.length === 0 ? network : { ...network, asNumber: 65_010 };
  const values = new NetworkIndex(inside, members, [item]).compile(name).map(({ value }) => value);
  index.update(nodeDocumentOf(values), 'all');
  const chooser = new RouteChooser();
  const states = new Map<string, PathState>();
  const holders = new Map<string, HolderState>();
  const health = {
    of: ({ publicKey }: { readonly publicKey: string }) => states.get(publicKey[0] ?? '') ?? 'alive',
  };
  let announcers: readonly string[] | null = null;
  const bgp: BgpDecisions = { of: () => (announcers === null ? null : { nextHops: () => announcers }) };
  let nowMs = 0;
  const wide = index.routes.get(network.prefix)?.via ?? [];
  return {
    states,
    /** The hubs that the network goes by, the preferred first. */
    hubs: wide.map((device) => index.transitPeer(device)?.peer_id as Name),
    holders: (said: Partial<Record<Name, number | 'withholds'>>) => {
      for (const [holder, at] of Object.entries(said) as [Name, number | 'withholds'][]) {
        const before = holders.get(hostOf(holder));
        holders.set(
          hostOf(holder),
          at === 'withholds'
            ? { roundTripMs: before?.roundTripMs ?? null, withheld: ['fd00::f0'] }
            : { roundTripMs: at, withheld: [] },
        );
      }
    },
    announced: (by: readonly Name[] | null) => {
      announcers = by?.map(hostOf) ?? null;
    },
    later: (byMs: number) => {
      nowMs += byMs;
    },
    to: () => {
      chooser.choose({ index, health, sources: new Map(), bgp, holders, nowMs });
      const device = chooser.choices.get(destination) ?? null;
      if (device !== null && index.interfaces.get(device)?.purpose === 'transit') return device;
      const taker = [...chooser.extraAllowedIps].find(([, prefixes]) => prefixes.includes(destination));
      return device === null ? null : (taker?.[0].split('/')[2]?.[0] ?? null);
    },
  };
}

describe('a hub', () => {
  test('sends to the nearest of three spokes, and by BGP to the nearest of those whose path it takes', () => {
    const { to, holders, announced } = node('j', heldBy('s', 't', 'u'));
    holders({ s: 30, t: 10, u: 20 });
    expect(to()).toBe('t');
    announced(['s', 'u']);
    expect(to()).toBe('u');
    announced(['s']);
    expect(to()).toBe('s');
    announced(null);
    // Another one is nearer, and has to be for a while.
    expect(to()).toBe('s');
  });

  test('sends to a holder without a bgpd, which BGP has no path by, when that is the nearest', () => {
    const { to, holders, announced } = node('j', heldBy('s', 't', 'u'), ['t']);
    holders({ s: 30, t: 10, u: 20 });
    announced(['s', 'u']);
    expect(to()).toBe('t');
    holders({ t: 'withholds' });
    expect(to()).toBe('u');
    announced([]);
    expect(to()).toBeNull();
  });

  test('leaves a spoke that withholds the address at once, and returns when that has been well for a while', () => {
    const { to, holders, later } = node('j', heldBy('s', 't', 'u'));
    holders({ s: 30, t: 10, u: 20 });
    expect(to()).toBe('t');
    holders({ t: 'withholds' });
    expect(to()).toBe('u');
    holders({ t: 10 });
    expect(to()).toBe('u');
    later(nearerForMs);
    expect(to()).toBe('t');
  });

  test('sends to one that withholds it only when all do', () => {
    const { to, holders } = node('j', heldBy('s', 't'));
    holders({ s: 'withholds', t: 'withholds' });
    expect(to()).toBeNull();
    holders({ t: 40 });
    expect(to()).toBe('t');
  });

  test('that holds it itself sends it nowhere', () => {
    const { to, holders } = node('j', heldBy('j', 's'));
    holders({ s: 1 });
    expect(to()).toBeNull();
  });
});

describe('a spoke', () => {
  test('leaves it to its hub which of other spokes is sent to', () => {
    const { to, holders } = node('s', heldBy('t', 'u'));
    holders({ t: 1, u: 2 });
    expect(to()).toBeNull();
  });

  test('sends to the nearest of the hubs that hold it', () => {
    const { to, holders } = node('s', heldBy('j', 'k'));
    holders({ j: 30, k: 10 });
    expect(to()).toBe('wg-x-2');
    holders({ k: 'withholds' });
    expect(to()).toBe('wg-x-1');
  });

  test('goes around the hub that holds it and withholds it, by another one that is there', () => {
    const order = node('s', heldBy('t')).hubs;
    expect([...order].sort()).toEqual(['j', 'k']);
    const [first = 'j', second = 'k'] = order;
    const { to, holders, states } = node('s', heldBy(first, 't'));
    holders({ [first]: 'withholds' });
    expect(to()).toBe(`wg-x-${numbers[second]}`);
    states.set(second, 'dead');
    expect(to()).toBeNull();
    // The network goes by a hub that does not hold it.
    const other = node('s', heldBy(second, 't'));
    other.holders({ [second]: 'withholds' });
    expect(other.to()).toBeNull();
  });
});
