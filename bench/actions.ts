// Benchmark (f): actions per second over HTTP, reading and writing, by one client and by sixteen; beside what the same
// database does through the same pool when nothing stands before it.
import autocannon from 'autocannon';
import { sql } from 'kysely';
import { pino } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { openStore, type Store } from '../packages/platform/store/open-store.ts';
import { inAccount } from '../packages/platform/store/tenancy.ts';
import { type Fleet, writeFleet } from './deliver/fleet.ts';
import type { Report } from './report.ts';
import { callsOf } from './stage/calls.ts';
import { databaseUrlOf } from './stage/database.ts';
import { type PlatformProcess, startPlatform, withFolder } from './stage/platform.ts';
import { ProcessorMeter } from './stage/processes.ts';

const machines = 500;
const meshed = 50;
const clients = [1, 16] as const;
const seconds = 4;
const warmUpSeconds = 1;
/** Requests of one token are limited (`requestsPerSecondMax`); it is not the limit that is measured here. */
const tokens = 16;
/** Networks of an account are limited too, and each new one is compared to all others. */
const networksMade = 100;
const pageSize = 50;
const bench = 'actions';

export async function benchActions(report: Report): Promise<void> {
  report.heading('(f) actions per second');
  await withFolder(async (dataDir) => {
    const first = await startPlatform({ dataDir });
    await first.stop();
    const fleet = await writeFleet(dataDir, { machines, meshed });
    const platform = await startPlatform({ dataDir });
    const log = pino({ level: 'silent' });
    const store = await openStore({ dataDir, databaseUrl: await databaseUrlOf(dataDir), log });
    try {
      await measure({ report, platform, fleet, store });
    } finally {
      await store.close();
      await platform.stop();
    }
  });
}

interface Parts {
  readonly report: Report;
  readonly platform: PlatformProcess;
  readonly fleet: Fleet;
  readonly store: Store;
}

interface Load {
  readonly action: string;
  readonly what: string;
  /** The parameters of the n-th call. */
  readonly inputOf: (n: number) => object;
  readonly kind: 'read' | 'write';
  /** How many there may be in all; without, as many as there is time for. */
  readonly amount?: number;
}

async function measure(parts: Parts): Promise<void> {
  const bearers = await makeTokens(parts.platform);
  for (const count of clients) {
    const beside = {
      read: { what: 'select 1', value: await perSecond(count, () => parts.store.pool.query('select 1')) },
      write: { what: 'commits of one row', value: await perSecond(count, () => commitOne(parts)) },
    };
    for (const load of loadsOf(parts.fleet)) {
      if (load.amount === undefined) await fire(parts, { load, count, bearers, seconds: warmUpSeconds });
      const fired = await fire(parts, { load, count, bearers, seconds });
      parts.report.add({
        bench,
        what: `${load.what}, ${count === 1 ? '1 client' : `${count} clients`}`,
        value: fired.perSecond,
        unit: 'per s',
        beside: beside[load.kind],
        note: `p50 ${fired.p50} ms, p99 ${fired.p99} ms; processor time of the platform ${fired.processorMs.toFixed(2)} ms each`,
      });
    }
  }
}

function loadsOf({ star }: Fleet): Load[] {
  const { networkId, members } = star;
  return [
    {
      action: 'system_sdwan_get_network',
      what: 'get_network',
      inputOf: () => ({ network_id: networkId }),
      kind: 'read',
    },
    {
      action: 'system_sdwan_list_peers',
      what: `list_peers, ${pageSize} of ${machines}`,
      inputOf: () => ({ network_id: networkId, limit: pageSize }),
      kind: 'read',
    },
    {
      action: 'system_sdwan_set_peer_tags',
      what: 'set_peer_tags',
      inputOf: (n) => ({ peer_id: members[n % members.length]?.peerId, tags: [`tag-${n}`] }),
      kind: 'write',
    },
    {
      action: 'system_sdwan_create_network',
      what: 'create_network',
      inputOf: () => ({ name: `bench ${uuidv7()}` }),
      kind: 'write',
      amount: networksMade,
    },
  ];
}

async function makeTokens(platform: PlatformProcess): Promise<string[]> {
  const call = callsOf(platform);
  const made: string[] = [];
  for (let i = 0; i < tokens; i++) {
    const { api_token } = await call<{ api_token: { token: string } }>('system_create_api_token', {
      name: `bench ${i}`,
    });
    made.push(api_token.token);
  }
  return made;
}

interface Fired {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly processorMs: number;
}

async function fire(
  { platform }: Parts,
  of: {
    readonly load: Load;
    readonly count: number;
    readonly bearers: readonly string[];
    readonly seconds: number;
  },
): Promise<Fired> {
  const { load, bearers } = of;
  let sent = 0;
  const processor = new ProcessorMeter(() => [platform.pid]);
  const began = performance.now();
  // Of a number of requests the tool only says in which second it was done with them.
  let answered = began;
  const onResponse = () => {
    answered = performance.now();
  };
  const result = await autocannon({
    url: platform.url,
    connections: of.count,
    ...(load.amount === undefined ? { duration: of.seconds } : { amount: load.amount }),
    requests: [
      {
        method: 'POST',
        path: `/api/v1/actions/${load.action}`,
        headers: {},
        onResponse,
        setupRequest: (request) => {
          const n = sent++;
          const headers = {
            authorization: `Bearer ${bearers[n % bearers.length]}`,
            'content-type': 'application/json',
          };
          return { ...request, headers, body: JSON.stringify(load.inputOf(n)) };
        },
      },
    ],
  });
  const elapsedSeconds = (answered - began) / 1000;
  if (result.errors > 0 || result.non2xx > 0) {
    throw new Error(`${load.action}: ${result.non2xx} answers were refusals, ${result.errors} failed`);
  }
  const { p50, p99 } = result.latency;
  const { total } = result.requests;
  return { perSecond: total / elapsedSeconds, p50, p99, processorMs: processor.readMs() / total };
}

/** As often as it goes, by so many at once. */
async function perSecond(count: number, run: () => Promise<unknown>): Promise<number> {
  const end = performance.now() + seconds * 1000;
  let done = 0;
  const work = async () => {
    while (performance.now() < end) {
      await run();
      done++;
    }
  };
  await Promise.all(Array.from({ length: count }, work));
  return done / seconds;
}

/** Within the scope of an account, as every statement of the product. */
function commitOne({ store, fleet }: Parts): Promise<unknown> {
  return inAccount(store, fleet.accountId, (trx) =>
    sql`
      insert into events (id, account_id, kind, severity, actor, correlation_id, payload)
      values (${uuidv7()}, ${fleet.accountId}, 'bench', 'info', '{}', 'bench', '{}')
    `.execute(trx),
  );
}
