// Who dies, and when: one loop kills the platform and its database, another one agents, both by chance. What is
// killed is started again: the database by its platform, the rest from here.
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Lab } from '../../../packages/lab/lab.ts';
import { listProcesses, readProcess, signal } from '../../../packages/lab/stage/process.ts';
import { findPostmaster } from '../../../packages/platform/store/embedded/postmaster.ts';
import type { Chance } from './random.ts';

export type Victim = 'platform' | 'postmaster' | 'backend' | 'agent';

export interface KillParts {
  readonly lab: Lab;
  readonly platform: string;
  readonly dataDir: string;
  readonly hosts: readonly string[];
  /** How many processes are killed in all. */
  readonly kills: number;
}

/** In one of so many cases the platform is killed again while it starts, or its database together with it. */
const whileStarting = 5;
const together = 6;
/** The longest pause between two kills of a loop, and how long an agent stays away at most. */
const pauseMs = 1200;
const awayMs = 600;

export class Killer {
  readonly counts: Record<Victim, number> = { platform: 0, postmaster: 0, backend: 0, agent: 0 };
  /** Ends that nobody asked for. */
  readonly surprises: string[] = [];
  /** The longest time from the start of a platform until it served. */
  slowestStartMs = 0;
  readonly #parts: KillParts;

  constructor(parts: KillParts) {
    this.#parts = parts;
  }

  get total(): number {
    return Object.values(this.counts).reduce((sum, count) => sum + count, 0);
  }

  /** Returns when enough are dead and the last of them was started again. */
  async run(chance: Chance): Promise<void> {
    await Promise.all([this.#controlLoop(chance.fork()), this.#agentLoop(chance.fork())]);
  }

  get #over(): boolean {
    return this.total >= this.#parts.kills;
  }

  async #controlLoop(chance: Chance): Promise<void> {
    while (!this.#over) {
      const victim = chance.weighted({ platform: 3, postmaster: 3, backend: 4 });
      if (victim === 'platform') await this.#replacePlatform(chance);
      else await this.#killInDatabase(victim, chance);
      await pause(chance.below(pauseMs));
    }
    await this.#requirePlatform();
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
      await pause(chance.below(pauseMs));
    }
  }

  async #replacePlatform(chance: Chance): Promise<void> {
    await this.#killPlatform();
    if (chance.below(together) === 0) await this.#killInDatabase('postmaster', chance);
    while (chance.below(whileStarting) === 0 && !this.#over) {
      const starting = this.#startPlatform().catch(() => undefined);
      await pause(chance.below(2 * pauseMs));
      await this.#killPlatform();
      await starting;
    }
    await this.#startPlatform();
  }

  async #killPlatform(): Promise<void> {
    const { lab, platform } = this.#parts;
    const { platforms } = await lab.status();
    if (platforms.every(({ pid }) => pid === null)) return;
    await lab.killPlatform(platform);
    this.counts.platform++;
  }

  async #startPlatform(): Promise<void> {
    const startedAt = performance.now();
    await this.#parts.lab.startPlatform(this.#parts.platform);
    this.slowestStartMs = Math.max(this.slowestStartMs, performance.now() - startedAt);
  }

  /** It lives unless it was killed here. */
  async #requirePlatform(): Promise<void> {
    const { platforms } = await this.#parts.lab.status();
    if (platforms.some(({ pid }) => pid === null)) this.surprises.push('the platform had ended by itself');
    await this.#startPlatform();
  }

  async #killInDatabase(victim: 'postmaster' | 'backend', chance: Chance): Promise<void> {
    const postmaster = await findPostmaster(path.join(this.#parts.dataDir, 'postgres'));
    if (postmaster === null) return;
    const pid = victim === 'postmaster' ? postmaster.pid : this.#someBackend(postmaster.pid, chance);
    if (pid === null || readProcess(pid) === null) return;
    signal(pid, 'SIGKILL');
    this.counts[victim]++;
  }

  /** One of the processes that the postmaster has started: sessions, writers, checkpointer. */
  #someBackend(postmaster: number, chance: Chance): number | null {
    const children = listProcesses().filter(({ parentPid }) => parentPid === postmaster);
    return chance.oneOf(children)?.pid ?? null;
  }
}
