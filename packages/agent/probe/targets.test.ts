// A path to a hub that is attached while another one carries the traffic is preferred after a hold, and at once where
// there is no other one.
import { probeDeadMs, probeHoldMs } from '@powernode/core/limits/probe';
import { expect, test } from 'vitest';
import type { TargetConfig } from './config.ts';
import { Targets } from './targets.ts';

const stepMs = 100;

const path = (name: string, more: Partial<TargetConfig> = {}): TargetConfig => ({
  network: 'n1',
  target: name,
  goal: name,
  tunnel: `peer/${name}`,
  purpose: 'path',
  rank: 0,
  source: 'own',
  mtu: 1420,
  ...more,
});

/** Every path answers each probe. */
class Answered {
  readonly targets = new Targets();
  runMs = 0;

  advance(ms: number): void {
    for (const end = this.runMs + ms; this.runMs < end; this.runMs += stepMs) {
      for (const target of this.targets.straight()) target.tracker.heard(this.runMs);
      this.targets.update(this.runMs, 1);
    }
  }

  configure(...configs: readonly TargetConfig[]): void {
    this.targets.configure(configs, this.runMs);
  }

  stateOf(name: string): string | undefined {
    return this.targets.get(name)?.state;
  }
}

test('paths that appear together, or alone, are alive as soon as they have answered for a moment', () => {
  const answered = new Answered();
  answered.configure(path('hub1'), path('hub2'));
  answered.advance(probeDeadMs + 2 * stepMs);
  expect([answered.stateOf('hub1'), answered.stateOf('hub2')]).toEqual(['alive', 'alive']);
});

test('one that appears beside a living one is held back as one that returns is', () => {
  const answered = new Answered();
  answered.configure(path('hub1'));
  answered.advance(2_000);
  answered.configure(path('hub1'), path('hub2'), path('elsewhere', { network: 'n2' }));
  answered.advance(probeHoldMs - stepMs);
  expect(answered.stateOf('hub2')).toBe('returning');
  expect(answered.stateOf('elsewhere')).toBe('alive');
  answered.advance(3 * stepMs);
  expect(answered.stateOf('hub2')).toBe('alive');
});

test('one that is the same by another tunnel is not', () => {
  const answered = new Answered();
  answered.configure(path('hub1'), path('hub2'));
  answered.advance(2_000);
  answered.configure(path('hub1'), path('hub2', { tunnel: 'peer/new' }));
  answered.advance(probeDeadMs + 2 * stepMs);
  expect(answered.stateOf('hub2')).toBe('alive');
});
