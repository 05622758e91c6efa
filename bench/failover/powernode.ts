// Powernode at the same jobs, in examples/labs/services.yaml: a hub that dies under a flow between two spokes, and the
// holder of a virtual IP that dies.
import { setTimeout as pause } from 'node:timers/promises';
import { MovingAddress, servicePort } from '../../packages/lab/testing/moving-address.ts';
import { type HubFlow, hubs, type Services, spokes } from '../../packages/lab/testing/services.ts';
import { type Loss, lossDuring } from '../../packages/lab/watch/loss.ts';
import type { Fault } from './keepalived.ts';

const port = 7008;
const giveUpMs = 300;
const holder = 'server1';
/** How long nothing may flap after a fail-over. Ten minutes: set it to 600. */
export const calmS = Number(process.env['POWERNODE_CALM_SECONDS'] ?? '60');

export interface HubLoss {
  readonly flow: HubFlow;
  readonly loss: Loss;
  /** Routes that any spoke changed in `calmS` after the flow was well again, before the hub was. */
  readonly flaps: number;
}

/** The hub in use has that fault; afterwards everything is as it was. */
export async function hubLoss(services: Services, fault: Fault): Promise<HubLoss> {
  const { lab } = services;
  await services.atRest();
  const flow = await services.flowThroughHub();
  const service = await lab.serve(flow.to, { tcp: [{ address: flow.address, port }] });
  const { begin, end } = hubFault(services, flow.hub, fault);
  const loss = await lossDuring(lab, { ...flow, port }, begin);
  await service.end();
  const watches = await Promise.all(spokes.map((host) => lab.watchRoutes(host)));
  await pause(calmS * 1000);
  const flaps = watches.reduce((sum, watch) => sum + watch.changes.length, 0);
  for (const watch of watches) await watch.stop();
  await end();
  return { flow, loss, flaps };
}

interface Trouble {
  readonly begin: () => Promise<void>;
  readonly end: () => Promise<void>;
}

function hubFault({ lab }: Services, hub: string, fault: Fault): Trouble {
  switch (fault) {
    case 'killed':
      return { begin: () => lab.kill(hub), end: () => lab.start(hub) };
    case 'cut':
      return { begin: () => lab.partition([hub]), end: () => lab.unite() };
    case 'broken':
      return { begin: () => lab.breakForwarding(hub), end: () => lab.repairForwarding(hub) };
  }
}

/** A virtual IP that moves by itself, for `addressLoss`. */
export async function movingAddress(services: Services): Promise<MovingAddress> {
  await services.setFailoverPolicy('auto_approve');
  return MovingAddress.create(services, { name: 'bench', candidates: [holder, 'server2'] });
}

/** The holder has that fault; afterwards it holds the address again. */
export async function addressLoss(services: Services, address: MovingAddress, fault: Fault): Promise<Loss> {
  await services.atRest();
  await address.moveTo(holder);
  const { begin, end } = holderFault(services, address, fault);
  const flow = { from: 'office1', to: holder, address: address.address, port: servicePort, giveUpMs };
  const loss = await lossDuring(services.lab, flow, begin);
  await end();
  return loss;
}

/** broken: online for the platform, and out of every hub's reach. */
function holderFault({ lab }: Services, address: MovingAddress, fault: Fault): Trouble {
  const restart = async () => {
    await lab.start(holder);
    await address.serve(holder);
  };
  const each = (act: (hub: string) => Promise<void>) => async () => void (await Promise.all(hubs.map(act)));
  switch (fault) {
    case 'killed':
      return { begin: () => lab.kill(holder), end: restart };
    case 'cut':
      return { begin: () => lab.partition([holder]), end: () => lab.unite() };
    case 'broken':
      return {
        begin: each((hub) => lab.cut({ a: holder, b: hub })),
        end: each((hub) => lab.heal({ a: holder, b: hub })),
      };
  }
}
