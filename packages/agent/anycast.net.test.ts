// An anycast address with three holders at different distances, between real agents: two hubs, the holders, and a client.
// First with static routes, then with iBGP. Needs root, and FRR for the second half. Prints what it measured.
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { VirtualIpModel } from '@powernode/core/compile/model';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Fleet, until } from './fixtures/agents.ts';
import type { Call } from './fixtures/caller-main.ts';
import { addressOf } from './fixtures/documents.ts';
import { Overlay } from './fixtures/overlay.ts';
import { promisedMs } from './fixtures/quiet.ts';
import { SlowPath } from './fixtures/slow-path.ts';

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
const hasFrr = existsSync('/usr/lib/frr/bgpd');
const address = 'fd00:99::f0';
const port = 8080;
const hubs = ['hub1', 'hub2'];
const holders = ['near', 'middle', 'far'] as const;
type Holder = (typeof holders)[number];
/** What the product promises (issue: a holder whose health check fails leaves within a second). */
const promisedLeaveMs = promisedMs(1_000);

describe.skipIf(!isRoot)('three holders of an anycast address', () => {
  const fleet = new Fleet();
  const slow = new Map<Holder, SlowPath>();
  const services = new Map<Holder, ChildProcess>();
  const calls: Call[] = [];
  let overlay: Overlay;
  let caller: ChildProcess;
  const host = (name: string) => fleet.member(name).host;

  beforeAll(async () => {
    await fleet.start([...hubs, ...holders, 'client']);
    const places = hubs.map((name) => `198.18.200.${fleet.number(name) + 1}`);
    for (const [i, name] of holders.entries()) {
      const path = await SlowPath.start(host(name), places);
      path.roundTrip(8 + 25 * i);
      slow.set(name, path);
      await startService(name);
    }
    overlay = new Overlay(fleet, { hubs, spokes: [...holders, 'client'] });
    overlay.setItem(virtualIp());
    await overlay.apply();
    caller = host('client').spawn(process.execPath, [fixture('caller-main.ts'), address, String(port)]);
    if (caller.stdout === null) throw new Error('the caller has no output');
    createInterface({ input: caller.stdout }).on('line', (line) => calls.push(JSON.parse(line) as Call));
  });
  afterAll(() => fleet.end());

  function fixture(name: string): string {
    return path.join(import.meta.dirname, 'fixtures', name);
  }

  /** The holders, in an order in which the farthest would be the first. */
  function virtualIp(): VirtualIpModel {
    return {
      type: 'virtual_ip',
      id: '01890000-0000-7000-8000-00000000f0f0',
      networkId: overlay.networkId,
      addresses: [address],
      anycast: true,
      candidates: holders.map((name) => overlay.peerId(name)).reverse(),
      holder: null,
      epoch: 1,
      healthCheck: { protocol: 'tcp', port, interval_ms: 200, fall: 3, rise: 2 },
    };
  }

  async function startService(name: Holder): Promise<void> {
    const child = host(name).spawn(process.execPath, [fixture('greeter-main.ts'), String(port), name]);
    await new Promise<void>((resolve) => child.stdout?.once('data', () => resolve()));
    services.set(name, child);
  }

  async function stopService(name: Holder): Promise<void> {
    const pids = await host(name).must('pgrep', '--full', 'greeter-main.ts');
    await host(name).must('kill', '-KILL', ...pids.trim().split('\n'));
  }

  /** Waits until so many calls in a row have been answered by that holder. */
  async function answeredBy(name: Holder, sinceMs = 0): Promise<void> {
    await until(async () => {
      const last = calls.filter(({ beganMs }) => beganMs >= sinceMs).slice(-20);
      return last.length === 20 && last.every(({ by }) => by === name);
    });
  }

  /** The time from then until a call began that was answered by another holder. */
  function movedAfterMs(sinceMs: number, from: Holder): number {
    const moved = calls.find(({ beganMs, by }) => beganMs >= sinceMs && by !== null && by !== from);
    return (moved?.beganMs ?? Number.POSITIVE_INFINITY) - sinceMs;
  }

  /** Connections that are open when another holder is used end with that. Those that begin after it are all answered. */
  function expectAnswered(sinceMs: number): void {
    const settledMs = sinceMs + promisedMs(200);
    expect(calls.filter(({ beganMs, by }) => beganMs >= settledMs && by === null)).toEqual([]);
  }

  async function leavesAndReturns(mode: string): Promise<void> {
    await answeredBy('near');
    const stoppedMs = Date.now();
    await stopService('near');
    await answeredBy('middle', stoppedMs);
    const leftMs = movedAfterMs(stoppedMs, 'near');
    const failed = calls.filter(({ beganMs, by }) => beganMs >= stoppedMs && by === null).length;
    expectAnswered(stoppedMs + leftMs);
    const startedMs = Date.now();
    await startService('near');
    await answeredBy('near', startedMs);
    const backMs = movedAfterMs(startedMs, 'middle');
    const lost = calls.filter(({ beganMs, by }) => beganMs >= startedMs && by === null).length;
    console.log(
      `${mode}: the service of the nearest holder stopped: left after ${leftMs} ms (${failed} calls every 10 ms failed); ` +
        `started: back after ${backMs} ms (${lost} calls failed)`,
    );
    expect(leftMs).toBeLessThan(promisedLeaveMs);
    expectAnswered(startedMs + backMs);
  }

  async function dies(mode: string): Promise<void> {
    await answeredBy('near');
    const cutMs = Date.now();
    await host('near').must('ip', 'link', 'set', 'eth0', 'down');
    await answeredBy('middle', cutMs);
    const leftMs = movedAfterMs(cutMs, 'near');
    await host('near').must('ip', 'link', 'set', 'eth0', 'up');
    await answeredBy('near', Date.now());
    console.log(`${mode}: the nearest holder is cut off: left after ${leftMs} ms`);
    expect(leftMs).toBeLessThan(promisedLeaveMs);
  }

  async function nearest(mode: string): Promise<void> {
    await answeredBy('near');
    slow.get('near')?.roundTrip(100);
    const fartherMs = Date.now();
    await answeredBy('middle', fartherMs);
    const movedMs = movedAfterMs(fartherMs, 'near');
    expectAnswered(fartherMs + movedMs);
    slow.get('near')?.roundTrip(8);
    await answeredBy('near', Date.now());
    const failed = calls.filter(({ beganMs, by }) => beganMs >= fartherMs && by === null).length;
    console.log(
      `${mode}: the nearest holder became the farthest: another one is used after ${movedMs} ms; ` +
        `there and back, ${failed} calls every 10 ms failed`,
    );
  }

  /** What an agent has said last of the health of its service. */
  const healthSaidBy = (name: string) =>
    fleet.platform.said
      .flatMap(({ hostname, message }) =>
        hostname === name && message.kind === 'observed' ? (message.virtual_ip_health ?? []) : [],
      )
      .at(-1);

  test('static: the nearest is used, and the platform is told that its service is healthy', async () => {
    await answeredBy('near');
    for (const name of holders) await until(async () => healthSaidBy(name)?.health === 'healthy');
  });

  test('static: a holder that becomes farther is left', () => nearest('static'));

  test('static: a holder whose service stops leaves, and returns', async () => {
    await leavesAndReturns('static');
    expect(healthSaidBy('near')).toMatchObject({ health: 'healthy', last_error: null });
  });

  test('static: a holder that is cut off is left', () => dies('static'));

  test('static: when all services have stopped, the nearest holder is asked and refuses', async () => {
    for (const name of holders) await stopService(name);
    for (const name of holders) {
      await until(async () => healthSaidBy(name)?.last_error === 'the connection was refused');
    }
    const sinceMs = Date.now();
    await until(async () => {
      const last = calls.filter(({ beganMs }) => beganMs >= sinceMs).slice(-20);
      return (
        last.length === 20 &&
        last.every(({ by, beganMs, endedMs }) => by === null && endedMs - beganMs < 1_000)
      );
    });
    for (const name of holders) await startService(name);
    await answeredBy('near');
  });

  describe.skipIf(!hasFrr)('with iBGP', () => {
    const table = `vtysh --vty_socket /run/powernode-frr/*/bgpd-* -d bgpd -c 'show bgp ipv6 unicast ${address}/128 json'`;

    interface ShownPath {
      readonly nexthops: readonly { readonly ip: string }[];
    }

    /** Whether a hub's bgpd has a path from that holder. */
    async function announces(name: Holder): Promise<boolean> {
      const { code, stdout } = await host('hub1').run('sh', '-c', table);
      if (code !== 0) return false;
      const { paths = [] } = JSON.parse(stdout) as { readonly paths?: readonly ShownPath[] };
      const from = addressOf(fleet.number(name));
      return paths.some(({ nexthops }) => nexthops.some(({ ip }) => ip === from));
    }

    test('all holders announce it, and the nearest is used', async () => {
      const beganMs = Date.now();
      overlay.asNumber = 65_010;
      await overlay.apply();
      for (const name of holders) await until(() => announces(name));
      await answeredBy('near');
      expect(calls.filter((call) => call.beganMs >= beganMs && call.by === null)).toEqual([]);
    });

    test('a holder that becomes farther is left', () => nearest('iBGP'));

    test('a holder whose service stops withdraws, and announces it again', async () => {
      await leavesAndReturns('iBGP');
      await stopService('near');
      await until(async () => !(await announces('near')));
      expect(await announces('middle')).toBe(true);
      await startService('near');
      await until(() => announces('near'));
    });

    test('a holder that is cut off is left', () => dies('iBGP'));
  });
});
