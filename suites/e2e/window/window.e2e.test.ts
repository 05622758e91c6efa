// Platform and agents of this version beside those of an earlier one: every pairing of them takes changes while packets
// flow, and an upgrade of the platform and of one agent after another loses none. Needs root, and the repository's history.
// POWERNODE_WINDOW_MINUTES=10: so long with changes, in all pairings together.
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sdwanActions } from '@powernode/core/actions/sdwan';
import { pageSizeMax } from '@powernode/core/limits/requests';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { storedVersion } from '../../../packages/agent/state/stored-document.ts';
import { type Lab, type LabSpecInput, type RunningPings, upSpec } from '../../../packages/lab/lab.ts';
import { waitFor } from '../../../packages/lab/stage/process.ts';
import { ownLabFolder, uniqueName } from '../../../packages/lab/testing/scene.ts';
import { Changes } from './changes.ts';
import { buildEarlier, type EarlierPrograms, earlierCommit, hasEarlier } from './earlier.ts';

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
const minutes = Number(process.env['POWERNODE_WINDOW_MINUTES'] ?? '0');
const phases = 3;
/** At least one round of changes in each phase. */
const phaseMs = (minutes * 60_000) / phases;
const limitMs = 120_000;
/** Of 20 pairs. At 10 ms these pings alone take two processors where WireGuard runs in userspace. */
const allPairsIntervalMs = 50;

const members = ['hub1', 'hub2', 'edge1', 'edge2', 'edge3'] as const;
const guest = 'guest';
/** A hub and spokes of each kind. The guest is older too. */
const older = ['hub2', 'edge2', 'edge3'] as const;

const spec = (name: string): LabSpecInput => ({
  name,
  platforms: [{ name: 'main' }],
  lans: [{ name: 'flat' }],
  nats: [{ name: 'router', kind: 'cone', lan: 'flat' }],
  hosts: [
    { name: 'hub1', on: 'public', role: 'hub' },
    { name: 'hub2', on: 'public', role: 'hub' },
    { name: 'edge1', on: 'public' },
    { name: 'edge2', on: 'flat' },
    { name: 'edge3', on: 'public' },
    { name: guest, on: 'public' },
  ],
  networks: [{ name: 'window', topology_strategy: 'hub_and_spoke', hosts: [...members] }],
});

const reason = !isRoot
  ? 'skipped: needs root'
  : hasEarlier()
    ? null
    : `skipped: this copy of the repository has no history, and so no ${earlierCommit.slice(0, 12)}`;

describe.skipIf(reason !== null)(`the window ${reason ?? ''}`, () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'powernode-earlier-'));
  // The database of a platform runs as a user of its own, which has to get through.
  chmodSync(folder, 0o711);
  let earlier: EarlierPrograms;
  let lab: Lab;
  let changes: Changes;
  let removeFolder: () => Promise<void> = async () => undefined;

  beforeAll(async () => {
    earlier = buildEarlier(folder);
    removeFolder = await ownLabFolder();
    const agents = [...older, guest].map((host) => [host, earlier.agent] as const);
    const programs = { main: earlier.platform, ...Object.fromEntries(agents) };
    lab = await upSpec(spec(uniqueName('window')), { programs });
    changes = new Changes(lab, guest);
    await changes.taken();
  }, 300_000);

  afterAll(async () => {
    await lab?.down();
    await removeFolder();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Changes for the time of one phase. */
  async function work(): Promise<void> {
    const until = performance.now() + phaseMs;
    do await changes.round();
    while (performance.now() < until);
  }

  const pingAllPairs = () => lab.startPings({ intervalMs: allPairsIntervalMs });

  /** From each member to the next, every 10 ms. */
  async function pingAround(): Promise<RunningPings> {
    const call = await lab.platform('main');
    const { peers } = await call(sdwanActions.listPeers, { limit: pageSizeMax });
    const pairs = members.map((from, i) => {
      const to = members[(i + 1) % members.length] ?? '';
      return { from, to, address: peers.find(({ hostname }) => hostname === to)?.host_address ?? '' };
    });
    return lab.startPings({ pairs });
  }

  async function losesNothing(
    pings: RunningPings,
    pairs = members.length * (members.length - 1),
  ): Promise<void> {
    const reports = await pings.stop();
    expect(reports).toHaveLength(pairs);
    const losses = reports.filter(({ lost }) => lost > 0);
    expect(losses, losses.map((one) => JSON.stringify(one)).join('\n')).toEqual([]);
    const sent = reports.reduce((sum, one) => sum + one.sent, 0);
    const longest = Math.max(...reports.map((one) => one.longestGapMs));
    process.stdout.write(`${changes.count} changes, ${sent} pings, longest gap ${Math.round(longest)} ms\n`);
  }

  /** What the platform of this version has delivered. */
  async function delivered(): Promise<Record<string, number>> {
    const [platform] = (await lab.status()).platforms;
    const token = readFileSync(platform?.token_file ?? '', 'utf8').trim();
    const headers = { authorization: `Bearer ${token}` };
    const text = await (await fetch(`${platform?.url}/metrics`, { headers })).text();
    const lines = text.matchAll(/^powernode_delivery_total\{what="(\w+)"\} (\d+)/gm);
    return Object.fromEntries(Array.from(lines, ([, what = '', count]) => [what, Number(count)]));
  }

  function stateOf(host: string): { version?: number } {
    const state = lab.environment(host)['POWERNODE_STATE_DIR'] ?? '';
    return JSON.parse(readFileSync(path.join(state, 'document.json'), 'utf8')) as { version?: number };
  }

  const phaseLimitMs = phaseMs + 300_000;

  test(
    'a platform of before serves agents of both',
    async () => {
      const pings = await pingAllPairs();
      await work();
      await losesNothing(pings);
    },
    phaseLimitMs,
  );

  test(
    'it is upgraded and serves both: no document, no packet lost, and changes go on',
    async () => {
      const pings = await pingAllPairs();
      await lab.killPlatform('main');
      await lab.chooseProgram('main', null);
      await lab.startPlatform('main');
      await changes.taken();
      const whole = { documents_sent: 0, resyncs: 0, frames_malformed: 0, frames_unknown: 0 };
      expect(await delivered()).toMatchObject({ ...whole, currents_sent: members.length + 1 });
      await work();
      expect(await delivered()).toMatchObject({ documents_sent: 0, resyncs: 0, frames_malformed: 0 });
      await losesNothing(pings);
    },
    phaseLimitMs,
  );

  test('an agent that is upgraded while its machine and its platform are off starts from its disk', async () => {
    const leave = await changes.attachGuest();
    await lab.killPlatform('main');
    await lab.kill(guest);
    await lab.chooseProgram(guest, null);
    await lab.start(guest);
    const pairs = (members.length + 1) * members.length;
    await waitFor({ what: `${guest} to be reached without a platform`, limitMs }, async () => {
      const results = await lab.matrix();
      return results.every(({ roundTripMs }) => roundTripMs !== null) && results.length === pairs;
    });
    expect(stateOf(guest).version).toBe(storedVersion);
    await lab.startPlatform('main');
    await changes.taken();
    expect(await delivered()).toMatchObject({ documents_sent: 0, resyncs: 0 });
    await leave();
  }, 300_000);

  test(
    'all agents are upgraded one after another: no packet lost, and changes go on',
    async () => {
      const pings = await pingAround();
      for (const host of older) {
        await lab.killAgent(host, 'SIGTERM');
        await lab.chooseProgram(host, null);
        await lab.startAgent(host);
        await changes.taken();
        expect(stateOf(host).version).toBe(storedVersion);
      }
      expect(await delivered()).toMatchObject({ documents_sent: 0, resyncs: 0, frames_malformed: 0 });
      await work();
      await losesNothing(pings, members.length);
    },
    phaseLimitMs,
  );
});
