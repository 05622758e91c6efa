// Test support: a network namespace with an agent's FRR in it, and cables between two of them.
import { spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { Namespace } from '../../fixtures/namespace.ts';
import { systemClock } from '../../ports/clock.ts';
import { type Run, systemRun } from '../../ports/run.ts';
import { FrrDaemons } from './daemons.ts';
import { FrrPlaces } from './places.ts';
import { type FrrProcesses, systemProcesses } from './processes.ts';
import { type FrrDaemon, type FrrPrograms, findFrr } from './programs.ts';
import { Vty } from './vty.ts';

let count = 0;

export class FrrSite {
  readonly namespace: Namespace;
  readonly places: FrrPlaces;
  /** Daemons that were started, and those that failed with why. */
  readonly started: string[] = [];
  readonly failed: string[] = [];
  readonly #processes: FrrProcesses;
  readonly #programs: FrrPrograms;
  readonly #vtys: Vty[] = [];
  daemons: FrrDaemons;

  constructor(namespace: Namespace, programs: FrrPrograms) {
    const file = `/proc/${namespace.pid}/ns/net`;
    this.namespace = namespace;
    this.#programs = programs;
    this.#processes = systemProcesses(file);
    this.places = FrrPlaces.of(`/test-${process.pid}-${++count}`, file);
    this.daemons = this.#agent();
  }

  #agent(): FrrDaemons {
    const label = (spec: { daemon: FrrDaemon; network: string | null }) =>
      [spec.daemon, spec.network].filter((part) => part !== null).join(' ');
    return new FrrDaemons({
      run: this.#inside(),
      clock: systemClock,
      processes: this.#processes,
      places: this.places,
      programs: this.#programs,
      started: (spec) => this.started.push(label(spec)),
      failed: (spec, why) => this.failed.push(`${label(spec)}: ${why}`),
      othersChanged: () => undefined,
    });
  }

  #inside(): Run {
    const [program = '', ...entering] = this.namespace.entering;
    return {
      attempt: (command) => this.namespace.attempt(command),
      follow: () => this.namespace.follow(),
      detach: (command, environment) =>
        systemRun.detach({ program, args: [...entering, command.program, ...command.args] }, environment),
    };
  }

  /** The agent ends and another one begins. */
  anotherAgent(): void {
    this.daemons.leave();
    this.daemons = this.#agent();
  }

  vty(daemon: FrrDaemon, network: string | null = null): Vty {
    const vty = new Vty({ path: this.places.vtyOf(daemon, network), daemon, clock: systemClock });
    this.#vtys.push(vty);
    return vty;
  }

  /** Kills a daemon and waits until another one answers in its place. Returns the process that was killed. */
  async killAndWait(daemon: FrrDaemon, network: string | null): Promise<number[]> {
    const folder = this.places.folderOf(daemon, network);
    const find = () => this.daemons.running().filter(({ args }) => args.includes(folder));
    const killed = find().map(({ pid }) => pid);
    for (const pid of killed) this.#processes.signal(pid, 'SIGKILL');
    const before = this.started.length;
    await expect.poll(() => this.started.length).toBe(before + 1);
    expect(find().map(({ pid }) => pid)).not.toEqual(killed);
    return killed;
  }

  /** A zebra of the host itself, with a static route. */
  async hostFrr() {
    const folder = mkdtempSync('/run/powernode-test-host-frr-');
    chmodSync(folder, 0o755);
    chownSync(folder, this.#programs.uid, this.#programs.gid);
    writeFileSync(`${folder}/zebra.conf`, '');
    writeFileSync(`${folder}/staticd.conf`, 'ip route 10.99.0.0/24 10.9.0.2\n');
    const start = (name: string) => {
      const [program = '', ...entering] = this.namespace.entering;
      const args = [
        '-f',
        `${folder}/${name}.conf`,
        '-i',
        `${folder}/${name}.pid`,
        '-z',
        `${folder}/zserv.api`,
      ];
      const own = ['--vty_socket', folder, '-P', '0', '-u', 'frr', '-g', 'frr'];
      const command = [...entering, `${this.#programs.folder}/${name}`, ...args, ...own];
      return spawn(program, command, { stdio: 'ignore' });
    };
    const ended = (child: ReturnType<typeof start>) => new Promise((resolve) => child.once('exit', resolve));
    const zebra = start('zebra');
    const answers = async () =>
      (await this.namespace.attempt({ program: 'test', args: ['-S', `${folder}/zserv.api`] })).exitCode;
    await expect.poll(answers).toBe(0);
    const staticd = start('staticd');
    return {
      pid: zebra.pid,
      withdraw: async () => {
        const vty = new Vty({ path: `${folder}/staticd.vty`, daemon: 'staticd', clock: systemClock });
        await vty.configure(['no ip route 10.99.0.0/24 10.9.0.2']);
        vty.close();
      },
      end: async () => {
        const over = Promise.all([ended(zebra), ended(staticd)]);
        staticd.kill('SIGTERM');
        zebra.kill('SIGTERM');
        await over;
        // A zebra leaves next hops behind when it ends.
        await this.namespace.must('ip', 'nexthop', 'flush');
        rmSync(folder, { recursive: true, force: true });
      },
    };
  }

  async end(): Promise<void> {
    for (const vty of this.#vtys) vty.close();
    await this.daemons.removeAll();
    this.daemons.leave();
    await this.namespace.end();
  }
}

export async function openSite(): Promise<FrrSite> {
  const programs = await findFrr(systemRun);
  if (programs.kind === 'absent') throw new Error(programs.detail);
  return new FrrSite(await Namespace.open(), programs);
}

/** A cable between two sites with the overlay addresses of both networks, as routes to hosts. Again: made whole. */
export async function joinSites(near: FrrSite, far: FrrSite): Promise<void> {
  const here = (...args: readonly string[]) => near.namespace.must('ip', ...args);
  const there = (...args: readonly string[]) => far.namespace.must('ip', ...args);
  await near.namespace.attempt({ program: 'ip', args: ['link', 'delete', 'near0'] });
  await here(
    'link',
    'add',
    'near0',
    'type',
    'veth',
    'peer',
    'name',
    'far0',
    'netns',
    String(far.namespace.pid),
  );
  await here('link', 'set', 'near0', 'up');
  await there('link', 'set', 'far0', 'up');
  await here('address', 'replace', '10.9.0.1/24', 'dev', 'near0');
  await here('address', 'replace', 'fe80::1/64', 'dev', 'near0', 'nodad');
  await there('address', 'replace', 'fe80::2/64', 'dev', 'far0', 'nodad');
  for (const network of [1, 2]) {
    await here('address', 'replace', `fd00:${network}::1/128`, 'dev', 'lo', 'nodad');
    await there('address', 'replace', `fd00:${network}::2/128`, 'dev', 'lo', 'nodad');
    await here('-6', 'route', 'replace', `fd00:${network}::2/128`, 'via', 'fe80::2', 'dev', 'near0');
    await there('-6', 'route', 'replace', `fd00:${network}::1/128`, 'via', 'fe80::1', 'dev', 'far0');
  }
}
