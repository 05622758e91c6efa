// Whose a problem is: the subsystem's whose step or look made it, and the agent's own when it is an error of its own.
import { beforeEach, describe, expect, test } from 'vitest';
import { spokeDocument } from '../fixtures/documents.ts';
import type { FakeClock } from '../ports/clock.fixture.ts';
import type { ProberNews } from '../probe/messages.ts';
import type { Problem } from '../subsystems/problem.ts';
import type { ModelMachine } from './model-machine.fixture.ts';
import { held, hub, hubKey, onePeer, otherKey, spokeKey, startReconciler } from './reconciler.fixture.ts';
import type { Reconciler } from './reconciler.ts';

const noNews: ProberNews = { tunnels: [], sources: [], paths: [], watched: [], leases: [], holders: [] };

let clock: FakeClock;
let machine: ModelMachine;
let applied: number[];
let failed: Problem[][];
let ownErrors: unknown[];
let reconciler: Reconciler;

beforeEach(() => {
  ({ clock, machine, applied, failed, ownErrors, reconciler } = startReconciler());
});

describe('a failure', () => {
  test('to become the document is each subsystem’s whose steps are left', async () => {
    machine.ignores = (step) => step.kind === 'set_route' || step.kind === 'set_ruleset';
    reconciler.apply(held(1, hub), 'all');
    await clock.advance(0);
    expect(failed[0]).toMatchObject([
      { subsystem: 'nftables', code: 'not_converging', detail: expect.stringContaining('table inet') },
      { subsystem: 'routing', code: 'not_converging', detail: expect.stringContaining('fd00:99::/64') },
    ]);
  });

  test('of a step is its subsystem’s', async () => {
    machine.refuses = (step) => (step.kind === 'set_route' ? 'no such device' : null);
    reconciler.apply(held(1, hub), 'all');
    await clock.advance(0);
    expect(failed[0]).toMatchObject([{ subsystem: 'routing', code: 'routing_failed' }]);
  });
});

describe('an error of the agent itself', () => {
  const broken = new TypeError("Cannot read properties of undefined (reading 'peers')");

  test('is the agent’s, whatever it was doing, and is told with its stack', async () => {
    machine.breaks = (step) => (step.kind === 'set_peer' ? broken : null);
    reconciler.apply(held(1, [...hub, onePeer]), 'all');
    await clock.advance(0);
    expect(failed[0]).toMatchObject([{ subsystem: 'agent', code: 'agent_error', cause: broken }]);
    expect(ownErrors).toEqual([broken]);
  });

  test('is told too when an audit meets it while another try is due', async () => {
    machine.lookFails = broken;
    reconciler.apply(held(1, hub), 'all');
    await clock.advance(0);
    expect(failed).toHaveLength(1);
    reconciler.auditSoon();
    await clock.advance(1);
    expect(failed).toHaveLength(1);
    expect(ownErrors).toEqual([broken, broken]);
  });

  test('is told when routes meet it that go another way at once', async () => {
    const hubs = [1, 2].map((slot) => ({
      number: slot,
      slot,
      publicKey: slot === 1 ? hubKey : otherKey,
      endpoint: `203.0.113.${slot}:51820`,
    }));
    reconciler.apply(held(1, spokeDocument(5, spokeKey, hubs)), 'all');
    await clock.advance(0);
    machine.breaks = (step) => (step.kind === 'set_route' ? broken : null);
    const tunnel = (slot: number, key: string) => `peer/wg-test-${slot}/${key}`;
    reconciler.probed({
      ...noNews,
      tunnels: [
        { tunnel: tunnel(1, hubKey), state: 'dead' },
        { tunnel: tunnel(2, otherKey), state: 'alive' },
      ],
    });
    await clock.advance(0);
    expect(ownErrors).toContain(broken);
    machine.breaks = () => null;
    await clock.advance(60_000);
    expect(applied.at(-1)).toBe(1);
    expect(machine.kernel.seen.routes.get('fd00:99::/64')?.[0]?.device).toBe('wg-test-2');
  });
});
