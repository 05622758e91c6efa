// The faults of the routing lab: which flow each breaks, how it is made and mended, and what the flow loses meanwhile. The
// same for the overlay and for FRR alone.
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
  readonly mend: () => Promise<void>;
}

/** What a flow lost by a fault, and by its end. */
export interface Rerouting {
  readonly broken: Loss;
  /** From the fault until packets were sent elsewhere, as the kernel says it; the look itself takes some 50 ms. */
  readonly movedMs: number;
  readonly mended: Loss;
}

const sharedPrefix = '192.168.14.0/24';
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
  const mended = await lossDuring(lab, fault, fault.mend);
  return { broken, movedMs, mended };
}

/** What of the overlay the flow uses. */
export async function overlayFault(routed: RoutedLab, name: FaultName): Promise<Fault> {
  const { lab } = routed;
  const flow = (from: string, to: string) => ({ lab, from, to, address: routed.lanAddress(to, 4) });
  const hubOf = async (edge: string, address: string) => {
    const hub = await routed.hubTowards(edge, address);
    if (hub === null) throw new Error(`${edge} sends to ${address} without a hub`);
    return hub;
  };
  const restart = async (host: string) => {
    await lab.unite();
    await lab.start(host);
    await routed.healed();
  };
  switch (name) {
    case 'hub killed': {
      const through = flow('client2', 'client1');
      const hub = await hubOf('edge2', through.address);
      const way = () => lab.wayTo('edge2', through.address);
      return { ...through, way, make: () => powerFailure(lab, hub), mend: () => restart(hub) };
    }
    case 'router of the shared LAN killed': {
      const shared = flow('client2', 'client4');
      const hub = await hubOf('edge2', shared.address);
      const peers = await routed.peers();
      const way = async () => (await routed.holdersAt(hub, peers)).get(sharedPrefix) ?? null;
      const mend = async () => {
        await restart('edge4');
        await backTo('edge4', way);
      };
      return { ...shared, way, make: () => powerFailure(lab, 'edge4'), mend };
    }
    case 'link to the hub cut': {
      const through = flow('client2', 'client1');
      const way = () => lab.wayTo('edge2', through.address);
      const pair = { a: 'edge2', b: await hubOf('edge2', through.address) };
      const mend = async () => {
        await lab.heal(pair);
        await routed.healed();
      };
      return { ...through, way, make: () => lab.cut(pair), mend };
    }
    case 'direct link cut': {
      const direct = flow('client1', 'client3');
      const pair = { a: 'edge1', b: 'edge3' };
      const wait = { what: 'the two sites to meet without a hub', limitMs: backMs };
      const met = () => waitFor(wait, () => routed.isDirect('edge1', direct.address));
      await met();
      const mend = async () => {
        await lab.heal(pair);
        await met();
      };
      return { ...direct, way: () => lab.wayTo('edge1', direct.address), make: () => lab.cut(pair), mend };
    }
  }
}

/** Without a word to anyone: the kernel of a host that is killed still closes the connections of its daemons. */
async function powerFailure(lab: Lab, host: string): Promise<void> {
  await lab.partition([host]);
  await lab.kill(host);
}

async function backTo(router: string, way: Fault['way']): Promise<void> {
  const wait = { what: `${router} to be used again`, limitMs: backMs };
  await waitFor(wait, async () => (await way()) === router);
}

/** The same of FRR on plain links. */
export async function plainFault(alone: FrrAlone, name: FaultName): Promise<Fault> {
  const { lab } = alone;
  const flow = (from: string, to: string) => ({ lab, from, to, address: alone.lanAddress(to) });
  const nextRouter = async (router: string, address: string) =>
    alone.routerAt(await alone.nextHop(router, address));
  const restart = async (router: string) => {
    await lab.unite();
    await alone.restart(router);
    await alone.converged();
  };
  const cut = (pair: { a: string; b: string }) => ({
    make: () => lab.cut(pair),
    mend: async () => {
      await lab.heal(pair);
      await alone.converged();
    },
  });
  switch (name) {
    case 'hub killed': {
      const through = flow('client2', 'client1');
      const way = () => nextRouter('edge2', through.address);
      const hub = (await way()) ?? '';
      return { ...through, way, make: () => powerFailure(lab, hub), mend: () => restart(hub) };
    }
    case 'router of the shared LAN killed': {
      const shared = flow('client2', 'client4');
      const hub = (await nextRouter('edge2', shared.address)) ?? '';
      const way = () => nextRouter(hub, shared.address);
      const mend = async () => {
        await restart('edge4');
        await backTo('edge4', way);
      };
      return { ...shared, way, make: () => powerFailure(lab, 'edge4'), mend };
    }
    case 'link to the hub cut': {
      const through = flow('client2', 'client1');
      const way = () => nextRouter('edge2', through.address);
      return { ...through, way, ...cut({ a: 'edge2', b: (await way()) ?? '' }) };
    }
    case 'direct link cut': {
      const direct = flow('client1', 'client3');
      return {
        ...direct,
        way: () => nextRouter('edge1', direct.address),
        ...cut({ a: 'edge1', b: 'edge3' }),
      };
    }
  }
}
