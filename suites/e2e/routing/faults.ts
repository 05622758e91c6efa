// The faults of the routing lab: which flow each breaks, how it is made and repaired, and what the flow loses meanwhile; of
// the overlay and of FRR alone.
import type { Lab } from '../../../packages/lab/lab.ts';
import { waitFor } from '../../../packages/lab/stage/process.ts';
import { type Loss, lossDuring, lossWindowMs } from '../../../packages/lab/watch/loss.ts';
import type { FrrAlone } from './frr-alone.ts';
import type { RoutedLab } from './routed-lab.ts';

export const faultNames = [
  'hub killed',
  'router of the shared LAN killed',
  'link to the hub cut',
  'direct link cut',
] as const;
export type FaultName = (typeof faultNames)[number];

/** A fault of what a flow uses now. */
export interface Fault {
  readonly lab: Lab;
  readonly from: string;
  readonly to: string;
  readonly address: string;
  /** Whom packets of the flow go to where they are to go elsewhere. */
  readonly way: () => Promise<string | null>;
  readonly make: () => Promise<void>;
  /** Returns when everything is as it was before. */
  readonly repair: () => Promise<void>;
}

/** What a flow lost by a fault, and by its end. */
export interface Rerouting {
  readonly broken: Loss;
  /** From the fault until packets were sent elsewhere, as the kernel says it; the look itself takes some 50 ms. */
  readonly movedMs: number;
  readonly repaired: Loss;
}

const sharedPrefix = '192.168.14.0/24';
/** In the LAN behind two routers. */
const sharedHost = 'client4';
const movedPollMs = 10;
/** A path that has died is held back before it is used again: two minutes at most. */
const backMs = 180_000;

export async function rerouting(fault: Fault): Promise<Rerouting> {
  const { lab } = fault;
  const before = await fault.way();
  if (before === null) throw new Error(`${fault.from} has no way to ${fault.to}`);
  let movedMs = 0;
  const broken = await lossDuring(lab, fault, async () => {
    const beganMs = performance.now();
    await fault.make();
    const wait = { what: `${fault.from} to ${fault.to} to go elsewhere`, limitMs: lossWindowMs };
    await waitFor({ ...wait, pollMs: movedPollMs }, async () => {
      const now = await fault.way();
      return now !== null && now !== before;
    });
    movedMs = performance.now() - beganMs;
  });
  const repaired = await lossDuring(lab, fault, fault.repair);
  return { broken, movedMs, repaired };
}

/** One of the two that are compared. */
export interface Side {
  readonly lab: Lab;
  /** Of a host in a LAN. */
  readonly addressOf: (host: string) => string;
  readonly hubTowards: (router: string, address: string) => Promise<string>;
  /** By what a router sends to an address now. */
  readonly wayOf: (router: string, address: string) => Promise<string | null>;
  /** The router of the shared LAN that a hub sends to. */
  readonly sharedBehind: (hub: string) => Promise<string | null>;
  readonly restart: (host: string) => Promise<void>;
  /** Returns when everybody is reached as before. */
  readonly settled: () => Promise<void>;
  /** Returns when a router sends to an address without a hub. */
  readonly direct: (router: string, address: string) => Promise<unknown>;
}

export async function overlaySide(routed: RoutedLab): Promise<Side> {
  const { lab } = routed;
  const peers = await routed.peers();
  return {
    lab,
    addressOf: (host) => routed.lanAddress(host, 4),
    hubTowards: async (router, address) =>
      known(await routed.hubTowards(router, address), `the hub of ${router}`),
    wayOf: (router, address) => lab.wayTo(router, address),
    sharedBehind: async (hub) => (await routed.holdersAt(hub, peers)).get(sharedPrefix) ?? null,
    restart: (host) => lab.start(host),
    settled: () => routed.healed(),
    direct: (router, address) =>
      waitFor({ what: 'the two sites to meet without a hub', limitMs: backMs }, () =>
        routed.isDirect(router, address),
      ),
  };
}

/** The same of FRR on plain links. */
export function plainSide(alone: FrrAlone): Side {
  const addressOf = (host: string) => alone.lanAddress(host);
  const wayOf = async (router: string, address: string) =>
    alone.routerAt(await alone.nextHop(router, address));
  return {
    lab: alone.lab,
    addressOf,
    hubTowards: async (router, address) => known(await wayOf(router, address), `the hub of ${router}`),
    wayOf,
    sharedBehind: (hub) => wayOf(hub, addressOf(sharedHost)),
    restart: (host) => alone.restart(host),
    settled: () => alone.converged(),
    direct: () => alone.converged(),
  };
}

function known(name: string | null, what: string): string {
  if (name === null) throw new Error(`${what} is not known`);
  return name;
}

export async function faultOn(side: Side, name: FaultName): Promise<Fault> {
  const { lab } = side;
  const flow = (from: string, to: string) => ({ lab, from, to, address: side.addressOf(to) });
  const restart = async (host: string) => {
    await lab.unite();
    await side.restart(host);
    await side.settled();
  };
  switch (name) {
    case 'hub killed': {
      const through = flow('client2', 'client1');
      const hub = await side.hubTowards('edge2', through.address);
      const way = () => side.wayOf('edge2', through.address);
      return { ...through, way, make: () => powerFailure(lab, hub), repair: () => restart(hub) };
    }
    case 'router of the shared LAN killed': {
      const shared = flow('client2', sharedHost);
      const hub = await side.hubTowards('edge2', shared.address);
      const way = () => side.sharedBehind(hub);
      const repair = async () => {
        await restart('edge4');
        const wait = { what: 'edge4 to be used again', limitMs: backMs };
        await waitFor(wait, async () => (await way()) === 'edge4');
      };
      return { ...shared, way, make: () => powerFailure(lab, 'edge4'), repair };
    }
    case 'link to the hub cut': {
      const through = flow('client2', 'client1');
      const way = () => side.wayOf('edge2', through.address);
      const pair = { a: 'edge2', b: await side.hubTowards('edge2', through.address) };
      const repair = async () => {
        await lab.heal(pair);
        await side.settled();
      };
      return { ...through, way, make: () => lab.cut(pair), repair };
    }
    case 'direct link cut': {
      const direct = flow('client1', 'client3');
      const pair = { a: 'edge1', b: 'edge3' };
      await side.direct(pair.a, direct.address);
      const repair = async () => {
        await lab.heal(pair);
        await side.direct(pair.a, direct.address);
      };
      return { ...direct, way: () => side.wayOf(pair.a, direct.address), make: () => lab.cut(pair), repair };
    }
  }
}

/** Without a word to anyone: the kernel of a host that is killed still closes the connections of its daemons. */
async function powerFailure(lab: Lab, host: string): Promise<void> {
  await lab.partition([host]);
  await lab.kill(host);
}
