// Watching a bgpd that is not there: what is asked when, and what is told.
import { frrErrorsMs, frrMovingMs, frrObserveMovingMs, frrObserveMs } from '@powernode/core/limits/agent';
import { expect, onTestFinished, test } from 'vitest';
import { FakeClock } from '../../ports/clock.fixture.ts';
import { FakeDaemon } from './fake-daemon.fixture.ts';
import { type BgpDifference, BgpObserver } from './observe.ts';
import { Vty } from './vty.ts';

const summary = (family: string) => `show bgp ${family} unicast summary json`;
const table = (family: string) => `show bgp ${family} unicast json`;
const neighbors = 'show bgp neighbors json';

function tell(
  daemon: FakeDaemon,
  version: number,
  routes: Readonly<Record<string, string>>,
  state = 'Established',
) {
  const peers = { 'fd00:1::2': { state, pfxRcd: 1, connectionsEstablished: 1, connectionsDropped: 0 } };
  const rows = Object.entries(routes).map(([prefix, ip]) => [
    prefix,
    [{ valid: true, bestpath: true, peerId: ip, nexthops: [{ ip, used: true }] }],
  ]);
  daemon.answers.set(summary('ipv4'), '{}');
  daemon.answers.set(table('ipv4'), '{}');
  daemon.answers.set(summary('ipv6'), JSON.stringify({ tableVersion: version, peers }));
  daemon.answers.set(
    table('ipv6'),
    JSON.stringify({ tableVersion: version, routes: Object.fromEntries(rows) }),
  );
  daemon.answers.set(neighbors, JSON.stringify({ 'fd00:1::2': { bgpState: state, bgpTimerUpMsec: 5000 } }));
}

async function watch() {
  const daemon = await new FakeDaemon().start();
  const clock = new ObserverClock();
  const vty = new Vty({ path: daemon.path, daemon: 'bgpd', clock });
  const told: BgpDifference[] = [];
  const observer = new BgpObserver({ vty, clock, changed: (difference) => told.push(difference) });
  onTestFinished(async () => {
    observer.stop();
    vty.close();
    await daemon.end();
  });
  /** Lets the observer look once more. */
  const look = async (afterMs = frrObserveMs) => {
    const from = daemon.log.length;
    const { looks } = clock;
    await clock.advance(afterMs);
    await expect.poll(() => clock.looks, { interval: 2 }).toBeGreaterThan(looks);
    return daemon.log.slice(from);
  };
  /** Until the first look is over. */
  const looked = () => expect.poll(() => clock.looks, { interval: 2 }).toBeGreaterThan(0);
  return { daemon, clock, told, observer, look, looked };
}

/** Counts how often the observer has looked and waits for its next turn. */
class ObserverClock extends FakeClock {
  looks = 0;

  override after(delayMs: number, fire: () => void): () => void {
    if (delayMs === frrObserveMs || delayMs === frrObserveMovingMs) this.looks++;
    return super.after(delayMs, fire);
  }
}

test('tells everything at first, and later what is new, changed or gone', async () => {
  const { daemon, told, observer, look } = await watch();
  tell(daemon, 1, { 'fd00:a::/64': 'fd00:1::2', 'fd00:b::/64': 'fd00:1::2' });
  observer.start();
  await expect.poll(() => told.length).toBe(1);
  expect([...(told[0]?.best.keys() ?? [])]).toEqual(['fd00:a::/64', 'fd00:b::/64']);
  expect(told[0]?.sessions).toMatchObject([
    { neighbor: 'fd00:1::2', state: 'Established', uptimeSeconds: 5 },
  ]);
  tell(daemon, 2, { 'fd00:a::/64': 'fd00:1::2', 'fd00:c::/64': 'fd00:1::2' });
  await look();
  expect(told[1]).toMatchObject({ reachable: true, bestGone: ['fd00:b::/64'], sessions: [] });
  expect([...(told[1]?.best.keys() ?? [])]).toEqual(['fd00:c::/64']);
  expect(observer.best('fd00:c::/64')?.nextHops).toEqual(['fd00:1::2']);
  expect(observer.best('fd00:b::/64')).toBeUndefined();
});

test('asks for tables and sessions only when the summary moved', async () => {
  const { daemon, told, observer, look, looked } = await watch();
  tell(daemon, 1, { 'fd00:a::/64': 'fd00:1::2' });
  observer.start();
  await expect.poll(() => told.length).toBe(1);
  await looked();
  expect(await look(frrObserveMovingMs)).toEqual([summary('ipv4'), summary('ipv6')]);
  tell(daemon, 1, { 'fd00:a::/64': 'fd00:1::2' }, 'Active');
  expect(await look(frrObserveMovingMs)).toEqual([summary('ipv4'), summary('ipv6'), neighbors]);
  expect(told[1]?.sessions).toMatchObject([{ state: 'Active', uptimeSeconds: null }]);
  tell(daemon, 2, { 'fd00:a::/64': 'fd00:1::3' }, 'Active');
  expect(await look(frrObserveMovingMs)).toEqual([summary('ipv4'), summary('ipv6'), table('ipv6')]);
  // Errors may change where nothing else does.
  const from = daemon.log.length;
  for (let waited = 0; waited <= frrErrorsMs; waited += frrObserveMs) await look();
  expect(daemon.log.slice(from).filter((command) => command === neighbors)).toHaveLength(1);
  expect(told).toHaveLength(3);
});

test('looks more often while something moves', async () => {
  const { daemon, told, observer, look, looked } = await watch();
  tell(daemon, 1, {});
  observer.start();
  await expect.poll(() => told.length).toBe(1);
  await looked();
  let looks = 0;
  for (let waited = 0; waited < frrMovingMs; waited += frrObserveMovingMs, looks++) {
    await look(frrObserveMovingMs);
  }
  expect(looks).toBe(frrMovingMs / frrObserveMovingMs);
  // Then no more: the next look comes after the longer pause.
  const from = daemon.log.length;
  await expect.poll(() => daemon.log.length).toBe(from);
  await look(frrObserveMs);
});

test('keeps what it knew of a bgpd that died, and tells what differs in the next one', async () => {
  const { daemon, told, observer, look, clock, looked } = await watch();
  tell(daemon, 7, { 'fd00:a::/64': 'fd00:1::2', 'fd00:b::/64': 'fd00:1::2' });
  observer.start();
  await expect.poll(() => told.length).toBe(1);
  await looked();
  await daemon.kill();
  await clock.advance(frrObserveMs);
  await expect.poll(() => told.length).toBe(2);
  expect(told[1]).toMatchObject({ reachable: false, bestGone: [], sessionsGone: [] });
  expect(observer.best('fd00:a::/64')).toBeDefined();
  await clock.advance(frrObserveMs);
  // The same version, of another process.
  tell(daemon, 7, { 'fd00:a::/64': 'fd00:1::2' });
  await daemon.start();
  await look();
  expect(told.at(-1)).toMatchObject({ reachable: true, bestGone: ['fd00:b::/64'] });
  expect(told.at(-1)?.best.size).toBe(0);
});

test('tells nothing after it was stopped', async () => {
  const { daemon, told, observer, clock } = await watch();
  tell(daemon, 1, {});
  observer.start();
  observer.stop();
  await clock.advance(10 * frrObserveMs);
  // Whatever was asked before is answered or lost by now.
  await daemon.kill();
  await clock.advance(frrObserveMs);
  expect(told).toEqual([]);
});
