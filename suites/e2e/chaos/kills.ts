// Who dies, and when: three loops, of the platform, its database and the agents, each by chance and none waiting for
// another. What is killed is started again: the database by its platform, the rest from here.
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Lab } from '../../../packages/lab/lab.ts';
import { listProcesses, readProcess, signal } from '../../../packages/lab/stage/process.ts';
import { findPostmaster } from '../../../packages/platform/store/embedded/postmaster.ts';
import type { Chance } from '../../stage/random.ts';

export type Victim = 'platform' | 'postmaster' | 'backend' | 'agent';

export interface KillParts {
  readonly lab: Lab;
  readonly platform: string;
  readonly dataDir: string;
  readonly hosts: readonly string[];
  /** How many processes are killed in all, at least; and how many changes are made meanwhile. */
  readonly kills: number;
  readonly changes: number;
  /** How many changes operators have got done. */
  readonly changesDone: () => number;
}

/** The longest pause between two kills of a loop: long enough for operators to get something done in between. */
const pauseMs = { platform: 3000, database: 3500, agent: 1500 } as const;
/** Between two kills of the platform or its database a change is made: what starts slowly would else be killed before
 * any. So long is waited for it. */
const changeLimitMs = 60_000;
const changePollMs = 20;
/** How long an agent stays away at most. */
const awayMs = 600;
/** In one of so many cases the platform is killed again while it starts. */
const whileStarting = 5;

export class Killer {
  readonly counts: Record<Victim, number> = { platform: 0, postmaster: 0, backend: 0, agent: 0 };
  /** Ends that nobody asked for. */
  readonly surprises: string[] = [];
  /** Starts of the platform that gave up because their database was killed. */
  startsGivenUp = 0;
  /** The longest time from the start of a platform until it served. */
  slowestStartMs = 0;
  readonly #parts: KillParts;

  constructor(parts: KillParts) {
    this.#parts = parts;
  }

  get total(): number {
    return Object.values(this.counts).reduce((sum, count) => sum + count, 0);
  }

  /** Returns when enough are dead, enough was changed, and the last of the dead was started again. */
  async run(chance: Chance): Promise<void> {
    const loops = [this.#platformLoop, this.#databaseLoop, this.#agentLoop];
    await Promise.all(loops.map((loop) => loop.call(this, chance.fork())));
  }

  get #over(): boolean {
    const { kills, changes, changesDone } = this.#parts;
    return this.total >= kills && changesDone() >= changes;
  }

  async #platformLoop(chance: Chance): Promise<void> {
    while (!this.#over) {
      await this.#killPlatform();
      const starting = this.#startPlatform();
      if (chance.below(whileStarting) === 0) {
        await pause(chance.below(pauseMs.platform));
        await this.#killPlatform();
      }
      await starting;
      await this.#startPlatform();
      await this.#someChange();
      await pause(chance.below(pauseMs.platform));
      if (!(await this.#platformRuns())) this.surprises.push('the platform had ended by itself');
    }
    await this.#startPlatform();
  }

  async #someChange(): Promise<void> {
    const { changesDone } = this.#parts;
    const before = changesDone();
    const endMs = performance.now() + changeLimitMs;
    while (changesDone() === before && performance.now() < endMs) await pause(changePollMs);
  }

  async #databaseLoop(chance: Chance): Promise<void> {
    while (!this.#over) {
      const victim = chance.weighted({ postmaster: 2, backend: 3 });
      const postmaster = await findPostmaster(path.join(this.#parts.dataDir, 'postgres'));
      const pid = victim === 'postmaster' ? postmaster?.pid : someChild(postmaster?.pid, chance);
      if (pid !== undefined && readProcess(pid) !== null) {
        signal(pid, 'SIGKILL');
        this.counts[victim]++;
      }
      await this.#someChange();
      await pause(chance.below(pauseMs.database));
    }
  }

  async #agentLoop(chance: Chance): Promise<void> {
    const { lab, hosts } = this.#parts;
    while (!this.#over) {
      const host = chance.oneOf(hosts) ?? '';
      if (lab.agentPid(host) === null) this.surprises.push(`the agent of ${host} had ended by itself`);
      else {
        await lab.killAgent(host);
        this.counts.agent++;
      }
      await pause(chance.below(awayMs));
      await lab.startAgent(host);
      await pause(chance.below(pauseMs.agent));
    }
  }

  async #killPlatform(): Promise<void> {
    if (!(await this.#platformRuns())) return;
    await this.#parts.lab.killPlatform(this.#parts.platform);
    this.counts.platform++;
  }

  /** Until it serves or is killed again. One whose database dies under its hands gives up and says so; then again. */
  async #startPlatform(): Promise<void> {
    const { lab, platform } = this.#parts;
    for (;;) {
      const startedAt = performance.now();
      try {
        await lab.startPlatform(platform);
        this.slowestStartMs = Math.max(this.slowestStartMs, performance.now() - startedAt);
        return;
      } catch (error) {
        if (String(error).includes('ended with signal SIGKILL')) return;
        if (!String(error).includes(`ended with exit code ${databaseUnavailable} `)) throw error;
        this.startsGivenUp++;
      }
    }
  }

  async #platformRuns(): Promise<boolean> {
    const { platforms } = await this.#parts.lab.status();
    return platforms.every(({ pid }) => pid !== null);
  }
}

/** EX_UNAVAILABLE of sysexits(3), as the product's table of errors has it. */
const databaseUnavailable = 69;

/** One of the processes that the postmaster has started: sessions, writers, checkpointer. */
function someChild(postmaster: number | undefined, chance: Chance): number | undefined {
  const children = listProcesses().filter(({ parentPid }) => parentPid === postmaster);
  return postmaster === undefined ? undefined : chance.oneOf(children)?.pid;
}
