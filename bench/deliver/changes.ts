// One change of what networks should be, from the request on: when it was committed, when the last of the nodes it
// concerns has it, what was sent to whom, and what that cost the platform.
import { setTimeout as pause } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Store } from '../../packages/platform/store/open-store.ts';
import { inAccount } from '../../packages/platform/store/tenancy.ts';
import type { Call } from '../stage/calls.ts';
import { descendantsOf, OthersMeter, ProcessorMeter } from '../stage/processes.ts';
import type { NodesProcess } from './nodes-process.ts';

export interface ChangeStage {
  readonly call: Call;
  readonly nodes: NodesProcess;
  readonly platformPid: number;
  /** A session of the benchmark's own with the platform's database. */
  readonly store: Pick<Store, 'db'>;
  readonly accountId: string;
}

export interface ChangeRequest {
  readonly action: string;
  readonly input: object;
  /** The connected nodes that it concerns. */
  readonly affected: readonly number[];
}

export interface ChangeCost {
  /** From the commit until the last node has it. */
  readonly commitToLastMs: number;
  /** From the request until the last node has it. */
  readonly requestToLastMs: number;
  readonly bytesPerAffected: number;
  readonly bytesToOthers: number;
  /** Of the platform's process beyond what it needs at rest; acknowledgements and their writing included. */
  readonly processorMs: number;
  readonly databaseMs: number;
  /** What share of the machine other programs had meanwhile. */
  readonly othersShare: number;
}

/** By then all nodes have said that they applied it, and that is written (`reportFlushMs` and some). */
const settleMs = 700;

export class ChangeMaker {
  readonly #stage: ChangeStage;
  readonly #platform: ProcessorMeter;
  readonly #database: ProcessorMeter;
  readonly #others: OthersMeter;
  /** What the platform needs while nothing happens, in milliseconds per second. */
  rest = 0;

  constructor(stage: ChangeStage) {
    const { platformPid, nodes } = stage;
    this.#stage = stage;
    this.#platform = new ProcessorMeter(() => [platformPid]);
    this.#database = new ProcessorMeter(() => descendantsOf(platformPid));
    const own = new ProcessorMeter(() => [
      process.pid,
      nodes.pid,
      platformPid,
      ...descendantsOf(platformPid),
    ]);
    this.#others = new OthersMeter(() => own.readMs());
  }

  async make(request: ChangeRequest): Promise<ChangeCost> {
    const { nodes } = this.#stage;
    await nodes.tell({ kind: 'forget' });
    this.#platform.readMs();
    this.#database.readMs();
    this.#others.readShare();
    const began = performance.now();
    const requestedAtMs = Date.now();
    await this.#stage.call(request.action, request.input);
    const { revision, committedAtMs } = await newestChange(this.#stage);
    const { lastAtMs } = await nodes.tell({ kind: 'held', revision, nodes: request.affected });
    await pause(settleMs);
    const bytes = await nodes.tell({ kind: 'bytes', nodes: request.affected });
    return {
      commitToLastMs: lastAtMs - committedAtMs,
      requestToLastMs: lastAtMs - requestedAtMs,
      bytesPerAffected: bytes.named / request.affected.length,
      bytesToOthers: bytes.others,
      processorMs: this.#platform.readMs() - (this.rest * (performance.now() - began)) / 1000,
      databaseMs: this.#database.readMs(),
      othersShare: this.#others.readShare(),
    };
  }
}

/** The database has kept the moment of the commit; it is taken before the commit is on the disk. */
async function newestChange(
  stage: Pick<ChangeStage, 'store' | 'accountId'>,
): Promise<{ readonly revision: number; readonly committedAtMs: number }> {
  const { rows } = await inAccount(stage.store, stage.accountId, (trx) =>
    sql<{ revision: number; at: number | null }>`
      select sequence as revision, extract(epoch from pg_xact_commit_timestamp(xmin))::float8 * 1000 as at
      from changes order by sequence desc limit 1
    `.execute(trx),
  );
  const [row] = rows;
  if (row === undefined || row.at === null) throw new Error('the database did not keep when it committed');
  return { revision: row.revision, committedAtMs: row.at };
}
