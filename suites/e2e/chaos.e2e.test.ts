// The quickstart lab under continuous changes while its platform, its database and its agents are killed at random.
// Afterwards: no acknowledged change is lost, every node is at its newest revision, every kernel equals its document,
// and whoever has a way to each other reaches each other. `POWERNODE_CHAOS_KILLS` and `POWERNODE_CHAOS_SEED` choose
// how much and which; the long form is POWERNODE_CHAOS_KILLS=1000.
import { cp, mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fleetActions } from '@powernode/core/actions/fleet';
import { sdwanActions } from '@powernode/core/actions/sdwan';
import { documentDigest, formatDigest } from '@powernode/core/compile/digest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkout } from '../../packages/lab/fleet/programs.ts';
import { type Lab, upFile } from '../../packages/lab/lab.ts';
import { ownLabFolder, uniqueName } from '../../packages/lab/testing/scene.ts';
import { Chance } from '../stage/random.ts';
import { readAgent } from './chaos/agent-status.ts';
import { differences } from './chaos/compare.ts';
import { readKernel } from './chaos/kernel.ts';
import { Killer } from './chaos/kills.ts';
import { type Inventory, inventoryOf, Ledger } from './chaos/ledger.ts';
import { hostLog, oddLines, platformLog } from './chaos/logs.ts';
import { Operator } from './chaos/operator.ts';
import { type ExpectedPair, expectedPairs, silentPairs } from './chaos/reach.ts';
import { summary } from './chaos/report.ts';
import { documentOf, faultsOfJournal, numbersSince, type Rows, readRows } from './chaos/rows.ts';
import { Workload, type WorkloadParts } from './chaos/workload.ts';

const kills = Number(process.env['POWERNODE_CHAOS_KILLS'] ?? 24);
/** Fewer would say little of what is lost. */
const changesMin = Math.ceil(kills / 4) + 1;
const seed = Number(process.env['POWERNODE_CHAOS_SEED'] ?? 1);
/** A kill takes about a second; several where the machine is starved. */
const chaosLimitMs = 120_000 + kills * 10_000;
const settleLimitMs = 180_000;
const settlePollMs = 250;
const operators = 4;

let lab: Lab;
let removeFolder: () => Promise<void>;
let operator: Operator;
let dataDir: string;
/** The host of each instance. */
let hosts: ReadonlyMap<string, string>;
let sequenceBefore: number;
let killer: Killer;
const ledger = new Ledger();

beforeAll(async () => {
  removeFolder = await ownLabFolder();
  const file = path.join(checkout, 'examples/labs/quickstart.yaml');
  lab = await upFile(file, { name: uniqueName('chaos') });
  const status = await lab.status();
  const [platform] = status.platforms;
  if (platform === undefined) throw new Error('the lab has no platform');
  const token = (await readFile(platform.token_file, 'utf8')).trim();
  dataDir = path.dirname(platform.token_file);
  operator = new Operator({ url: platform.url, token });
  hosts = new Map(status.hosts.map((host) => [host.instance_id ?? '', host.name]));
  killer = new Killer({
    lab,
    platform: platform.name,
    dataDir,
    hosts: [...hosts.values()],
    kills,
    changes: changesMin,
    changesDone: () => ledger.count,
  });
});

afterAll(async () => {
  await keepLogs();
  await lab?.down();
  await removeFolder();
});

/** `POWERNODE_CHAOS_LOGS` names a folder for the logs, which else go with the lab. */
async function keepLogs(): Promise<void> {
  const folder = process.env['POWERNODE_CHAOS_LOGS'];
  if (folder === undefined || lab === undefined) return;
  const to = path.join(folder, String(seed));
  await mkdir(to, { recursive: true });
  await cp(platformLog(lab, 'main'), path.join(to, 'platform.log'));
  for (const name of hosts.values()) await cp(hostLog(lab, name), path.join(to, `${name}.log`));
}

async function present() {
  const networks = await operator.readAll(sdwanActions.listNetworks, (page) => page.networks);
  const peers = await operator.readAll(sdwanActions.listPeers, (page) => page.peers);
  return { networks, peers };
}

function workload(kept: WorkloadParts['kept']): Workload {
  const machines = [...hosts].map(([instanceId, name]) => {
    const wire = lab.plan.hosts.find((host) => host.name === name)?.attachments[0];
    return { instanceId, address: wire?.segment === 'public' ? wire.address4 : null };
  });
  return new Workload({ operator, ledger, machines, kept });
}

/** Looks until nothing differs, and says what still does when the limit is over. */
async function until(what: string, look: () => Promise<readonly unknown[]>): Promise<void> {
  // What changes while it is looked at may be gone in between; what stays so is told.
  const differing = () => look().catch((error: unknown) => [String(error)]);
  const endMs = performance.now() + settleLimitMs;
  let left = await differing();
  while (left.length > 0 && performance.now() < endMs) {
    await pause(settlePollMs);
    left = await differing();
  }
  expect(left, what).toEqual([]);
}

let chaosMs = 0;
let restartedAt = 0;
let isOver = false;

test('operators go on while platform, database and agents are killed', {
  timeout: chaosLimitMs,
}, async () => {
  const before = await present();
  ledger.begin(before);
  sequenceBefore = (await readRows(dataDir)).sequence;
  const peerOf = (host: string) => {
    const found = before.peers.find((peer) => hosts.get(peer.node_instance_id) === host);
    if (found === undefined) throw new Error(`${host} is not in the network`);
    return found;
  };
  const hub = peerOf('hub1');
  const work = workload({ networkId: hub.network_id, hubId: hub.id, spokeId: peerOf('edge3').id });
  const chance = new Chance(seed);
  const startedAt = performance.now();
  work.start(Array.from({ length: operators }, () => chance.fork()));
  await killer.run(chance.fork()).catch(async (error: unknown) => {
    operator.giveUp();
    await work.stop().catch(() => undefined);
    throw error;
  });
  restartedAt = performance.now();
  await work.stop();
  chaosMs = performance.now() - startedAt;
  expect(killer.surprises).toEqual([]);
  expect(killer.total).toBeGreaterThanOrEqual(kills);
  expect(ledger.count).toBeGreaterThanOrEqual(changesMin);
  isOver = true;
});

describe('afterwards', () => {
  let rows: Rows;
  let pairs: readonly ExpectedPair[] = [];

  beforeAll(() => {
    if (!isOver) throw new Error('there is nothing to look at: the chaos itself failed');
  });

  test('no machine takes what is left of an overlay for its surroundings', async () => {
    const { events } = await operator.read(fleetActions.recentEvents, {
      kind_prefix: 'sdwan.peer.ipv4_withdrawn',
    });
    expect(events.map(({ payload }) => payload['detail'])).toEqual([]);
  });

  test('no acknowledged change is lost, and none was made twice', async () => {
    expect(ledger.contradictions()).toEqual([]);
    const found: Inventory = inventoryOf(await present());
    expect(found).toEqual(ledger.expected());
    for (const peer of ledger.peers()) {
      const shown = await operator.read(sdwanActions.getPeer, { peer_id: peer.id });
      expect(shown.peer.revision).toBe(peer.revision);
    }
  });

  test('the changes have no gap, and lead to what the rows say', async () => {
    rows = await readRows(dataDir);
    expect(faultsOfJournal(rows)).toEqual([]);
    expect(numbersSince(rows, sequenceBefore)).toEqual(ledger.numbers());
  });

  test('every node is at its newest revision', async () => {
    await until('every node to be in sync', async () => {
      const instances = await operator.readAll(fleetActions.listInstances, (page) => page.instances);
      return instances
        .filter((one) => !one.connected || !one.in_sync || one.applied_revision !== one.desired_revision)
        .map(({ hostname, connected, in_sync, applied_revision, desired_revision, subsystems }) => {
          return { hostname, connected, in_sync, applied_revision, desired_revision, subsystems };
        });
    });
  });

  /** Hubs go on seeing where spokes are, and what follows is in the rows: they are read anew at each look. */
  test('every agent holds the document that follows from the rows', async () => {
    await until('every agent to hold its document', async () => {
      rows = await readRows(dataDir);
      const found = await Promise.all(
        [...hosts].map(async ([instanceId, host]) => {
          const hash = formatDigest(documentDigest(documentOf(rows, instanceId).values()));
          const { held, applied, problems } = await readAgent(lab, host);
          return { host, wanted: hash, held: held?.hash, applied: applied?.hash, problems };
        }),
      );
      return found.filter(
        ({ wanted, held, applied, problems }) => held !== wanted || applied !== wanted || problems.length > 0,
      );
    });
  });

  test('whoever has a way to each other reaches each other', async () => {
    pairs = expectedPairs(rows, hosts);
    expect(pairs.length).toBeGreaterThan(0);
    let waiting = pairs;
    await until('everyone to reach everyone', async () => {
      waiting = await silentPairs(lab, waiting);
      return waiting;
    });
  });

  test('every kernel equals its document, and has nothing more', async () => {
    await until('every kernel to equal its document', async () => {
      rows = await readRows(dataDir);
      const found = await Promise.all(
        [...hosts].map(async ([instanceId, host]) => {
          const kernel = await readKernel(lab, host);
          return differences(documentOf(rows, instanceId), kernel).map((one) => `${host}: ${one}`);
        }),
      );
      return found.flat();
    });
    const settledMs = performance.now() - restartedAt;
    console.log(summary({ seed, killer, ledger, operator, pairs: pairs.length, chaosMs, settledMs }));
  });

  test('no log tells of anything that must not happen', async () => {
    for (const file of [platformLog(lab, 'main'), ...[...hosts.values()].map((host) => hostLog(lab, host))]) {
      expect(await oddLines(file), file).toEqual([]);
    }
  });

  test('every machine can be attached again: its keys were not used up', async () => {
    await until('every node to have unused keys', async () => {
      const instances = await operator.readAll(fleetActions.listInstances, (page) => page.instances);
      return instances.filter((one) => one.unused_keys === 0).map((one) => one.hostname);
    });
  });
});
