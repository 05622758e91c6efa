// When BGP decides, and what holds until then.
import { bgpChanceMs, bgpJoiningMs, bgpQuietMs } from '@powernode/core/limits/agent';
import { describe, expect, test } from 'vitest';
import type { BestPath } from '../subsystems/frr/answers.ts';
import { type BgpView, Convergence } from './convergence.ts';

const prefix = 'fd00:a::/64';

function tables(nextHop: string | null): BgpView['tables'] {
  const path: BestPath = {
    ...{ nextHops: [nextHop ?? ''], local: false, from: 'fd00::1', localPreference: 100, metric: 0 },
    ...{ weight: 0, asPath: '', origin: 'IGP', paths: 1 },
  };
  return [new Map(), new Map(nextHop === null ? [] : [[prefix, path]])];
}

const up = (uptimeSeconds: number) => ({ state: 'Established' as const, uptimeSeconds });
const down = { state: 'Active' as const, uptimeSeconds: null };
const empty = tables(null);
const full = tables('fd00::3');

function view(of: Partial<BgpView>): BgpView {
  return { reachable: true, generation: 1, sessions: [up(1), up(1)], wanted: 2, tables: full, ...of };
}

describe('BGP decides', () => {
  test('when all sessions are up and nothing has changed for a moment', () => {
    const one = new Convergence(0);
    one.take(view({ sessions: [up(1), down] }), 0);
    one.take(view({}), 500);
    expect(one.isDeciding).toBe(false);
    expect(one.take(view({}), bgpQuietMs)).toBe(true);
    expect(one.nextHops(prefix)).toEqual(['fd00::3']);
  });

  test('at once in what ran before the agent came', () => {
    const one = new Convergence(0);
    one.take(view({ sessions: [up(900), up(900)] }), 100);
    expect(one.nextHops(prefix)).toEqual(['fd00::3']);
    expect(one.nextHops('fd00:b::/64')).toEqual([]);
    expect(one.isWaiting).toBe(false);
  });

  test('after a while although one session does not come up, and not without any', () => {
    const one = new Convergence(0);
    one.take(view({ sessions: [down, down] }), bgpChanceMs + 1);
    expect(one.isDeciding).toBe(false);
    one.take(view({ sessions: [up(1), down] }), bgpChanceMs + 2);
    expect(one.isDeciding).toBe(true);
  });

  test('about prefixes without a path only when their announcers had time to begin', () => {
    const one = new Convergence(0);
    one.take(view({ tables: empty }), 0);
    one.take(view({ tables: empty }), bgpQuietMs);
    expect(one.isDeciding).toBe(true);
    expect(one.nextHops(prefix)).toBeNull();
    one.take(view({}), bgpQuietMs + 1);
    expect(one.nextHops(prefix)).toEqual(['fd00::3']);
    expect(one.take(view({ tables: empty }), bgpQuietMs + bgpJoiningMs)).toBe(true);
    expect(one.nextHops(prefix)).toEqual([]);
  });
});

describe('a bgpd that died', () => {
  function converged(): Convergence {
    const one = new Convergence(0);
    one.take(view({ sessions: [up(900), up(900)] }), 0);
    return one;
  }

  test('keeps deciding until the next one has heard everything', () => {
    const one = converged();
    one.take(view({ reachable: false }), 1000);
    expect(one.nextHops(prefix)).toEqual(['fd00::3']);
    one.take(view({ generation: 2, sessions: [down, down], tables: empty }), 1200);
    one.take(view({ generation: 2, tables: empty }), 2000);
    expect(one.nextHops(prefix)).toEqual(['fd00::3']);
    one.take(view({ generation: 2, tables: tables('fd00::4') }), 2100);
    expect(one.nextHops(prefix)).toEqual(['fd00::3']);
    one.take(view({ generation: 2, tables: tables('fd00::4') }), 2200);
    one.take(view({ generation: 2, tables: empty }), 2200 + bgpQuietMs);
    one.take(view({ generation: 2, tables: empty }), 2200 + 2 * bgpQuietMs);
    expect(one.nextHops(prefix)).toEqual([]);
  });

  test('does not decide for ever', () => {
    const one = converged();
    one.take(view({ reachable: false }), 1000);
    expect(one.take(view({ reachable: false }), 1000 + bgpChanceMs)).toBe(true);
    expect(one.isDeciding).toBe(false);
    expect(one.nextHops(prefix)).toBeNull();
  });

  test('follows what changes while its sessions are up', () => {
    const one = converged();
    expect(one.take(view({ sessions: [up(901), down], tables: empty }), 1000)).toBe(true);
    expect(one.nextHops(prefix)).toEqual([]);
  });
});
