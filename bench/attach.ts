// Benchmark (c): from the request to attach a machine to the first packet that another one exchanges with it, in a lab
// of real hosts; the machine sits behind a NAT, and the packet goes through a hub both ways.
import { setTimeout as pause } from 'node:timers/promises';
import { fleetActions } from '@powernode/core/actions/fleet';
import { sdwanActions } from '@powernode/core/actions/sdwan';
import { type Lab, type LabSpecInput, upSpec } from '@powernode/lab/lab';
import { takeDown } from '../packages/lab/life/down.ts';
import { percentile, type Report } from './report.ts';
import { ending } from './stage/endings.ts';
import { lacking } from './stage/machine.ts';
import { withFolder } from './stage/platform.ts';

const attaches = 24;
const pingEveryMs = 10;
const pollMs = 20;
/** What a wait for an agent may take; more is a fault. */
const waitMaxMs = 60_000;
/** For what the other machines do after a change, such as reports, so that each attach meets them at rest. */
const restMs = 300;
const bench = 'attach';

const spec = (name: string): LabSpecInput => ({
  name,
  platforms: [{ name: 'main' }],
  lans: [{ name: 'home' }],
  nats: [{ name: 'router', kind: 'cone', lan: 'home' }],
  hosts: [
    { name: 'hub', on: 'public', role: 'hub' },
    { name: 'outside', on: 'public' },
    { name: 'inside', on: 'home' },
  ],
  networks: [{ name: 'bench', topology_strategy: 'hub_and_spoke', hosts: ['hub', 'outside'] }],
});

export async function benchAttach(report: Report): Promise<void> {
  report.heading('(c) attach to first packet, in a lab');
  const missing = lacking();
  if (missing !== null) return report.skip(bench, missing);
  const name = `bench${process.pid}`;
  await withFolder(async (folder) => {
    process.env['POWERNODE_LAB_DIR'] = folder;
    const down = ending(async () => void (await takeDown(name)));
    try {
      await measure(report, await upSpec(spec(name)));
    } finally {
      await down();
    }
  });
}

async function measure(report: Report, lab: Lab): Promise<void> {
  const call = await lab.platform('main');
  const { hosts } = await lab.status();
  const instanceId = hosts.find(({ name }) => name === 'inside')?.instance_id ?? '';
  const { networks } = await call(sdwanActions.listNetworks, {});
  const network_id = networks[0]?.id ?? '';
  const answered: number[] = [];
  const firstPacket: number[] = [];
  let address: string | null = null;
  for (let i = 0; i <= attaches; i++) {
    // The first attach only shows which address the machine has: it is the same again within seven days.
    const ping = address === null ? null : pingUntilAnswered(lab, address);
    await pause(restMs);
    const beganMs = performance.now();
    const attached = await call(sdwanActions.attachPeer, { network_id, node_instance_id: instanceId });
    if (!('peer' in attached)) throw new Error('the machine was not attached');
    const { peer } = attached;
    const answeredMs = performance.now() - beganMs;
    if (ping !== null) {
      const answeredAtMs = await ping;
      answered.push(answeredMs);
      firstPacket.push(answeredAtMs - beganMs);
    }
    address = peer.host_address;
    await settled(lab);
    await call(sdwanActions.detachPeer, { peer_id: peer.id, approve: true });
    await settled(lab);
  }
  show(report, { answered, firstPacket });
}

/** Resolves with the moment of the first answer. */
async function pingUntilAnswered(lab: Lab, address: string): Promise<number> {
  const pairs = [{ from: 'outside', to: 'inside', address }];
  const pings = await lab.startPings({ pairs, intervalMs: pingEveryMs });
  const atMs = performance.now();
  await pings.stop();
  return atMs;
}

/** Until every machine has read back what it should be. */
async function settled(lab: Lab): Promise<void> {
  const call = await lab.platform('main');
  const end = performance.now() + waitMaxMs;
  for (;;) {
    const { instances } = await call(fleetActions.listInstances, {});
    if (instances.every((one) => one.in_sync)) return;
    if (performance.now() > end) throw new Error('the machines of the lab do not apply what they should');
    await pause(pollMs);
  }
}

function show(
  report: Report,
  measured: { readonly answered: readonly number[]; readonly firstPacket: readonly number[] },
): void {
  const { answered, firstPacket } = measured;
  const count = firstPacket.length;
  report.add({
    bench,
    what: `attach to first packet behind a NAT and through a hub, p50 of ${count}`,
    value: percentile(firstPacket, 0.5),
    unit: 'ms',
    beside: { what: 'the attach alone, until it is answered', value: percentile(answered, 0.5) },
  });
  report.add({
    bench,
    what: `attach to first packet behind a NAT and through a hub, p95 of ${count}`,
    value: percentile(firstPacket, 0.95),
    unit: 'ms',
    beside: { what: 'polling every 30 s, mean', value: 15_000 },
    target: { value: 1500, better: 'lower' },
  });
}
