// What probes tell of holders of anycast addresses, from real probers in a simulated overlay: j and k are hubs, s and t
// spokes.
import { roundTripNewsMs } from '@powernode/core/limits/anycast';
import { seededRandom } from '@powernode/core/testing/random';
import { readProbe, readWithheld, writeProbe, writeWithheld } from '@powernode/core/wire/probe';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Holders } from './holders.ts';
import type { HolderChange } from './messages.ts';
import { hostOf, Simulation } from './simulation.fixture.ts';

const address = 'fd00:99::f0';
const other = 'fd00:99::f1';

/** All are told of all others; what each knows of a holder now. */
function overlay(names: readonly string[], seed = 1) {
  const simulation = new Simulation(names, seededRandom(seed));
  const known = new Map<string, HolderChange>();
  const history: string[] = [];
  simulation.onPost = (name, message) => {
    if (message.kind !== 'news') return;
    for (const change of message.news.holders) {
      known.set(`${name} ${change.holder}`, change);
      history.push(`${name} ${change.holder} ${change.withheld.join()}`);
    }
  };
  const holders = names.map(hostOf);
  for (const name of names)
    simulation.machine(name).engine.configure({ ...simulation.configOf(name), holders }, 0);
  simulation.advance(5_000);
  const of = (name: string, holder: string) => known.get(`${name} ${hostOf(holder)}`);
  return { simulation, of, history };
}

describe('a holder whose service fails', () => {
  test('is known to all whom it probes, or who probe it, within one interval', () => {
    const { simulation, of } = overlay(['j', 'k', 's', 't']);
    simulation.machine('s').engine.withhold([address]);
    simulation.machine('j').engine.withhold([other]);
    simulation.advance(200);
    expect(of('j', 's')?.withheld).toEqual([address]);
    expect(of('k', 's')?.withheld).toEqual([address]);
    for (const name of ['k', 's', 't']) expect(of(name, 'j')?.withheld).toEqual([other]);
    // Nothing of it is said of anybody else.
    expect(of('j', 't')?.withheld).toEqual([]);
  });

  test('is well again when it says so, and one address of two is, when it says that', () => {
    const { simulation, of } = overlay(['j', 's']);
    const { engine } = simulation.machine('s');
    engine.withhold([address, other]);
    simulation.advance(200);
    expect(of('j', 's')?.withheld).toEqual([address, other]);
    engine.withhold([other]);
    simulation.advance(200);
    expect(of('j', 's')?.withheld).toEqual([other]);
    engine.withhold([]);
    simulation.advance(200);
    expect(of('j', 's')?.withheld).toEqual([]);
  });

  test('stays so while every fifth datagram is lost', () => {
    const { simulation, of } = overlay(['j', 's'], 3);
    simulation.machine('s').engine.withhold([address]);
    simulation.advance(500);
    simulation.loss = 0.2;
    for (let i = 0; i < 200; i++) {
      simulation.advance(50);
      expect(of('j', 's')?.withheld).toEqual([address]);
    }
  });

  test('cannot say anything of another holder', () => {
    const { simulation, of, history } = overlay(['j', 's', 't']);
    const from = { address: hostOf('s'), port: 40_000 };
    const [local = ''] = simulation.configOf('j').answering.map((one) => one.address);
    const at = { local, from };
    simulation.machine('j').engine.received(writeWithheld([address]), at, simulation.nowMs);
    simulation.advance(1_000);
    expect(history.filter((line) => line.endsWith(address))).toEqual([`j ${hostOf('s')} ${address}`]);
    // Its next probe says that it withholds nothing.
    expect(of('j', 's')?.withheld).toEqual([]);
  });
});

describe('distances', () => {
  test('are told alike by a spoke to all hubs: those to the hub that it prefers', () => {
    const { simulation, of } = overlay(['j', 'k', 's']);
    const toJ = of('j', 's')?.roundTripMs ?? 0;
    // 5 ms each way, varied by half.
    expect(toJ).toBeGreaterThan(5);
    expect(toJ).toBeLessThan(15);
    expect(Math.abs((of('k', 's')?.roundTripMs ?? 0) - toJ)).toBeLessThan(3);
    simulation.cut.add('j-s');
    simulation.advance(20_000);
    expect(of('k', 's')?.roundTripMs).toBeGreaterThan(5);
  });

  test('are news when they differ by something that matters', () => {
    const holders = new Holders();
    holders.configure(['h']);
    const told = (runMs: number, roundTripMs: number) => {
      holders.measured('h', roundTripMs);
      return holders.changes(runMs).map((change) => change.roundTripMs);
    };
    expect(told(0, 10)).toEqual([10]);
    expect(told(10_000, 10 + roundTripNewsMs)).toEqual([]);
    expect(told(20_000, 12)).toEqual([12]);
    expect(told(20_010, 24)).toEqual([]);
    expect(told(21_000, 24)).toEqual([24]);
    expect(told(30_000, 24)).toEqual([]);
  });
});

describe('the datagrams', () => {
  test('of withheld addresses are read as they were written, and nothing else is', () => {
    const addresses = fc.uniqueArray(
      fc.integer({ min: 1, max: 0xffff }).map((n) => `fd00:99::${n.toString(16)}`),
      { maxLength: 64 },
    );
    fc.assert(
      fc.property(addresses, (list) => {
        expect(readWithheld(writeWithheld(list))).toEqual(list);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(readWithheld(bytes)).toBeNull();
        expect(readProbe(writeWithheld([address]))).toBeNull();
      }),
    );
    const short = writeWithheld([address]);
    expect(readWithheld(short.subarray(0, short.length - 1))).toBeNull();
  });

  test('of probes carry a round trip in one direction, and an interval in the other', () => {
    const of = { heard: true, witness: false, sequence: 7, sentAtMs: 5, run: 9n };
    const probe = {
      kind: 'probe',
      withholds: true,
      requestedIntervalMs: 0,
      roundTripMs: 12.3,
      ...of,
    } as const;
    expect(readProbe(writeProbe(probe))).toEqual(probe);
    expect(readProbe(writeProbe({ ...probe, roundTripMs: null }))?.roundTripMs).toBeNull();
    expect(readProbe(writeProbe({ ...probe, roundTripMs: 0.01 }))?.roundTripMs).toBe(0.1);
    expect(readProbe(writeProbe({ ...probe, roundTripMs: 1e9 }))?.roundTripMs).toBe(6553.5);
    const answer = { ...probe, kind: 'answer', requestedIntervalMs: 300, roundTripMs: null } as const;
    expect(readProbe(writeProbe(answer))).toEqual(answer);
  });
});
