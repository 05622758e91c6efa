// The quickstart lab with a real platform and real agents: everyone reaches everyone, and goes on to do so
// while platform, agents and hosts are killed around it.
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { sdwanActions } from '@powernode/core/actions/sdwan';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkout } from './fleet/programs.ts';
import { type Lab, upFile } from './lab.ts';
import { labsFound } from './life/down.ts';
import { labFolder } from './stage/names.ts';
import { listProcesses, waitFor } from './stage/process.ts';
import { run } from './stage/run.ts';
import { ownLabFolder, uniqueName } from './testing/scene.ts';

const limitMs = 120_000;
/** Of 20 pairs at once: oftener, and two processors have nothing left for the platform that starts meanwhile. */
const pingEveryMs = 25;
let lab: Lab;
let removeFolder: () => Promise<void>;
/** As the platform of this computer does, which somebody has started before. */
const usual = createServer();

beforeAll(async () => {
  removeFolder = await ownLabFolder();
  const listens = Promise.withResolvers<void>();
  // Taken already: by such a platform.
  usual.once('error', () => listens.resolve()).listen({ port: 7443, host: '::' }, listens.resolve);
  await listens.promise;
  const file = path.join(checkout, 'examples/labs/quickstart.yaml');
  lab = await upFile(file, { name: uniqueName('qs'), report: (line) => console.log(line) });
});

afterAll(async () => {
  usual.close();
  await lab?.down();
  await removeFolder();
});

const hosts = ['hub1', 'hub2', 'edge1', 'edge2', 'edge3'];

async function connected(count: number): Promise<void> {
  await waitFor({ what: `${count} connected peers`, limitMs }, async () => {
    const call = await lab.platform('main').catch(() => null);
    const answer = await call?.(sdwanActions.listPeers, { limit: 500 }).catch(() => null);
    return answer?.peers.filter((peer) => peer.status === 'connected').length === count;
  });
}

/** Everyone but `without` reaches everyone but it. */
async function complete(without?: string): Promise<void> {
  const expected = without === undefined ? 20 : 12;
  await waitFor({ what: 'everyone to reach everyone', limitMs }, async () => {
    const results = (await lab.matrix()).filter((pair) => pair.from !== without && pair.to !== without);
    return results.length === expected && results.every((pair) => pair.roundTripMs !== null);
  });
}

test('up has returned, so everyone reaches everyone at the first try', async () => {
  const results = await lab.matrix();
  expect(results.filter((pair) => pair.roundTripMs === null)).toEqual([]);
  expect(results).toHaveLength(20);
});

test('the status names platforms and hosts as the contract says, from what is there', async () => {
  const { platforms, hosts: machines } = await lab.status();
  expect(platforms).toEqual([
    {
      name: 'main',
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      token_file: expect.stringMatching(/admin-token$/),
      pid: expect.any(Number),
    },
  ]);
  expect(machines.map((host) => host.name)).toEqual(hosts);
  for (const host of machines) {
    expect(Object.keys(host)).toEqual([
      'name',
      'platform',
      'instance_id',
      'agent_pid',
      'overlay_addresses',
      'lan_addresses',
    ]);
    expect(host.overlay_addresses).toEqual([expect.stringMatching(/^fd/), expect.stringMatching(/^100\./)]);
    expect(existsSync(`/proc/${host.agent_pid}`)).toBe(true);
  }
});

test('up again changes nothing', async () => {
  const before = await lab.status();
  await upFile(path.join(checkout, 'examples/labs/quickstart.yaml'), { name: lab.plan.name });
  expect(await lab.status()).toEqual(before);
});

test('agents are killed and started again, and no packet is lost', async () => {
  const before = hosts.map((host) => lab.agentPid(host));
  const pings = await lab.startPings({ intervalMs: pingEveryMs });
  for (const host of hosts) await lab.killAgent(host);
  expect(hosts.map((host) => lab.agentPid(host))).toEqual(hosts.map(() => null));
  for (const host of hosts) await lab.startAgent(host);
  await connected(hosts.length);
  const reports = await pings.stop();
  expect(reports.filter((report) => report.lost > 0)).toEqual([]);
  expect(reports).toHaveLength(20);
  for (const [index, host] of hosts.entries()) expect(lab.agentPid(host)).not.toBe(before[index]);
});

test('the platform is killed and started again, and no packet is lost', async () => {
  const pings = await lab.startPings({ intervalMs: pingEveryMs });
  await lab.killPlatform('main');
  expect((await lab.status()).platforms[0]?.pid).toBe(null);
  await complete();
  await lab.startPlatform('main');
  await connected(hosts.length);
  expect((await pings.stop()).filter((report) => report.lost > 0)).toEqual([]);
});

test('the others do without a hub that has lost power, and it is back after it boots', async () => {
  await lab.kill('hub1');
  await complete('hub1');
  await lab.start('hub1');
  await complete();
});

test('a host that boots without its platform is in the overlay as before', async () => {
  await lab.kill('main');
  await lab.kill('edge2');
  await lab.start('edge2');
  await complete();
  await lab.start('main');
  await connected(hosts.length);
});

test('down leaves nothing', async () => {
  const { name } = lab.plan;
  await lab.down();
  expect(existsSync(labFolder(name))).toBe(false);
  expect(await labsFound()).toEqual([]);
  expect(listProcesses().filter(({ args }) => args.some((arg) => arg.includes(labFolder(name))))).toEqual([]);
  expect(await run({ program: 'ip', args: ['link'] })).not.toContain(labFolder(name));
});
