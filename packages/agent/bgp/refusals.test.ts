// What counts as refused, beginning with a neighbor that has done nothing.
import { refusalEndsMs, refusalLookMs, refusalSettleMs } from '@powernode/core/limits/agent';
import type { InboundFilter } from '@powernode/core/routing/accepted';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Refusals } from './refusals.ts';

const neighbor = 'fd00::2';
const filterNamed = (map: string, family: 4 | 6): InboundFilter => ({ map, neighbor, family });
const filters = [filterNamed('pn-from4-a', 4), filterNamed('pn-from6-a', 6)];

/** A bgpd with its counters, and a neighbor whose refused announcements it counts. */
class Site {
  readonly refusals = new Refusals();
  readonly counts = new Map<string, number>();
  /** What it announces at present, and would again when it is asked. */
  announcing: Record<string, number> = {};
  asked = 0;
  nowMs = 0;
  generation = 1;

  constructor() {
    this.configure(filters);
  }

  configure(next: readonly InboundFilter[]): void {
    for (const { map } of next) if (!this.counts.has(map)) this.counts.set(map, 0);
    this.refusals.expect(next);
  }

  refuse(map: string, times = 1): void {
    this.counts.set(map, (this.counts.get(map) ?? 0) + times);
  }

  pass(ms: number): void {
    for (let passed = 0; passed < ms; passed += refusalLookMs) {
      this.nowMs += refusalLookMs;
      const asked = this.refusals.take({
        counts: this.counts,
        generation: this.generation,
        monotonicMs: this.nowMs,
        wallMs: 1_000_000 + this.nowMs,
      });
      this.asked += asked.length;
      for (const { map } of asked) this.refuse(map, this.announcing[map] ?? 0);
    }
  }

  get said() {
    return this.refusals.of(neighbor);
  }
}

const settled = () => {
  const site = new Site();
  expect(site.said).toBeUndefined();
  site.pass(refusalSettleMs + refusalLookMs);
  expect(site.said).toBeNull();
  return site;
};

test('what is announced once is told a while later, with its time, and ends when it is announced no more', () => {
  const site = settled();
  site.refuse('pn-from6-a', 3);
  site.announcing = { 'pn-from6-a': 3 };
  site.pass(refusalLookMs);
  const atMs = 1_000_000 + site.nowMs;
  expect(site.said).toBeUndefined();
  site.pass(refusalSettleMs);
  expect(site.said).toEqual({ ipv4: 0, ipv6: 3, sinceMs: atMs });
  // It is asked now and then, and still announces it.
  site.pass(3 * refusalEndsMs);
  expect(site.said).toMatchObject({ sinceMs: atMs });
  expect(site.asked).toBeGreaterThan(1);
  site.announcing = {};
  site.pass(2 * refusalEndsMs);
  expect(site.said).toBeNull();
});

test('an announcement that is taken back at once is told all the same', () => {
  const site = settled();
  site.refuse('pn-from4-a');
  site.pass(refusalSettleMs + refusalLookMs);
  expect(site.said).toMatchObject({ ipv4: 1, ipv6: 0 });
});

describe('a change of documents', () => {
  test('a prefix that is announced a moment before it is accepted is no fault', () => {
    const site = settled();
    site.refuse('pn-from6-a');
    site.pass(refusalLookMs);
    site.configure([filterNamed('pn-from4-a', 4), filterNamed('pn-from6-b', 6)]);
    site.pass(6 * refusalSettleMs);
    expect(site.said).toBeNull();
  });

  test('a prefix that is announced for a moment longer than it is accepted is none either', () => {
    const site = settled();
    site.configure([filterNamed('pn-from4-a', 4), filterNamed('pn-from6-b', 6)]);
    site.refuse('pn-from6-b');
    site.pass(6 * refusalSettleMs);
    expect(site.asked).toBe(1);
    expect(site.said).toBeNull();
  });

  test('one that is announced on and on is', () => {
    const site = settled();
    site.configure([filterNamed('pn-from4-a', 4), filterNamed('pn-from6-b', 6)]);
    site.refuse('pn-from6-b');
    site.announcing = { 'pn-from6-b': 1 };
    site.pass(4 * refusalSettleMs);
    expect(site.said).toMatchObject({ ipv6: 1 });
  });

  test('keeps what is a fault already, until the neighbor has stopped', () => {
    const site = settled();
    site.refuse('pn-from6-a');
    site.pass(2 * refusalSettleMs);
    const before = site.said;
    expect(before).not.toBeNull();
    site.configure([filterNamed('pn-from4-a', 4), filterNamed('pn-from6-b', 6)]);
    site.pass(refusalSettleMs);
    expect(site.said).toEqual(before);
    site.pass(2 * refusalEndsMs);
    expect(site.said).toBeNull();
  });
});

test('another agent, or another bgpd, finds out by asking', () => {
  const site = settled();
  site.refuse('pn-from6-a');
  site.announcing = { 'pn-from6-a': 1 };
  site.pass(2 * refusalSettleMs);
  const agent = new Refusals();
  agent.expect(filters);
  const look = (monotonicMs: number) =>
    agent.take({ counts: site.counts, generation: 1, monotonicMs, wallMs: monotonicMs });
  expect(look(0)).toEqual([]);
  expect(look(refusalSettleMs)).toEqual([filters[1]]);
  expect(agent.of(neighbor)).toBeUndefined();
  site.generation = 2;
  for (const { map } of filters) site.counts.set(map, 0);
  site.pass(refusalSettleMs);
  expect(site.said).toMatchObject({ ipv6: 1 });
});

test('a neighbor that is gone, and a filter that bgpd does not have yet, say nothing', () => {
  const site = settled();
  site.refusals.expect([]);
  expect(site.refusals.isWatching).toBe(false);
  expect(site.said).toBeUndefined();
  site.refusals.expect([filterNamed('pn-from4-z', 4), filterNamed('pn-from6-z', 6)]);
  site.pass(6 * refusalSettleMs);
  expect(site.said).toBeUndefined();
});

test('it begins and ends no more than once a minute, whatever the neighbor does', () => {
  const step = fc.record({ family: fc.constantFrom('4', '6'), times: fc.nat(10_000), waits: fc.nat(20) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const site = settled();
      let turns = 0;
      let was: unknown = null;
      const begunMs = site.nowMs;
      for (const { family, times, waits } of steps) {
        site.refuse(`pn-from${family}-a`, times);
        for (let i = 0; i <= waits; i++) {
          site.pass(refusalLookMs);
          const is = site.said === undefined ? was : site.said === null ? null : 'refused';
          if (is !== was) turns++;
          was = is;
        }
      }
      expect(turns).toBeLessThanOrEqual(2 + (2 * (site.nowMs - begunMs)) / refusalEndsMs);
    }),
  );
});
