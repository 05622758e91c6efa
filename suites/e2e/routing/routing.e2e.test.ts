// LANs of three sites over an overlay with BGP: every host reaches every other; what dies is gone round within a second,
// beside FRR alone in the same run; and random changes under traffic end no session, lose nothing of flows that they do
// not concern, and leave nothing for a second apply to do.
// POWERNODE_ROUTING_CHANGES=200 is the long form; POWERNODE_ROUTING_SEED repeats a run.
import { routingActions } from '@powernode/core/actions/routing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { upFile } from '../../../packages/lab/lab.ts';
import { ownLabFolder, uniqueName } from '../../../packages/lab/testing/scene.ts';
import { promisedMs } from '../../stage/quiet.ts';
import { Chance } from '../../stage/random.ts';
import { changeKinds, Draw } from './changes.ts';
import { faultNames, faultOn, overlaySide, plainSide, type Rerouting, rerouting } from './faults.ts';
import { FrrAlone } from './frr-alone.ts';
import { type FlowModel, firstState, lans } from './model.ts';
import { type Family, members, RoutedLab, routingFile } from './routed-lab.ts';
import { type Effect, UnderTraffic } from './under-traffic.ts';

const gapMaxMs = promisedMs(1000);
const changesCount = Number(process.env['POWERNODE_ROUTING_CHANGES'] ?? '20');
const seed = Number(process.env['POWERNODE_ROUTING_SEED'] ?? Date.now() % 1_000_000);
/** Between two requests of one flow while changes are made. */
const intervalMs = 50;

let routed: RoutedLab;
let removeFolder: () => Promise<void>;

beforeAll(async () => {
  removeFolder = await ownLabFolder();
  routed = await RoutedLab.up(uniqueName('routing'), (line) => console.log(line));
});

afterAll(async () => {
  await routed?.lab.down();
  await removeFolder();
});

test('every host of a LAN reaches every other, by IPv4 and IPv6', async () => {
  await routed.reachable();
  const names = lans.map(({ client }) => client);
  const wanted = names.flatMap((from) =>
    names.filter((to) => to !== from).flatMap((to) => [`${from} ${to} 6`, `${from} ${to} 4`]),
  );
  const results = await routed.lab.matrix();
  const answered = results
    .filter(({ from, roundTripMs }) => names.includes(from) && roundTripMs !== null)
    .map(({ from, to, address }) => `${from} ${to} ${address.includes(':') ? 6 : 4}`);
  expect(answered.toSorted()).toEqual(wanted.toSorted());
});

test('the lab brought up again is left as it is', async () => {
  const before = await routed.peers();
  await upFile(routingFile, { name: routed.lab.plan.name });
  const after = await routed.peers();
  const states = (peers: typeof before) =>
    [...peers].map(([name, one]) => [name, one.desired_revision, one.lan_subnets]);
  expect(states(after)).toEqual(states(before));
});

describe('beside FRR alone', () => {
  let alone: FrrAlone;

  beforeAll(async () => {
    alone = await FrrAlone.up(uniqueName('frr'));
  });

  afterAll(() => alone?.lab.down());

  test.each(faultNames)('%s: another way is taken within a second', async (name) => {
    const plain = await rerouting(await faultOn(plainSide(alone), name));
    const overlay = await rerouting(await faultOn(await overlaySide(routed), name));
    const ratio = overlay.broken.ping.longestGapMs / plain.broken.ping.longestGapMs;
    console.log(
      `${name}: ${described(overlay)}\n  FRR alone: ${described(plain)}; ratio ${ratio.toFixed(2)}`,
    );
    expect(plain).toMatchObject({ broken: { recovered: true }, repaired: { recovered: true } });
    expect(overlay).toMatchObject({ broken: { recovered: true }, repaired: { recovered: true } });
    expect(overlay.broken.ping.longestGapMs).toBeLessThan(gapMaxMs);
  });
});

function described({ broken, movedMs, repaired }: Rerouting): string {
  const { longestGapMs, lost } = broken.ping;
  const back = `going back: gap ${repaired.ping.longestGapMs} ms, lost ${repaired.ping.lost}`;
  return `gap ${longestGapMs} ms, lost ${lost}, elsewhere after ${Math.round(movedMs)} ms; ${back}`;
}

const lanNamed = (name: string) => {
  const found = lans.find((lan) => lan.name === name);
  if (found === undefined) throw new Error(`there is no LAN ${name}`);
  return found;
};
const flow = (from: string, to: string, family: Family): FlowModel => ({
  from: lanNamed(from),
  to: lanNamed(to),
  family,
});
/** Through hubs and directly, to LANs behind one edge and behind two. */
const flows = [
  flow('osaka', 'tokyo', 4),
  flow('tokyo', 'osaka', 6),
  flow('osaka', 'nagoya', 4),
  flow('osaka', 'nagoya', 6),
  flow('tokyo', 'nagoya', 4),
  flow('tokyo', 'nagoya-plant', 6),
  flow('nagoya-plant', 'osaka', 4),
  flow('nagoya-plant', 'nagoya', 6),
  flow('nagoya-plant', 'tokyo', 4),
  flow('osaka', 'nagoya-plant', 4),
];

test(`${changesCount} random changes under traffic (POWERNODE_ROUTING_SEED=${seed})`, {
  timeout: 180_000 + changesCount * 20_000,
}, async () => {
  console.log(`POWERNODE_ROUTING_SEED=${seed}`);
  await routed.healed();
  const peers = await routed.peers();
  const { account_bgp } = await routed.call(routingActions.getAccountBgp, {});
  const world = {
    call: routed.call,
    networkId: routed.networkId,
    peerIds: new Map([...peers].map(([name, { id }]) => [name, id])),
    instanceIds: new Map([...peers].map(([name, one]) => [name, one.node_instance_id])),
  };
  const state = firstState(members, account_bgp.as_number);
  const traffic = await UnderTraffic.start(routed, { flows, state, intervalMs });
  const draw = new Draw(new Chance(seed), world);
  const effects: Effect[] = [];
  const faults: string[] = [];
  for (let number = 1; number <= changesCount; number++) {
    const change = draw.next(traffic.state);
    const what = `${number}. ${change.kind} (${change.text})`;
    const effect = await traffic.make(change).catch((error: unknown) => {
      throw new Error(`seed ${seed}, change ${what}: ${String(error)}`, { cause: error });
    });
    effects.push(effect);
    faults.push(...effect.faults.map((fault) => `${what}: ${fault}`));
    const lost = effect.concerned === 0 ? '' : `, ${effect.concerned} flows lost ${effect.lostByConcerned}`;
    console.log([`${what}: ${Math.round(effect.ms)} ms${lost}`, ...effect.faults].join('\n  '));
  }
  const before = await traffic.configurations();
  const repeated = await traffic.applyAgain();
  const again = (await traffic.configurations()) - before;
  await traffic.stop();
  console.log(summary(effects));
  console.log(`bgpd was configured ${before} times, and ${again} times by a second apply on all nodes,`);
  console.log(`whose agents died for it; ${repeated.lost} packets were lost meanwhile`);
  faults.push(...repeated.faults);
  expect(faults).toEqual([]);
  expect(again).toBe(0);
});

function summary(effects: readonly Effect[]): string {
  const lines = changeKinds.flatMap((kind) => {
    const of = effects.filter((effect) => effect.kind === kind);
    if (of.length === 0) return [];
    const sum = (key: 'concerned' | 'lostByConcerned') => of.reduce((total, one) => total + one[key], 0);
    const lost = `${sum('concerned')} flows concerned, which lost ${sum('lostByConcerned')} packets`;
    return [`${kind}: ${of.length}, ${lost}`];
  });
  return lines.join('\n');
}
