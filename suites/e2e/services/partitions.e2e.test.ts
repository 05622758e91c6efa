// Random partitions and heals about a virtual IP that moves by itself. Observers in every machine of the overlay, on
// both sides of each partition and in the candidates themselves, ask the address once in a probe interval who it is;
// each answer carries the name and the time of the host that gave it, by the one clock of this machine. No two hosts
// may have answered at once for longer than one probe interval. In every third round the present holder is cut off until
// another one has the address, so that it moves whatever is drawn.
import { setTimeout as pause } from 'node:timers/promises';
import { virtualIpActions } from '@powernode/core/actions/virtual-ips';
import type { VirtualIp } from '@powernode/core/intent/virtual-ip';
import { probeIntervalMs } from '@powernode/core/limits/probe';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Answer, Questions } from '../../../packages/lab/lab.ts';
import { MovingAddress } from '../../../packages/lab/testing/moving-address.ts';
import { ownLabFolder, uniqueName } from '../../../packages/lab/testing/scene.ts';
import { members, Services } from '../../../packages/lab/testing/services.ts';
import { overlapsOf, type Tenure, tenuresOf } from '../../../packages/lab/watch/tenures.ts';
import { Chance } from '../../stage/random.ts';
import { begin, describe, drawTrouble, end, type Trouble } from './scenarios.ts';

const rounds = Number(process.env['POWERNODE_PARTITIONS'] ?? '12');
const seed = Number(process.env['POWERNODE_SEED'] ?? Date.now() % 1_000_000);
const troubleMs = { least: 1500, spread: 1500 };
const healedMs = { least: 500, spread: 1500 };
const candidates = ['server1', 'server2', 'edge1'] as const;
/** The first of so many rounds is aimed at the holder. */
const aimedEvery = 3;
const aimedRounds = Math.ceil(rounds / aimedEvery);
/** So late an answer says little about when it was let in. */
const lateMs = 50;
const roundMs = 12_000;

let services: Services;
let address: MovingAddress;
let removeFolder: () => Promise<void>;

beforeAll(async () => {
  removeFolder = await ownLabFolder();
  services = await Services.up(uniqueName('part'), (line) => console.log(line));
  await services.setFailoverPolicy('auto_approve');
  address = await MovingAddress.create(services, { name: 'fenced', candidates });
  await services.healed();
});

afterAll(async () => {
  await services?.lab.down();
  await removeFolder();
});

interface Round {
  readonly trouble: string;
  readonly fromMs: number;
  readonly toMs: number;
}

const nowMs = () => Number(process.hrtime.bigint()) / 1e6;

async function runRounds(): Promise<Round[]> {
  const chance = new Chance(seed);
  const list: Round[] = [];
  for (let number = 1; number <= rounds; number++) {
    const drawn = drawTrouble(chance, candidates);
    const holder = (number - 1) % aimedEvery === 0 ? await address.heldBy(() => true) : null;
    const trouble: Trouble = holder === null ? drawn : { kind: 'partition', names: [holder] };
    const fromMs = nowMs();
    await begin(services.lab, trouble);
    await pause(troubleMs.least + chance.next() * troubleMs.spread);
    if (holder !== null) await address.heldBy((host) => host !== holder);
    await end(services.lab, trouble);
    await pause(healedMs.least + chance.next() * healedMs.spread);
    list.push({ trouble: describe(trouble), fromMs, toMs: nowMs() });
    if (number % 10 === 0 || number === rounds) console.log(`${number} of ${rounds} partitions`);
  }
  return list;
}

async function virtualIp(): Promise<VirtualIp> {
  const { virtual_ip } = await services.call(virtualIpActions.getVirtualIp, {
    virtual_ip_id: address.virtualIp.id,
  });
  return virtual_ip;
}

function inWords(tenure: Tenure): string {
  const { name, firstMs, lastMs, answers } = tenure;
  return `${name} ${Math.round(firstMs)}–${Math.round(lastMs)} (${answers} answers)`;
}

test(
  `${rounds} random partitions and heals (seed ${seed}): never two holders at once`,
  async () => {
    const observers: Questions[] = [];
    for (const host of members) observers.push(await address.ask(host, probeIntervalMs));
    const before = await virtualIp();
    const list = await runRounds();
    await address.heldBy(() => true);
    for (const observer of observers) await observer.stop();

    const answers: Answer[] = observers.flatMap((observer) => observer.answers);
    const tenures = tenuresOf(answers);
    const overlaps = overlapsOf(tenures);
    const after = await virtualIp();
    console.log(
      [
        `${answers.length} answers seen by ${members.length} observers, ${tenures.length} tenures`,
        `epoch ${after.epoch}; longest overlap ${Math.max(0, ...overlaps.map(({ lengthMs }) => lengthMs)).toFixed(1)} ms`,
        `${answers.filter(({ late_ms }) => late_ms > lateMs).length} answers came late from a starved service`,
      ].join('\n'),
    );
    const wrong = overlaps.filter(({ lengthMs }) => lengthMs > probeIntervalMs);
    const about = wrong.map(({ one, other, lengthMs }) => ({
      overlap: `${inWords(one)} and ${inWords(other)}: ${lengthMs.toFixed(1)} ms`,
      rounds: list.filter(({ fromMs, toMs }) => fromMs <= one.lastMs && toMs >= other.firstMs).slice(-3),
    }));
    expect(about).toEqual([]);
    // It did move, and it was watched while it did.
    expect(after.epoch - before.epoch).toBeGreaterThanOrEqual(aimedRounds);
    expect(new Set(tenures.map(({ name }) => name)).size).toBeGreaterThan(1);
    expect(answers.length).toBeGreaterThan(rounds * members.length);
  },
  120_000 + rounds * roundMs,
);

test('afterwards everyone is answered by the same host', async () => {
  await services.healed();
  const holder = await address.heldBy(() => true);
  for (const host of members) {
    const questions = await address.ask(host, 50);
    await expect.poll(() => questions.answers.length, { timeout: 30_000 }).toBeGreaterThan(3);
    await questions.stop();
    expect([host, new Set(questions.answers.map(({ name }) => name))]).toEqual([host, new Set([holder])]);
  }
});
