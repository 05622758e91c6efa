// Hubs that die: while two spokes talk through one, it loses power, is cut off, or goes on to live without forwarding.
// The spokes move by themselves; the flow is back within a second, the TCP stream goes on, and nothing flaps after.
import { setTimeout as pause } from 'node:timers/promises';
import { fleetActions } from '@powernode/core/actions/fleet';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { RouteWatch } from '../../../packages/lab/lab.ts';
import { ownLabFolder, uniqueName } from '../../../packages/lab/testing/scene.ts';
import { type HubFlow, Services, spokes } from '../../../packages/lab/testing/services.ts';
import { type Loss, lossDuring } from '../../../packages/lab/watch/loss.ts';
import { promisedMs } from '../../stage/quiet.ts';

const port = 7007;
const gapMaxMs = promisedMs(1000);
/** How long nothing may flap after a hub has died; ten minutes are measured by setting it to 600. */
const calmMs = Number(process.env['POWERNODE_CALM_SECONDS'] ?? '12') * 1000;
const timeout = 300_000 + calmMs;

let services: Services;
let removeFolder: () => Promise<void>;

beforeAll(async () => {
  removeFolder = await ownLabFolder();
  services = await Services.up(uniqueName('hubs'), (line) => console.log(line));
});

afterAll(async () => {
  await services?.lab.down();
  await removeFolder();
});

/** What the flow loses while its hub has that trouble, with a service at its far end. */
async function trouble(cause: (flow: HubFlow) => Promise<void>): Promise<{ flow: HubFlow; loss: Loss }> {
  // Where a hub is held back still, because it has died before, another one is in use.
  await services.healed();
  const flow = await vi.waitFor(() => services.flowThroughHub(), { timeout: 60_000, interval: 500 });
  const service = await services.lab.serve(flow.to, { tcp: [{ address: flow.address, port }] });
  const loss = await lossDuring(services.lab, { ...flow, port }, () => cause(flow));
  await service.end();
  const { longestGapMs, lost } = loss.ping;
  console.log(`${flow.from} to ${flow.to} through ${flow.hub}: gap ${longestGapMs} ms, ${lost} pings lost,`);
  console.log(`stream gap ${loss.stream?.longest_gap_ms} ms`);
  return { flow, loss };
}

function expectSurvived(loss: Loss): void {
  expect(loss).toMatchObject({ recovered: true, stream: { ended: null } });
  expect(loss.ping.longestGapMs).toBeLessThan(gapMaxMs);
}

/** No spoke changes a route. */
async function expectCalm(): Promise<void> {
  const watches = new Map<string, RouteWatch>();
  for (const host of spokes) watches.set(host, await services.lab.watchRoutes(host));
  await pause(calmMs);
  const moved = [...watches].map(([host, { changes }]) => [host, [...changes]] as const);
  for (const watch of watches.values()) await watch.stop();
  expect(moved.filter(([, changes]) => changes.length > 0)).toEqual([]);
}

test('the hub in use loses power', { timeout }, async () => {
  await services.atRest();
  const { flow, loss } = await trouble(({ hub }) => services.lab.kill(hub));
  await expectCalm();
  await services.lab.start(flow.hub);
  expectSurvived(loss);
});

test('the hub in use is cut off from everyone', { timeout }, async () => {
  await services.atRest();
  const { loss } = await trouble(({ hub }) => services.lab.partition([hub]));
  await expectCalm();
  await services.lab.unite();
  expectSurvived(loss);
});

test('the hub in use is alive, but forwards nothing', { timeout }, async () => {
  await services.atRest();
  const { flow, loss } = await trouble(({ hub }) => services.lab.breakForwarding(hub));
  await expectCalm();
  await services.lab.repairForwarding(flow.hub);
  expectSurvived(loss);
});

test('only the path of one spoke to its hub is cut', async () => {
  const { flow, loss } = await trouble(({ from, hub }) => services.lab.cut({ a: from, b: hub }));
  await services.lab.heal({ a: flow.from, b: flow.hub });
  expectSurvived(loss);
});

test('the agent of the hub in use is killed', async () => {
  const { flow, loss } = await trouble(({ hub }) => services.lab.killAgent(hub));
  await services.lab.startAgent(flow.hub);
  expectSurvived(loss);
});

test('the hub in use is drained: everything has moved, and not a packet is lost', async () => {
  const { flow, loss } = await trouble(async ({ hub, from, address }) => {
    const { node_instance_id } = await services.peer(hub);
    await services.call(fleetActions.drainInstance, { instance_id: node_instance_id, approve: true });
    await expect.poll(() => services.hubTowards(from, address), { timeout: 30_000 }).not.toBe(hub);
  });
  expect(loss).toMatchObject({ recovered: true, ping: { lost: 0 }, stream: { ended: null } });
  const { node_instance_id } = await services.peer(flow.hub);
  await services.call(fleetActions.drainInstance, {
    instance_id: node_instance_id,
    drain: false,
    approve: true,
  });
});

test('a prober that is starved moves nothing', async () => {
  await services.atRest();
  const flow = await services.flowThroughHub();
  const pid = services.lab.agentPid(flow.from) ?? 0;
  const watch = await services.lab.watchRoutes(flow.from);
  const loss = await lossDuring(services.lab, flow, async () => {
    process.kill(pid, 'SIGSTOP');
    await pause(1500);
    process.kill(pid, 'SIGCONT');
  });
  expect(loss.ping.lost).toBe(0);
  expect([...watch.changes]).toEqual([]);
  await watch.stop();
});
