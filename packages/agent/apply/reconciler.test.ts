// What the agent does and says as documents come, machines refuse and people meddle. Time is the test's.
import { agentApplyRoundsMax } from '@powernode/core/limits/agent';
import type { EntryValue } from '@powernode/core/wire/document';
import { beforeEach, describe, expect, test } from 'vitest';
import { networkId, peerOf, spokeDocument } from '../fixtures/documents.ts';
import type { Drift } from '../observe/drift.ts';
import type { FakeClock } from '../ports/clock.fixture.ts';
import { nothingObserved } from '../subsystems/observed.ts';
import type { Problem } from '../subsystems/problem.ts';
import type { ModelMachine } from './model-machine.fixture.ts';
import { held, hub, hubKey, onePeer, otherKey, spokeKey, startReconciler } from './reconciler.fixture.ts';
import { Reconciler } from './reconciler.ts';

let clock: FakeClock;
let machine: ModelMachine;
let applied: number[];
let failed: Problem[][];
let drift: Drift[];
let reconciler: Reconciler;

beforeEach(() => {
  ({ clock, machine, applied, failed, drift, reconciler } = startReconciler());
});

const twoPeers = peerOf({ interface: 'wg-test', number: 3, publicKey: otherKey });

describe('a document', () => {
  test('is applied, read back and only then acknowledged', async () => {
    reconciler.apply(held(1, hub), 'all');
    await clock.advance(0);
    expect(applied).toEqual([1]);
    expect(machine.took()).toEqual([
      'look',
      'set_ruleset forwarding',
      'create_interface interface/wg-test',
      'prepare_interface interface/wg-test',
      'set_device interface/wg-test',
      'add_address interface/wg-test',
      'set_link interface/wg-test',
      'set_route route/fd00:99::/64',
      'start_forwarding forwarding',
      'look',
    ]);
  });

  test('that is as the machine is costs one look and is acknowledged', async () => {
    reconciler.apply(held(1, hub), 'all');
    await clock.advance(0);
    machine.took();
    reconciler.apply(held(2, hub), 'all');
    await clock.advance(0);
    expect(applied).toEqual([1, 2]);
    expect(machine.took()).toEqual(['look']);
  });

  test('with one peer more costs one write and one look at that peer', async () => {
    reconciler.apply(held(1, hub), 'all');
    await clock.advance(0);
    machine.took();
    reconciler.apply(held(2, [...hub, onePeer]), new Set([`peer/wg-test/${spokeKey}`]));
    await clock.advance(0);
    expect(machine.took()).toEqual([`set_peer peer/wg-test/${spokeKey}`, 'look wg-test (1)']);
    expect(applied).toEqual([1, 2]);
  });

  test('that changes nothing but its revision is acknowledged without touching the machine', async () => {
    reconciler.apply(held(1, hub), 'all');
    await clock.advance(0);
    machine.took();
    reconciler.apply(held(2, hub), new Set());
    await clock.advance(0);
    expect(applied).toEqual([1, 2]);
    expect(machine.took()).toEqual([]);
  });

  test('is acknowledged though the next one came while it was applied', async () => {
    reconciler.apply(held(1, hub), 'all');
    reconciler.apply(held(2, [...hub, onePeer]), new Set([`peer/wg-test/${spokeKey}`]));
    reconciler.apply(held(3, [...hub, onePeer, twoPeers]), new Set([`peer/wg-test/${otherKey}`]));
    await clock.advance(0);
    expect(applied).toEqual([1, 3]);
    expect(machine.kernel.seen.interfaces.get('wg-test')?.device?.peers.size).toBe(2);
  });
});

describe('a failure', () => {
  test('is told with what the machine said, and tried again until it works', async () => {
    machine.refuses = (step) => (step.kind === 'set_link' ? 'Address already in use' : null);
    reconciler.apply(held(1, hub), 'all');
    await clock.advance(0);
    expect(failed[0]?.[0]).toMatchObject({
      code: 'addresses_failed',
      interface: 'wg-test',
      detail: 'Interface wg-test could not be brought up: Address already in use',
    });
    expect(applied).toEqual([]);
    expect(reconciler.applied).toBeNull();
    await clock.advance(499);
    expect(failed).toHaveLength(1);
    await clock.advance(1);
    expect(failed).toHaveLength(2);
    machine.refuses = () => null;
    await clock.advance(1000);
    expect(applied).toEqual([1]);
  });

  test('is tried again less and less often, and at once when a new document comes [9.38]', async () => {
    machine.lookFails = new Error('no such tool');
    reconciler.apply(held(1, hub), 'all');
    await clock.advance(120_000);
    // An error of the agent's own is called one, and is in the log with its stack.
    expect(failed[0]?.[0]).toMatchObject({
      subsystem: 'agent',
      code: 'agent_error',
      cause: expect.any(Error),
    });
    // 0.5, 1, 2, 4, 8, 16, and then every 30 seconds.
    expect(failed.length).toBeGreaterThanOrEqual(8);
    expect(failed.length).toBeLessThanOrEqual(11);
    machine.lookFails = null;
    reconciler.apply(held(2, hub), new Set());
    await clock.advance(0);
    expect(applied).toEqual([2]);
  });

  test('of one interface does not keep the others from being made', async () => {
    machine.refuses = (step) => (step.kind === 'set_device' && step.name === 'wg-test-1' ? 'no key' : null);
    const hubs = [{ number: 1, slot: 1, publicKey: hubKey, endpoint: '203.0.113.1:51820' }];
    reconciler.apply(held(1, spokeDocument(2, spokeKey, hubs)), 'all');
    await clock.advance(0);
    expect(failed).toHaveLength(1);
    expect(machine.kernel.seen.interfaces.get('wg-test')?.addresses).toEqual(['fd00:99::102/128']);
  });

  test('is also when the machine takes every step and does not become the document', async () => {
    machine.ignores = (step) => step.kind === 'prepare_interface';
    reconciler.apply(held(1, hub), 'all');
    await clock.advance(0);
    expect(applied).toEqual([]);
    expect(failed[0]?.[0]?.detail).toContain('wg-test had lost its mark');
    expect(failed[0]?.[0]?.code).toBe('not_converging');
  });

  test('of what cannot be done is told too when everything else is done with the last try', async () => {
    let tries = 0;
    machine.ignores = (step) => step.kind === 'prepare_interface' && ++tries < agentApplyRoundsMax;
    const nowhere = peerOf({ interface: 'wg-test', number: 2, publicKey: spokeKey, endpoint: 'nowhere' });
    reconciler.apply(held(1, [...hub, nowhere]), 'all');
    await clock.advance(0);
    expect(tries).toBe(agentApplyRoundsMax);
    expect(applied).toEqual([]);
    expect(failed[0]?.[0]?.detail).toContain('which is not address:port');
  });
});

describe('drift', () => {
  beforeEach(async () => {
    reconciler.apply(held(1, [...hub, onePeer]), 'all');
    await clock.advance(30_000);
    machine.took();
  });

  test('is found by the next audit, told with its key, and repaired', async () => {
    const before = machine.kernel.seen;
    machine.tamper((seen) => ({ ...seen, interfaces: new Map(), routes: new Map() }));
    await clock.advance(5_500);
    expect(drift.map((one) => one.key)).toEqual([
      'interface/wg-test',
      'interface/wg-test',
      'interface/wg-test',
      `peer/wg-test/${spokeKey}`,
      'interface/wg-test',
      'interface/wg-test',
      'route/fd00:99::/64',
    ]);
    expect(machine.kernel.seen.interfaces.get('wg-test')?.device?.peers.size).toBe(1);
    expect(machine.kernel.seen.routes).toEqual(before.routes);
    expect(applied).toEqual([1]);
    expect(failed).toEqual([]);
  });

  test('is found at once when somebody says that something happened', async () => {
    machine.tamper((seen) => ({ ...seen, ruleset: null, forwarding: nothingObserved.forwarding }));
    reconciler.auditSoon();
    await clock.advance(0);
    expect(drift.map((one) => one.detail)).toEqual([
      'table inet powernode was missing or different',
      'forwarding of IPv6 was switched off',
    ]);
  });

  test('of the rules is repaired as soon as the kernel tells of it, without a look at the rest [9.36]', async () => {
    machine.tamper((seen) => ({ ...seen, ruleset: null }));
    reconciler.rulesDeleted();
    // No time passes: neither the periodic look nor a pause has a part in it.
    await clock.advance(0);
    expect(machine.took()).toEqual(['look all rules', 'set_ruleset forwarding', 'look rules']);
    expect(machine.kernel.seen.ruleset).not.toBeNull();
    expect(drift.map((one) => one.detail)).toEqual(['table inet powernode was missing or different']);
    expect(failed).toEqual([]);
  });

  test('is not what the agent is changing itself', async () => {
    reconciler.apply(held(2, [...hub, onePeer, twoPeers]), new Set([`peer/wg-test/${otherKey}`]));
    reconciler.auditSoon();
    await clock.advance(10_000);
    expect(drift).toEqual([]);
  });

  test('that cannot be repaired is told once, and then is a failure', async () => {
    machine.refuses = (step) => (step.kind === 'create_interface' ? 'no room' : null);
    machine.tamper((seen) => ({ ...seen, interfaces: new Map(), routes: new Map() }));
    await clock.advance(20_000);
    const told = drift.length;
    await clock.advance(60_000);
    expect(drift).toHaveLength(told);
    expect(failed.length).toBeGreaterThan(2);
  });
});

describe('a tunnel that this side has to begin', () => {
  const hubs = [{ number: 1, slot: 1, publicKey: hubKey, endpoint: '203.0.113.1:51820' }];
  const spoke = held(1, spokeDocument(2, spokeKey, hubs));
  const renewals = () => machine.took().filter((line) => line.startsWith('set_peer')).length;

  test('is begun anew a few times while nobody answers, and then left to WireGuard', async () => {
    reconciler.apply(spoke, 'all');
    await clock.advance(0);
    expect(renewals()).toBe(1);
    await clock.advance(250);
    expect(renewals()).toBe(1);
    await clock.advance(20_000);
    expect(renewals()).toBe(5);
    await clock.advance(60_000);
    expect(renewals()).toBe(0);
    expect(drift).toEqual([]);
  });

  test('keeps the anycast addresses that it carries when it is begun anew', async () => {
    const address = 'fd00:99::f/128';
    const publicSpoke = peerOf({
      interface: 'wg-test',
      number: 2,
      publicKey: spokeKey,
      endpoint: '203.0.113.2:7',
    });
    const anycast: EntryValue = {
      kind: 'anycast',
      network_id: networkId,
      virtual_ip_id: networkId,
      destinations: [address],
      by: [{ interface: 'wg-test', public_key: spokeKey }],
    };
    reconciler.apply(held(1, [...hub, publicSpoke, anycast]), 'all');
    const allowedIps = () =>
      machine.kernel.seen.interfaces.get('wg-test')?.device?.peers.get(spokeKey)?.allowedIps;
    await clock.advance(0);
    expect(allowedIps()).toContain(address);
    machine.took();
    await clock.advance(250);
    expect(renewals()).toBe(1);
    expect(allowedIps()).toContain(address);
    await clock.advance(20_000);
    expect(drift).toEqual([]);
  });

  test('is left alone as soon as it has shaken hands', async () => {
    reconciler.apply(spoke, 'all');
    await clock.advance(0);
    machine.live('wg-test-1', hubKey, { lastHandshakeS: clock.nowMs() / 1000 });
    machine.took();
    await clock.advance(60_000);
    expect(renewals()).toBe(0);
  });

  test('is begun anew when the key of its interface changes', async () => {
    reconciler.apply(spoke, 'all');
    await clock.advance(0);
    machine.live('wg-test-1', hubKey, { lastHandshakeS: clock.nowMs() / 1000 });
    await clock.advance(1_000);
    machine.took();
    const rotated = held(2, spokeDocument(2, otherKey, hubs));
    reconciler.apply(rotated, new Set(['interface/wg-test', 'interface/wg-test-1']));
    await clock.advance(0);
    expect(machine.took().filter((line) => !line.startsWith('look'))).toEqual([
      'set_device interface/wg-test',
      'set_device interface/wg-test-1',
      `set_peer peer/wg-test-1/${hubKey}`,
    ]);
    expect(machine.kernel.seen.interfaces.get('wg-test-1')?.device?.peers.get(hubKey)?.lastHandshakeS).toBe(
      0,
    );
    expect(applied).toEqual([1, 2]);
  });
});

describe('a spoke of two hubs', () => {
  const second = `${'T'.repeat(43)}=`;
  const hubs = [
    { number: 1, slot: 1, publicKey: hubKey, endpoint: '203.0.113.1:51820' },
    { number: 9, slot: 2, publicKey: second, endpoint: '203.0.113.2:51820' },
  ];
  const way = () => machine.kernel.seen.routes.get('fd00:99::/64')?.[0]?.device;
  const handshake = (name: string, key: string) =>
    machine.live(name, key, { lastHandshakeS: Math.floor(clock.nowMs() / 1000) });

  test('goes through the first that answers, over to the other when it falls silent, and back', async () => {
    reconciler.apply(held(1, spokeDocument(2, spokeKey, hubs)), 'all');
    await clock.advance(0);
    expect(way()).toBe('wg-test-1');
    handshake('wg-test-2', second);
    await clock.advance(300);
    expect(way()).toBe('wg-test-2');
    handshake('wg-test-1', hubKey);
    await clock.advance(20_000);
    expect(way()).toBe('wg-test-1');
    // Packets are sent and nobody answers.
    machine.live('wg-test-1', hubKey, { txBytes: 50_000 });
    await clock.advance(30_000);
    expect(way()).toBe('wg-test-2');
    machine.live('wg-test-1', hubKey, { rxBytes: 1_000 });
    await clock.advance(20_000);
    expect(way()).toBe('wg-test-1');
    expect(drift).toEqual([]);
    expect(failed).toEqual([]);
  });

  test('does not call a route that somebody took away its own decision', async () => {
    reconciler.apply(held(1, spokeDocument(2, spokeKey, hubs)), 'all');
    await clock.advance(30_000);
    machine.tamper((seen) => ({ ...seen, routes: new Map() }));
    await clock.advance(5_500);
    expect(drift.map((one) => one.key).sort()).toEqual([
      'route/fd00:99::/64',
      'route/fd00:99::101/128',
      'route/fd00:99::109/128',
    ]);
    expect(way()).toBe('wg-test-1');
  });
});

test('after a stop nothing more is done', async () => {
  reconciler.apply(held(1, hub), 'all');
  await clock.advance(0);
  await reconciler.stop();
  machine.took();
  reconciler.apply(held(2, [...hub, onePeer]), 'all');
  await clock.advance(60_000);
  expect(machine.took()).toEqual([]);
});

test('endpoints of a document that was not applied before the start are written', async () => {
  const hubs = [{ number: 1, slot: 1, publicKey: hubKey, endpoint: '203.0.113.1:51820' }];
  reconciler.apply(held(1, spokeDocument(2, spokeKey, hubs)), 'all');
  await clock.advance(0);
  machine.live('wg-test-1', hubKey, {
    lastHandshakeS: Math.floor(clock.nowMs() / 1000),
    endpoint: '198.51.100.1:7',
  });
  await reconciler.stop();
  for (const [trusts, expected] of [
    [true, '198.51.100.1:7'],
    [false, '203.0.113.1:51820'],
  ] as const) {
    const next = new Reconciler({
      machine,
      clock,
      families: () => [],
      events: {
        applied: () => 0,
        failed: () => 0,
        drifted: () => 0,
        looked: () => 0,
        switched: () => 0,
        programmingError: () => 0,
      },
    });
    const document = held(1, spokeDocument(2, spokeKey, hubs));
    if (!trusts) next.invalidateEndpoints(document);
    next.apply(document, 'all');
    await clock.advance(0);
    expect(machine.kernel.seen.interfaces.get('wg-test-1')?.device?.peers.get(hubKey)?.endpoint).toBe(
      expected,
    );
    await next.stop();
  }
});
