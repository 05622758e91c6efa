// One machine of a fleet is hostile: it has a real identity, speaks the real protocol and lies in every field by turns,
// beside real agents. No other machine loses a packet, sends one outside the lab, or changes its role; the platform stays
// small and answers. `POWERNODE_HOSTILE_FRAMES=10000` is the long form; docs/measurements has its figures.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fleetActions } from '@powernode/core/actions/fleet';
import { sdwanActions } from '@powernode/core/actions/sdwan';
import { pageBytesMax } from '@powernode/core/limits/requests';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkout } from '../../packages/lab/fleet/programs.ts';
import { type Lab, upSpec } from '../../packages/lab/lab.ts';
import { waitFor } from '../../packages/lab/stage/process.ts';
import { toolPath } from '../../packages/lab/stage/run.ts';
import { ownLabFolder, uniqueName } from '../../packages/lab/testing/scene.ts';
import { promisedMs } from '../stage/quiet.ts';

const frames = Number(process.env['POWERNODE_HOSTILE_FRAMES'] ?? 1000);
const seed = Number(process.env['POWERNODE_HOSTILE_SEED'] ?? Date.now() % 2 ** 31);
const honest = ['hub1', 'hub2', 'edge1', 'edge2'] as const;
const rssMaxBytes = 400 * 1024 * 1024;
/** Of `/healthz`. */
const answerMaxMs = 50;
const limitMs = 180_000;

let lab: Lab;
let removeFolder: () => Promise<void>;
let url: string;
let platformPid: number;
let token: string;

beforeAll(async () => {
  removeFolder = await ownLabFolder();
  lab = await upSpec({
    name: uniqueName('liar'),
    platforms: [{ name: 'main' }],
    lans: [{ name: 'flat' }],
    nats: [{ name: 'router', kind: 'cone', lan: 'flat' }],
    hosts: [
      { name: 'hub1', on: 'public', role: 'hub' },
      { name: 'hub2', on: 'public', role: 'hub' },
      { name: 'bad', on: 'public', role: 'hub' },
      { name: 'edge1', on: 'public' },
      { name: 'edge2', on: 'flat' },
    ],
    networks: [{ name: 'town', topology_strategy: 'hub_and_spoke', hosts: [...honest, 'bad'] }],
  });
  const [platform] = (await lab.status()).platforms;
  url = platform?.url ?? '';
  platformPid = platform?.pid ?? 0;
  token = readFileSync(platform?.token_file ?? '', 'utf8').trim();
});

afterAll(async () => {
  await lab?.down();
  await removeFolder();
});

/** Counts what leaves a host for places that are not in the lab. */
async function watchStrays(host: string): Promise<void> {
  const blocks = (family: '4' | '6') =>
    lab.plan.segments.flatMap((segment) => segment[`prefix${family}`] ?? []).join(', ');
  const ruleset = `
    table inet labwatch {
      counter strays { }
      chain leaving {
        type filter hook postrouting priority 300; policy accept;
        ip daddr { ${blocks('4')}, 100.64.0.0/10 } accept
        ip6 daddr { ${blocks('6')}, fd00::/8, fe80::/10, ff02::/16 } accept
        oifname "lo" meta l4proto != udp accept
        counter name strays
      }
    }`;
  const done = await lab.exec(host, { program: 'nft', args: ['-f', '-'], input: ruleset });
  if (done.exitCode !== 0) throw new Error(done.stderr);
}

async function strays(host: string): Promise<number> {
  const { stdout } = await lab.exec(host, {
    program: 'nft',
    args: ['list', 'counter', 'inet', 'labwatch', 'strays'],
  });
  return Number(/packets (\d+)/.exec(stdout)?.[1] ?? Number.NaN);
}

async function roles(): Promise<Map<string, string>> {
  const { peers } = await (await lab.platform('main'))(sdwanActions.listPeers, { limit: 500 });
  return new Map(
    peers
      .filter(({ hostname }) => hostname !== 'bad')
      .map((peer) => [peer.hostname, `${peer.role} ${peer.publicly_reachable} ${peer.endpoint_address}`]),
  );
}

async function honestPairs() {
  const { hosts } = await lab.status();
  const addressOf = new Map(hosts.map((host) => [host.name, host.overlay_addresses[0] ?? '']));
  return honest.flatMap((from) =>
    honest.filter((to) => to !== from).map((to) => ({ from, to, address: addressOf.get(to) ?? '' })),
  );
}

/** Since its agent ended, the hub answers no probe: nobody's packets go by it any more. */
async function leftAlone(): Promise<void> {
  const call = await lab.platform('main');
  let instead: string[] = [];
  await waitFor(
    { what: 'everybody to use honest hubs', limitMs, instead: () => instead.join('; ') },
    async () => {
      const { peers } = await call(sdwanActions.listPeers, { limit: 500 });
      const bad = peers.find(({ hostname }) => hostname === 'bad');
      const users = peers.filter((peer) => peer.via_hub_peer_id === bad?.id && peer.id !== bad?.id);
      const { instances } = await call(fleetActions.listInstances, { limit: 500 });
      const uncalm = instances.filter((one) => one.hostname !== 'bad' && !(one.connected && one.in_sync));
      instead = [
        ...users.map(({ hostname, path: way }) => `${hostname} (${way}) goes by bad`),
        ...uncalm.map(({ hostname, connected, applied_revision, desired_revision }) => {
          return `${hostname}: connected ${connected}, applied ${applied_revision} of ${desired_revision}`;
        }),
      ];
      return instead.length === 0;
    },
  );
}

interface Watched {
  rssMaxBytes: number;
  readonly healthMs: number[];
  /** Of the same answers: without the time in which the platform or this program could run and no processor was free. */
  readonly ownMs: number[];
  /** For each second. */
  readonly loopMs: number[];
  failures: number;
}

/** The longest delay of the platform's event loop since this was last asked. An answer can be late without one. */
async function loopDelayMs(): Promise<number> {
  const headers = { authorization: `Bearer ${token}` };
  const text = await (await fetch(`${url}/metrics`, { headers })).text();
  return Number(/^nodejs_eventloop_lag_max_seconds (\S+)$/m.exec(text)?.[1]) * 1000;
}

/**
 * How long the main thread of a process could run and waited for a processor, since it began: the second figure of
 * `/proc/PID/schedstat`, in nanoseconds (Linux, Documentation/scheduler/sched-stats.rst).
 */
function waitedMs(pid: number): number {
  const [, waitedNs = ''] = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ');
  return Number(waitedNs) / 1e6;
}

/** Looks at the platform until told to stop: its memory, and whether it answers. */
function watchPlatform(): { readonly seen: Watched; stop(): Promise<void> } {
  const seen: Watched = { rssMaxBytes: 0, healthMs: [], ownMs: [], loopMs: [], failures: 0 };
  let over = false;
  const look = async (): Promise<void> => {
    await loopDelayMs();
    let askedMs = performance.now();
    while (!over) {
      if (performance.now() - askedMs >= 1000) {
        askedMs = performance.now();
        seen.loopMs.push(await loopDelayMs());
      }
      const text = readFileSync(`/proc/${platformPid}/status`, 'utf8');
      seen.rssMaxBytes = Math.max(seen.rssMaxBytes, Number(/VmRSS:\s+(\d+)/.exec(text)?.[1]) * 1024);
      const waited = () => waitedMs(platformPid) + waitedMs(process.pid);
      const waitedBeforeMs = waited();
      const startedMs = performance.now();
      const isWell = await fetch(`${url}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      );
      const tookMs = performance.now() - startedMs;
      if (isWell) {
        seen.healthMs.push(tookMs);
        seen.ownMs.push(tookMs - (waited() - waitedBeforeMs));
      } else seen.failures++;
      await pause(50);
    }
  };
  const looking = look();
  return {
    seen,
    stop: () => {
      over = true;
      return looking;
    },
  };
}

interface LiarReport {
  readonly sent: number;
  readonly streams: number;
  readonly refusals: number;
  readonly closes: Readonly<Record<string, number>>;
}

function lie(): Promise<LiarReport> {
  const identity = path.join(lab.environment('bad')['POWERNODE_STATE_DIR'] ?? '', 'identity.json');
  const program = path.join(checkout, 'suites/e2e/hostile-node/liar-main.ts');
  const { program: command, args } = lab.command('bad', {
    program: process.execPath,
    args: [program, identity, String(frames), String(seed)],
  });
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, PATH: toolPath },
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += String(chunk);
  });
  return new Promise((resolve, reject) => {
    child.once('close', (code) => {
      if (code === 0) resolve(JSON.parse(text) as LiarReport);
      else reject(new Error(`the liar ended with ${code}: ${text}`));
    });
  });
}

function spread(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const [p50, p99, max] = [0.5, 0.99, 1].map((share) => {
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]?.toFixed(1);
  });
  const late = sorted.filter((ms) => ms > 50).length;
  return `${sorted.length} times, median ${p50} ms, 99 % ${p99} ms, longest ${max} ms, over 50 ms ${late}`;
}

test(`a machine that lies in ${frames} frames costs nobody else anything [9.6]`, {
  timeout: 1_200_000,
}, async () => {
  await lab.killAgent('bad');
  await leftAlone();
  const rolesBefore = await roles();
  for (const host of honest) await watchStrays(host);
  const watches = await Promise.all(
    honest.map(async (host) => ({ host, seen: await lab.watchRoutes(host) })),
  );
  const pings = await lab.startPings({ pairs: await honestPairs() });
  const watch = watchPlatform();

  const report = await lie();

  await watch.stop();
  const flows = await pings.stop();
  await Promise.all(watches.map(({ seen }) => seen.stop()));
  const moved = watches.map(({ host, seen }) => `${host}: ${seen.changes.join(', ')}`).join('\n');
  const { seen } = watch;
  const megabytes = Math.round(seen.rssMaxBytes / 1024 / 1024);
  process.stdout.write(
    `hostile node: seed ${seed}, ${JSON.stringify(report)}; platform ${megabytes} MB; healthz ` +
      `${spread(seen.healthMs)}; without waiting for a processor ${spread(seen.ownMs)}; delay of the event loop by seconds ${spread(seen.loopMs)}; pings ${flows.reduce((sum, one) => sum + one.sent, 0)}\n`,
  );

  expect(report.sent, `seed ${seed}`).toBe(frames);
  expect(
    flows.filter(({ lost }) => lost > 0),
    `routes that moved meanwhile\n${moved}`,
  ).toEqual([]);
  for (const flow of flows) expect(flow.sent).toBeGreaterThan(100);
  for (const host of honest) expect(await strays(host), `packets of ${host} outside the lab`).toBe(0);
  expect(await roles()).toEqual(rolesBefore);
  expect(seen.failures).toBe(0);
  expect(seen.rssMaxBytes).toBeLessThan(rssMaxBytes);
  expect(Math.max(...seen.ownMs)).toBeLessThan(promisedMs(answerMaxMs));

  // What it has left behind is small, and says what it is.
  const call = await lab.platform('main');
  const list = await call(fleetActions.listInstances, { limit: 500 });
  expect(JSON.stringify(list).length).toBeLessThan(pageBytesMax);
  const { events } = await call(fleetActions.recentEvents, { limit: 500 });
  expect(JSON.stringify(events).length).toBeLessThan(pageBytesMax * 1.1);
  for (const instance of list.instances) {
    if (instance.hostname !== 'bad') expect(instance.connected, instance.hostname).toBe(true);
  }
});
