// The wire between a lab and this machine, where its platforms run, and cuts of platforms. Two small servers
// stand in for the platforms; what runs on them does not matter here.
import { type ChildProcess, spawn } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { platformProgram } from '../fleet/programs.ts';
import { takeDown } from '../life/down.ts';
import { benchmarkBlocks, type LabPlan, nodePort, planLab } from '../plan/plan.ts';
import { acceptSpec } from '../plan/read.ts';
import { ownLabFolder, uniqueName } from '../testing/scene.ts';
import { cut, heal, listCuts } from './cut.ts';
import { claimMachineLink, fabricMark, plugMachine, startFabric, startHost } from './fabric.ts';
import { makeNodeFolder } from './folder.ts';
import { inside, requireHolder } from './holder.ts';
import { machineLink, machineTable, markEnvironment } from './names.ts';
import { waitFor } from './process.ts';
import { attempt, toolPath } from './run.ts';

const name = uniqueName('wire');
let plan: LabPlan;
let blocks = benchmarkBlocks(0);
let removeFolder: () => Promise<void>;
const servers: ChildProcess[] = [];

beforeAll(async () => {
  removeFolder = await ownLabFolder();
  for (let number = 400; !(await claimMachineLink(blocks, name)); number++) blocks = benchmarkBlocks(number);
  const hosts = [{ name: 'edge', on: 'public', platform: 'west' }];
  plan = planLab(acceptSpec({ name, platforms: [{ name: 'west' }, { name: 'east' }], hosts }), blocks);
  await startFabric(plan, await makeNodeFolder(name, fabricMark(name).node));
  await plugMachine(plan);
  for (const host of plan.hosts) await startHost(plan, host, await makeNodeFolder(name, host.name));
  for (const platform of plan.platforms) {
    const serve = `require('node:net').createServer((s) => s.end('${platform.name}')).listen(${nodePort}, '${platform.address4}')`;
    servers.push(
      // With the program of a platform among its arguments it is told to end like one.
      spawn(process.execPath, ['-e', serve, platformProgram], {
        stdio: 'ignore',
        gid: platform.groupId,
        env: { PATH: toolPath, ...markEnvironment({ lab: name, node: platform.name }) },
      }),
    );
  }
  for (const { address4 } of plan.platforms) {
    await waitFor({ what: `${address4} to listen`, limitMs: 20_000 }, () => reaches(null, address4));
  }
});

afterAll(async () => {
  await takeDown(name);
  await removeFolder();
});

/** Whether a connection comes about: from the host, or from a process of the group on this machine. */
async function reaches(from: 'edge' | number | null, address: string): Promise<boolean> {
  const connect = `
    const socket = require('node:net').connect(${nodePort}, '${address}');
    socket.on('data', () => process.exit(0)).on('error', () => process.exit(1)).setTimeout(700, () => process.exit(1));
  `;
  const command = { program: process.execPath, args: ['-e', connect] };
  if (from === 'edge')
    return (await attempt(inside(requireHolder({ lab: name, node: 'edge' }), command))).exitCode === 0;
  const child = spawn(command.program, command.args, {
    stdio: 'ignore',
    ...(from === null ? {} : { gid: from }),
  });
  return new Promise((resolve) => child.on('exit', (code) => resolve(code === 0)));
}

const [west, east] = [0, 1];
const platform = (index: number) => {
  const found = plan.platforms[index];
  if (found === undefined) throw new Error(`no platform ${index}`);
  return found;
};

test('a host reaches every platform, and the platforms each other', async () => {
  expect(await reaches('edge', platform(west).address4)).toBe(true);
  expect(await reaches('edge', platform(east).address4)).toBe(true);
  expect(await reaches(platform(west).groupId, platform(east).address4)).toBe(true);
});

test('a host is cut from one platform and not from the other', async () => {
  await cut(plan, { a: 'edge', b: 'west' });
  expect(await reaches('edge', platform(west).address4)).toBe(false);
  expect(await reaches('edge', platform(east).address4)).toBe(true);
  await heal(plan, { a: 'west', b: 'edge' });
  expect(await reaches('edge', platform(west).address4)).toBe(true);
});

test('a platform is cut from everything outside', async () => {
  await cut(plan, { a: 'east', b: 'public' });
  expect(await reaches('edge', platform(east).address4)).toBe(false);
  expect(await reaches('edge', platform(west).address4)).toBe(true);
  await heal(plan, { a: 'east', b: 'public' });
  expect(await reaches('edge', platform(east).address4)).toBe(true);
});

test('two platforms are cut from each other, hosts and operators notice nothing, and healing leaves no table', async () => {
  await cut(plan, { a: 'west', b: 'east' });
  expect(await listCuts(plan)).toEqual([{ a: 'east', b: 'west' }]);
  expect(await reaches(platform(west).groupId, platform(east).address4)).toBe(false);
  expect(await reaches(platform(east).groupId, platform(west).address4)).toBe(false);
  expect(await reaches('edge', platform(east).address4)).toBe(true);
  expect(await reaches(null, platform(east).address4)).toBe(true);
  await heal(plan, { a: 'west', b: 'east' });
  expect(await reaches(platform(west).groupId, platform(east).address4)).toBe(true);
  const table = machineTable(name).split(' ');
  expect((await attempt({ program: 'nft', args: ['list', 'table', ...table] })).exitCode).not.toBe(0);
});

test('another lab cannot take the same block, and down removes the wire and the table', async () => {
  expect(await claimMachineLink(blocks, 'other')).toBe(false);
  await cut(plan, { a: 'west', b: 'east' });
  expect(await takeDown(name)).toBe(true);
  const list = await attempt({ program: 'nft', args: ['list', 'tables'] });
  expect(list.stdout).not.toContain(name);
  expect((await attempt({ program: 'ip', args: ['link', 'show', machineLink(blocks)] })).exitCode).not.toBe(
    0,
  );
  for (const server of servers) expect(server.exitCode ?? server.signalCode).not.toBe(null);
});
