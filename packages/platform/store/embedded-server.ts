// The PostgreSQL server that a platform brings along: private to one data directory, reached by a unix socket
// only, restarted when it dies, and never left behind. What is stored in it is not this file's business.
import { readFile, realpath } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ProductError } from '@powernode/core/errors';
import {
  databaseConnectMs,
  embeddedHandoverMs,
  embeddedHeldMs,
  embeddedOrphanMs,
  embeddedPollMs,
  embeddedRestartFirstMs,
  embeddedRestartMaxMs,
  embeddedRestartsMax,
  embeddedStartMs,
  embeddedStopMs,
} from '@powernode/core/limits/database';
import pg from 'pg';
import type { Logger } from 'pino';
import { sqlStateOf } from './database-errors.ts';
import { directoryTaken, isDirectoryHeld } from './directory-hold.ts';
import { handOver } from './embedded/account.ts';
import { type Cluster, embeddedUser, makeSocketDir, prepareCluster } from './embedded/cluster.ts';
import { clusterName, findPostmaster, isAlive } from './embedded/postmaster.ts';
import { type Postmaster, supervisePostmaster } from './embedded/supervise.ts';

export interface EmbeddedServerOptions {
  readonly dataDir: string;
  readonly log: Logger;
  /** Of a PostgreSQL other than the one that is brought along. */
  readonly binDir?: string;
  /** Over the server's own settings. Only tests have a reason. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface EmbeddedServer {
  /** Resolved: without symbolic links, as PostgreSQL and the other platforms name it. */
  readonly dataDir: string;
  /** How its superuser reaches one database of it. */
  connection(database: string): pg.ClientConfig;
  /** Settles only when the server cannot be kept running; the platform has nothing to stand on then. */
  readonly lost: Promise<ProductError>;
  stop(): Promise<void>;
}

/** Resolves when the server takes connections. Refuses a directory that another platform uses. */
export async function startEmbeddedServer(options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  const cluster = await prepareCluster(options);
  // Between processes the server itself tells; within one, its process id would look like our own remains.
  if (openHere.has(cluster.clusterDir)) throw await directoryTaken(cluster.dataDir, process.pid);
  openHere.add(cluster.clusterDir);
  const server = new SupervisedServer(options, cluster);
  try {
    await server.start();
  } catch (error) {
    openHere.delete(cluster.clusterDir);
    throw error;
  }
  return server;
}

/** How to reach the server that a running platform keeps on the directory; null: none runs. */
export async function runningServer(
  dataDir: string,
): Promise<((database: string) => pg.ClientConfig) | null> {
  const found = await realpath(dataDir);
  const postmaster = await findPostmaster(path.join(found, 'postgres'));
  if (postmaster === null || postmaster.platformPid === null || !isAlive(postmaster.platformPid)) return null;
  const password = await readFile(path.join(found, 'postgres-password'), 'utf8');
  const { socketDir: host } = postmaster;
  return (database) => ({ host, port: 5432, user: embeddedUser, password, database, ssl: false });
}

const openHere = new Set<string>();

class SupervisedServer implements EmbeddedServer {
  readonly dataDir: string;
  readonly lost: Promise<ProductError>;
  readonly #cluster: Cluster;
  readonly #log: Logger;
  readonly #settings: Readonly<Record<string, string>>;
  readonly #stopping = new AbortController();
  #giveUp: (reason: ProductError) => void = () => undefined;
  #current: Postmaster | null = null;
  #keeping: Promise<void> = Promise.resolve();

  constructor(options: EmbeddedServerOptions, cluster: Cluster) {
    this.dataDir = cluster.dataDir;
    this.#cluster = cluster;
    this.#log = options.log;
    this.#settings = options.settings ?? {};
    this.lost = new Promise((resolve) => {
      this.#giveUp = resolve;
    });
  }

  connection(database: string): pg.ClientConfig {
    return {
      host: this.#cluster.socketDir,
      port: 5432,
      user: embeddedUser,
      password: this.#cluster.password,
      database,
      ssl: false,
    };
  }

  async start(): Promise<void> {
    const postmaster = await this.#launch();
    this.#keeping = this.#keep(postmaster);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#current?.release();
    const cutOff = new AbortController();
    const patience = sleep(embeddedStopMs, undefined, { signal: cutOff.signal }).then(
      () => this.#signal('SIGQUIT'),
      () => undefined,
    );
    await this.#keeping;
    cutOff.abort();
    await patience;
    openHere.delete(this.#cluster.clusterDir);
  }

  /** Starts it again for as long as it can be started and nobody asked for its end. */
  async #keep(first: Postmaster): Promise<void> {
    let postmaster = first;
    for (;;) {
      await postmaster.ended;
      if (this.#stopping.signal.aborted) return;
      this.#log.warn({ postgres: postmaster.lastWords() }, 'the embedded database ended; starting it again');
      const next = await this.#relaunch();
      if (next === null) return;
      postmaster = next;
      this.#log.info('the embedded database is back');
    }
  }

  /** Null when it is over: by `stop`, or because it cannot be started any more. */
  async #relaunch(): Promise<Postmaster | null> {
    let pauseMs = embeddedRestartFirstMs;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#launch();
      } catch (error) {
        if (this.#stopping.signal.aborted) return null;
        const reason = asLoss(error);
        if (reason.code === 'conflict' || attempt >= embeddedRestartsMax) {
          this.#log.error({ err: reason }, 'the embedded database is lost');
          this.#giveUp(reason);
          return null;
        }
        this.#log.warn({ err: reason, attempt }, 'the embedded database did not start; trying again');
      }
      await sleep(pauseMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
      pauseMs = Math.min(pauseMs * 2, embeddedRestartMaxMs);
    }
  }

  /** One start, repeated while the remains of an earlier server still hold the directory. */
  async #launch(): Promise<Postmaster> {
    const deadline = performance.now() + embeddedHandoverMs;
    for (;;) {
      await this.#settleEarlier();
      const { clusterDir, account } = this.#cluster;
      if (account.owner !== null) await handOver(clusterDir, account.owner);
      // The shell of the earlier server removes it when it ends.
      await makeSocketDir(this.dataDir, this.#cluster.account);
      this.#stopping.signal.throwIfAborted();
      const postmaster = supervisePostmaster({
        cluster: this.#cluster,
        settings: this.#settings,
        log: this.#log,
      });
      this.#current = postmaster;
      if (await this.#answers(postmaster)) return postmaster;
      if (!postmaster.metAnother() || performance.now() > deadline) {
        throw new ProductError(
          'database_unavailable',
          `The embedded database in ${this.#cluster.clusterDir} did not start. PostgreSQL said:\n${postmaster.lastWords() || '(nothing)'}`,
        );
      }
      await sleep(embeddedPollMs * 5);
    }
  }

  /** False when it ended before it answered; a server that neither answers nor ends is stopped and reported. */
  async #answers(postmaster: Postmaster): Promise<boolean> {
    const deadline = performance.now() + embeddedStartMs;
    try {
      while (!postmaster.hasEnded() && !this.#stopping.signal.aborted && performance.now() < deadline) {
        if ((await this.#ask()) === 'ours') return true;
        await sleep(embeddedPollMs);
      }
    } catch (error) {
      postmaster.release();
      await postmaster.ended;
      throw error;
    }
    postmaster.release();
    await postmaster.ended;
    return false;
  }

  /** Whether a server answers on the socket, and whether it is one that this process started. */
  async #ask(): Promise<'ours' | 'other' | 'none'> {
    const client = new pg.Client({
      ...this.connection('postgres'),
      connectionTimeoutMillis: databaseConnectMs,
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      const result = await client.query<{ name: string }>(`select current_setting('cluster_name') as name`);
      return result.rows[0]?.name === clusterName(process.pid) ? 'ours' : 'other';
    } catch (error) {
      // Everything else (no socket yet, starting up, shutting down) passes; a wrong password does not.
      if (sqlStateOf(error) !== '28P01') return 'none';
      throw new ProductError(
        'invalid_configuration',
        `The embedded database refuses the password in ${path.join(this.dataDir, 'postgres-password')}. Restore that file from a backup of the data directory.`,
        { cause: error },
      );
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  /** Returns when no server runs on the directory: waits for one that is ending, stops one that is orphaned. */
  async #settleEarlier(): Promise<void> {
    const begin = performance.now();
    let lastSignal: NodeJS.Signals | null = null;
    let heldSince: number | null = null;
    for (;;) {
      const earlier = await findPostmaster(this.#cluster.clusterDir);
      if (earlier === null) return;
      this.#stopping.signal.throwIfAborted();
      const { platformPid } = earlier;
      const waitedMs = performance.now() - begin;
      if (platformPid !== null && platformPid !== process.pid && isAlive(platformPid)) {
        // Either a working platform, then it holds the directory, or one that is just starting or ending.
        const held = await isDirectoryHeld({ ...this.connection('postgres'), host: earlier.socketDir });
        if (held && heldSince === null) this.#log.debug({ platformPid }, 'the data directory is held');
        heldSince = held ? (heldSince ?? performance.now()) : null;
        const isHeld = heldSince !== null && performance.now() - heldSince >= embeddedHeldMs;
        if (isHeld || waitedMs > embeddedHandoverMs) throw await directoryTaken(this.dataDir, platformPid);
      } else {
        const signal = waitedMs > embeddedOrphanMs ? 'SIGQUIT' : 'SIGINT';
        if (signal !== lastSignal) signalProcess(earlier.pid, signal);
        lastSignal = signal;
        if (waitedMs > embeddedHandoverMs) {
          throw new ProductError(
            'database_unavailable',
            `An earlier PostgreSQL (process ${earlier.pid}) on ${this.#cluster.clusterDir} does not end. Stop it and start again.`,
          );
        }
      }
      await sleep(embeddedPollMs);
    }
  }

  async #signal(signal: NodeJS.Signals): Promise<void> {
    const running = await findPostmaster(this.#cluster.clusterDir);
    if (running === null || running.platformPid !== process.pid) return;
    this.#log.warn({ signal }, 'the embedded database takes too long to end; cutting it off');
    signalProcess(running.pid, signal);
  }
}

/** It may have ended since it was seen. */
function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (isAlive(pid)) throw error;
  }
}

function asLoss(error: unknown): ProductError {
  if (error instanceof ProductError) return error;
  return new ProductError('database_unavailable', 'The embedded database could not be started again.', {
    cause: error,
  });
}
