// Hosts, wires, cuts, power: the stage without any platform.
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findLab, type Lab, upSpec } from './lab.ts';
import { takeDown } from './life/down.ts';
import { labFolder } from './stage/names.ts';
import { findHolder, listProcesses, waitFor } from './stage/process.ts';
import { attempt, run } from './stage/run.ts';
import {
  killNow,
  ownLabFolder,
  pings,
  runs,
  script,
  streets,
  udpSocket,
  uniqueName,
} from './testing/scene.ts';

let removeFolder: () => Promise<void>;
beforeAll(async () => {
  removeFolder = await ownLabFolder();
});
afterAll(() => removeFolder());

const addressOf = (lab: Lab, host: string) =>
  lab.plan.hosts.find((candidate) => candidate.name === host)?.attachments[0]?.address4 ?? '';

describe('a lab that stands', () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await upSpec(streets(uniqueName('stage')));
  });
  afterAll(() => lab?.down());

  test('a command sees its own machine: name, processes, interfaces, /run', async () => {
    const shell = 'hostname; echo $$; ls /sys/class/net; ls /run/wireguard; ps -e --no-headers | wc -l';
    const { stdout } = await lab.exec('pub1', { program: 'sh', args: ['-c', shell] });
    const lines = stdout.trim().split('\n');
    expect(lines[0]).toBe('pub1');
    expect(lines.slice(2, 4)).toEqual(['eth0', 'lo']);
    expect(Number(lines.at(-1))).toBeLessThan(8);
  });

  test('exec gives the exit code and the output', async () => {
    const outcome = await lab.exec('home1', {
      program: 'sh',
      args: ['-c', 'echo out; echo err >&2; exit 7'],
    });
    expect(outcome).toEqual({ exitCode: 7, stdout: 'out\n', stderr: 'err\n' });
  });

  test('hosts reach each other by name, from LANs to the outside too', async () => {
    for (const [from, to] of [
      ['pub1', 'pub2'],
      ['home1', 'pub2'],
      ['home1', 'home2'],
      ['office1', 'pub1'],
    ] as const) {
      expect(await pings(lab, from, to), `${from} to ${to}`).toBe(true);
    }
    expect(await pings(lab, 'office1', addressOf(lab, 'home1'))).toBe(false);
  });

  test('IPv6 works between public hosts at once', async () => {
    expect(await pings(lab, 'pub1', '2001:db8:51::14')).toBe(true);
  });

  test('a cut takes exactly the pair apart, and healing joins it again', async () => {
    await lab.cut({ a: 'pub1', b: 'home1' });
    expect(await lab.cuts()).toEqual([{ a: 'home1', b: 'pub1' }]);
    expect(await pings(lab, 'home1', addressOf(lab, 'pub1'))).toBe(false);
    expect(await pings(lab, 'home2', addressOf(lab, 'pub1'))).toBe(true);
    expect(await pings(lab, 'home1', addressOf(lab, 'pub2'))).toBe(true);
    await lab.heal({ a: 'home1', b: 'pub1' });
    expect(await pings(lab, 'home1', addressOf(lab, 'pub1'))).toBe(true);
    expect(await lab.cuts()).toEqual([]);
    await expect(lab.heal({ a: 'home1', b: 'pub1' })).rejects.toThrow('is not cut');
  });

  test('cutting twice is cutting once', async () => {
    await lab.cut({ a: 'pub1', b: 'pub2' });
    await lab.cut({ a: 'pub2', b: 'pub1' });
    expect(await pings(lab, 'pub1', 'pub2')).toBe(false);
    expect(await pings(lab, 'pub2', '2001:db8:51::13')).toBe(false);
    await lab.heal({ a: 'pub1', b: 'pub2' });
    expect(await pings(lab, 'pub1', 'pub2')).toBe(true);
  });

  test('cutting from the public segment pulls the wire: of a host, and of a NAT with all behind it', async () => {
    await lab.cut({ a: 'pub2', b: 'public' });
    expect(await pings(lab, 'pub1', addressOf(lab, 'pub2'))).toBe(false);
    await lab.cut({ a: 'nat-home', b: 'public' });
    expect(await lab.cuts()).toHaveLength(2);
    expect(await pings(lab, 'home1', addressOf(lab, 'pub1'))).toBe(false);
    expect(await pings(lab, 'home1', addressOf(lab, 'home2'))).toBe(true);
    await lab.heal({ a: 'public', b: 'nat-home' });
    await lab.heal({ a: 'pub2', b: 'public' });
    expect(await pings(lab, 'home1', addressOf(lab, 'pub2'))).toBe(true);
  });

  test('a killed host is gone with everything in it, and boots with the same addresses and card', async () => {
    const card = 'cat /sys/class/net/eth0/address';
    const before = await lab.exec('pub2', { program: 'sh', args: ['-c', card] });
    await script(lab, 'pub2', udpSocket(1234));
    const pids = listProcesses().filter(
      (process) => process.namespace === findHolder({ lab: lab.plan.name, node: 'pub2' })?.namespace,
    );
    expect(pids.length).toBeGreaterThan(1);
    await lab.kill('pub2');
    expect(pids.filter((process) => runs(process.pid))).toEqual([]);
    expect((await lab.status()).hosts[1]).toMatchObject({ name: 'pub2', agent_pid: null, lan_addresses: [] });
    await expect(lab.kill('pub2')).rejects.toThrow('powered off');
    await lab.start('pub2');
    const after = await lab.exec('pub2', { program: 'sh', args: ['-c', card] });
    expect(after.stdout).toBe(before.stdout);
    await waitFor({ what: 'pub2 to answer', limitMs: 10_000 }, () =>
      pings(lab, 'pub1', addressOf(lab, 'pub2')),
    );
  });

  test('killing the first process of a host by hand ends the host as well', async () => {
    await script(lab, 'home2', udpSocket(1234));
    const holder = findHolder({ lab: lab.plan.name, node: 'home2' });
    const others = listProcesses().filter((process) => process.namespace === holder?.namespace);
    killNow(holder?.pid ?? 0);
    await waitFor({ what: 'all of home2 to end', limitMs: 10_000 }, () =>
      others.every(({ pid }) => !runs(pid)),
    );
    await lab.start('home2');
    expect(await pings(lab, 'home2', addressOf(lab, 'pub1'))).toBe(true);
  });

  test('what an ended process has started goes on, and leaves no zombie when it ends', async () => {
    const { stdout } = await lab.exec('pub1', {
      program: 'sh',
      args: ['-c', 'sleep 987 >/dev/null 2>&1 & echo $!'],
    });
    const orphan = listProcesses().find((process) => process.args.join(' ') === 'sleep 987');
    expect(orphan?.innerPid).toBe(Number(stdout));
    await lab.exec('pub1', { program: 'kill', args: ['-9', stdout.trim()] });
    const list = async () => (await lab.exec('pub1', { program: 'ps', args: ['-eo', 'pid,stat'] })).stdout;
    await waitFor({ what: 'the orphan to be buried', limitMs: 10_000 }, async () => {
      return !(await list()).split('\n').some((line) => line.trim().startsWith(`${stdout.trim()} `));
    });
  });

  test('another process finds the lab by its name', async () => {
    expect((await findLab(lab.plan.name)).plan).toEqual(lab.plan);
  });

  test('up again with the same file repairs what was lost; with another one it is refused', async () => {
    await lab.kill('nat-office');
    expect(await pings(lab, 'office1', addressOf(lab, 'pub1'))).toBe(false);
    await upSpec(streets(lab.plan.name));
    expect(await pings(lab, 'office1', addressOf(lab, 'pub1'))).toBe(true);
    const other = { ...streets(lab.plan.name), nats: [] };
    await expect(upSpec(other)).rejects.toThrow('made from another file');
  });
});

describe('the end of a lab', () => {
  const left = async (name: string) => ({
    processes: listProcesses().filter((process) => process.mark?.lab === name).length,
    folder: existsSync(labFolder(name)),
    links: (await run({ program: 'ip', args: ['link'] })).includes(labFolder(name)),
  });
  const nothing = { processes: 0, folder: false, links: false };

  test('nothing is left', async () => {
    const lab = await upSpec(streets(uniqueName('end')));
    const namespaces = lab.plan.hosts.map(
      ({ name }) => findHolder({ lab: lab.plan.name, node: name })?.namespace,
    );
    await script(lab, 'home1', udpSocket(1));
    await lab.down();
    expect(await left(lab.plan.name)).toEqual(nothing);
    const namespacesNow = (await run({ program: 'lsns', args: ['-rno', 'NS', '-t', 'pid'] })).split('\n');
    for (const namespace of namespaces) {
      expect(namespacesNow).not.toContain(/\d+/.exec(namespace ?? '')?.[0]);
    }
    expect(await takeDown(lab.plan.name)).toBe(false);
  });

  test('nothing is left either when half of it was gone and its record is lost', async () => {
    const lab = await upSpec(streets(uniqueName('half')));
    const { name } = lab.plan;
    for (const node of ['pub1', '_net']) killNow(findHolder({ lab: name, node })?.pid ?? 0);
    await run({ program: 'rm', args: ['-rf', labFolder(name)] });
    expect(await takeDown(name)).toBe(true);
    expect(await left(name)).toEqual(nothing);
  });

  test('a lab that cannot be brought up leaves nothing, and says why', async () => {
    const name = uniqueName('bad');
    const broken = {
      ...streets(name),
      platforms: [{ name: 'main', address: '203.0.113.5' }],
      public: { prefix4: '203.0.113.0/24', prefix6: '2001:db8:113::/64' },
    };
    // The block is taken, as another lab would take it.
    await run({ program: 'ip', args: ['link', 'add', 'pnl-203-0-113', 'type', 'veth'] });
    try {
      await expect(upSpec(broken)).rejects.toThrow('203.0.113.0/24');
    } finally {
      await attempt({ program: 'ip', args: ['link', 'delete', 'pnl-203-0-113'] });
    }
    expect(await left(name)).toEqual(nothing);
  });
});
