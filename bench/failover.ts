// Benchmark (g): how long nothing arrives when a hub dies under a flow, or the holder of a virtual IP; beside
// keepalived (VRRP) at the same jobs; and what goes through a port mapping, beside plain DNAT.
import { takeDown } from '../packages/lab/life/down.ts';
import { Services } from '../packages/lab/testing/services.ts';
import { type Loss, lossWindowMs } from '../packages/lab/watch/loss.ts';
import { type Fault, faults, keepalivedLosses, type Losses, timersCompared } from './failover/keepalived.ts';
import { mappingFamilies, portMappingThroughput } from './failover/port-mappings.ts';
import { addressLoss, calmS, hubLoss, movingAddress } from './failover/powernode.ts';
import { provided } from './failover/programs.ts';
import { type Report, shortNumber } from './report.ts';
import { ending } from './stage/endings.ts';
import { lacking } from './stage/machine.ts';
import { withFolder } from './stage/platform.ts';

const bench = 'failover';
const gapMaxMs = 1000;
const throughputShareMin = 0.9;

const hubWords: Readonly<Record<Fault, string>> = {
  killed: 'the hub in use loses power',
  cut: 'the hub in use is cut off',
  broken: 'the hub in use lives but forwards nothing',
};
const holderWords: Readonly<Record<Fault, string>> = {
  killed: 'the holder of a virtual IP loses power',
  cut: 'the holder of a virtual IP is cut off',
  broken: 'the holder of a virtual IP lives but is out of reach',
};

/** keepalived's losses, by timers. */
type Compared = ReadonlyMap<string, Losses>;

export async function benchFailover(report: Report): Promise<void> {
  report.heading('(g) fail-over in a lab: longest gap of pings every 10 ms');
  const missing = lacking() ?? provided(['keepalived', 'iperf3']);
  if (missing !== null) return report.skip(bench, missing);
  await withFolder(async (folder) => {
    process.env['POWERNODE_LAB_DIR'] = folder;
    const compared = new Map<Fault, Compared>();
    for (const fault of faults) compared.set(fault, await compare(report, fault));
    const name = `failover${process.pid}`;
    const down = ending(async () => void (await takeDown(name)));
    try {
      await measure(report, await Services.up(name), compared);
    } finally {
      await down();
    }
  });
}

async function compare(report: Report, fault: Fault): Promise<Compared> {
  const compared = new Map<string, Losses>();
  for (const timers of timersCompared) {
    const losses = await keepalivedLosses(timers, fault);
    compared.set(timers.label, losses);
    const add = (job: string, loss: Loss) =>
      report.add({
        bench,
        what: `keepalived, ${timers.label}: ${job} ${fault}`,
        value: loss.ping.longestGapMs,
        unit: 'ms',
        note: noteOf(loss),
      });
    add('router', losses.router);
    add('address', losses.address);
  }
  return compared;
}

async function measure(
  report: Report,
  services: Services,
  compared: ReadonlyMap<Fault, Compared>,
): Promise<void> {
  for (const fault of faults) {
    const { loss, flaps } = await hubLoss(services, fault);
    addLoss(report, { what: hubWords[fault], loss, beside: compared.get(fault), job: 'router' });
    report.add({
      bench,
      what: `routes that moved on all spokes in the ${calmS} s after, ${fault}`,
      value: flaps,
      unit: 'routes',
      target: { value: 1, better: 'lower' },
    });
  }
  const address = await movingAddress(services);
  for (const fault of faults) {
    const loss = await addressLoss(services, address, fault);
    addLoss(report, { what: holderWords[fault], loss, beside: compared.get(fault), job: 'address' });
  }
  await services.atRest();
  for (const family of mappingFamilies) {
    const { mappedMbit, rulesMbit, plainMbit } = await portMappingThroughput(services, family);
    report.add({
      bench,
      what: `TCP through a port mapping from an ${family} client`,
      value: mappedMbit,
      unit: 'Mbit/s',
      beside: { what: 'plain DNAT on the same path', value: plainMbit },
      target: { value: plainMbit * throughputShareMin, better: 'higher' },
    });
    report.add({
      bench,
      what: `the same while the agents of both ends are held, ${family}`,
      value: rulesMbit,
      unit: 'Mbit/s',
      beside: { what: 'plain DNAT on the same path', value: plainMbit },
    });
  }
}

function addLoss(
  report: Report,
  {
    what,
    loss,
    beside,
    job,
  }: {
    readonly what: string;
    readonly loss: Loss;
    readonly beside: Compared | undefined;
    readonly job: keyof Losses;
  },
): void {
  const others = [...(beside ?? [])].map(([label, losses]) => ({ label, loss: losses[job] }));
  const [first] = others;
  const notes = others.map((other) => `keepalived ${other.label}: ${inWords(other.loss)}`);
  report.add({
    bench,
    what,
    value: loss.ping.longestGapMs,
    unit: 'ms',
    target: { value: gapMaxMs, better: 'lower' },
    ...(first === undefined
      ? {}
      : { beside: { what: `keepalived, ${first.label}`, value: first.loss.ping.longestGapMs } }),
    note: [noteOf(loss), ...notes].join('; '),
  });
}

function noteOf(loss: Loss): string {
  const { stream, ping } = loss;
  const words = [`${ping.lost} pings lost`];
  if (!loss.recovered) words.push(`not back within ${lossWindowMs / 1000} s`);
  if (stream !== null) {
    const connections = stream.greetings.length;
    const kept = stream.ended === null && connections === 1 ? 'the TCP stream survives' : null;
    words.push(kept ?? `TCP: ${connections} connections${stream.ended === null ? '' : `, ${stream.ended}`}`);
    words.push(`its longest gap ${shortNumber(stream.longest_gap_ms)} ms`);
  }
  return words.join(', ');
}

function inWords(loss: Loss): string {
  return loss.recovered ? `${loss.ping.longestGapMs} ms` : 'not back';
}
