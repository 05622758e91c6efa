// The probers of hubs and spokes in a simulated overlay: what each takes the others for when links, machines and
// processors fail. Seeded, so that a failure can be looked at.
import { probeUntriedMs } from '@powernode/core/limits/presence';
import { probeDeadMs, probeHoldMs } from '@powernode/core/limits/probe';
import { directProbeAddress } from '@powernode/core/net/probe-address';
import { seededRandom } from '@powernode/core/testing/random';
import { describe, expect, test } from 'vitest';
import { hostOf, Simulation, tunnelTo } from './simulation.fixture.ts';

const seeds = Array.from({ length: 3 }, (_, i) => i + 1);
/** Until a change has been noticed by everyone, whatever turn they were in. */
const noticedMs = probeDeadMs + 130;

function settled(names: readonly string[], seed: number): Simulation {
  const simulation = new Simulation(names, seededRandom(seed));
  simulation.advance(10_000);
  return simulation;
}

/** Keeps every change of what a machine takes its tunnels for. */
function record(simulation: Simulation, name: string): string[] {
  const log: string[] = [];
  simulation.onPost = (from, message) => {
    if (from !== name || message.kind !== 'news') return;
    for (const { tunnel, state } of message.news.tunnels) log.push(`${tunnel} ${state}`);
  };
  return log;
}

describe.each(seeds)('with seed %i', (seed) => {
  test('all paths are alive when nothing is wrong, and nothing more is said', () => {
    const simulation = settled(['j', 'k', 's', 't'], seed);
    for (const spoke of ['s', 't']) {
      for (const hub of ['j', 'k']) expect(simulation.state(spoke, hub)).toBe('alive');
    }
    expect([simulation.state('j', 'k'), simulation.state('k', 'j')]).toEqual(['alive', 'alive']);
    let posts = 0;
    simulation.onPost = () => posts++;
    simulation.advance(60_000);
    expect(posts).toBe(0);
  });

  test('a hub that dies is dead within half a second, the other one never, and it returns after its hold', () => {
    const simulation = settled(['j', 'k', 's'], seed);
    const log = record(simulation, 's');
    simulation.off.add('j');
    simulation.advance(noticedMs);
    expect(log).toEqual(['peer/j dead']);
    simulation.advance(60_000);
    simulation.off.delete('j');
    simulation.start('j');
    simulation.advance(2_000);
    expect(log.splice(0)).toEqual(['peer/j dead', 'peer/j returning']);
    simulation.advance(probeHoldMs - 2_500);
    expect(log).toEqual([]);
    simulation.advance(20_000);
    expect(log).toEqual(['peer/j alive']);
  });

  test('a hub that answers and does not forward is dead, and only that one', () => {
    for (const names of [
      ['j', 'k', 's'],
      ['j', 'k', 'm', 's'],
    ]) {
      const simulation = settled(names, seed);
      const log = record(simulation, 's');
      simulation.notForwarding.add('j');
      simulation.advance(noticedMs + 40);
      expect(log).toEqual(['peer/j dead']);
      simulation.advance(60_000);
      simulation.notForwarding.delete('j');
      simulation.advance(20_000);
      expect(log).toEqual(['peer/j dead', 'peer/j returning', 'peer/j alive']);
    }
  });

  test('a hub that never forwarded is dead when another one does', () => {
    const simulation = new Simulation(['j', 'k', 's'], seededRandom(seed));
    simulation.notForwarding.add('j');
    simulation.advance(10_000);
    expect([simulation.state('s', 'j'), simulation.state('s', 'k')]).toEqual(['dead', 'alive']);
  });

  test('a hub that never answered is dead when another one answers, until it does itself', () => {
    const simulation = new Simulation(['j', 'k', 's'], seededRandom(seed));
    const log = record(simulation, 's');
    simulation.off.add('j');
    simulation.advance(probeUntriedMs - 200);
    expect(log).toEqual(['peer/k returning', 'peer/k alive']);
    simulation.advance(60_000);
    expect(log.splice(0)).toEqual(['peer/k returning', 'peer/k alive', 'peer/j dead']);
    simulation.off.delete('j');
    simulation.start('j');
    simulation.advance(2_000);
    expect(log.filter((line) => line.startsWith('peer/j'))).toEqual(['peer/j returning', 'peer/j alive']);
  });

  test('nothing is said of hubs that never answered when none does', () => {
    const simulation = new Simulation(['j', 'k', 's', 't'], seededRandom(seed));
    const log = record(simulation, 's');
    simulation.off.add('j').add('k');
    simulation.advance(60_000);
    expect(log).toEqual([]);
    simulation.off.delete('k');
    simulation.start('k');
    simulation.advance(10_000);
    expect(log.splice(0)).toEqual(['peer/j dead', 'peer/k returning', 'peer/k alive']);
    // The other one is the only hope again: WireGuard's counters decide.
    simulation.off.add('k');
    simulation.advance(10_000);
    expect(log).toEqual(['peer/j untried', 'peer/k dead']);
  });

  test('a link between hubs that is cut makes no hub dead', () => {
    for (const names of [
      ['j', 'k', 's'],
      ['j', 'k', 'm', 's'],
    ]) {
      const simulation = settled(names, seed);
      const log = record(simulation, 's');
      simulation.cut.add('j-k');
      simulation.advance(60_000);
      expect(log.filter((line) => line.endsWith('dead'))).toEqual([]);
    }
  });

  test('a prober that was not run takes nobody for dead, and is taken for dead by nobody who was short of time', () => {
    const simulation = settled(['j', 'k', 's', 't'], seed);
    const log = record(simulation, 's');
    const random = seededRandom(seed);
    for (let i = 0; i < 25; i++) {
      simulation.freeze('s', 200 + random() * 5_000);
      simulation.advance(5_000 + random() * 3_000);
    }
    expect(log).toEqual([]);
  });

  test('a machine that hears nobody for a moment takes none for dead', () => {
    const simulation = settled(['j', 'k', 's'], seed);
    const log = record(simulation, 's');
    for (const link of ['j-s', 'k-s']) simulation.cut.add(link);
    simulation.advance(700);
    simulation.cut.clear();
    simulation.advance(60_000);
    expect(log).toEqual([]);
  });

  test('a hub that loses a spoke sends its packets by way of another, and takes them back when it hears it', () => {
    const simulation = settled(['j', 'k', 's', 't'], seed);
    simulation.cut.add('k-s');
    simulation.advance(noticedMs);
    const { backups } = simulation.machine('k');
    expect(Object.fromEntries(backups)).toEqual({ [hostOf('s')]: 'j' });
    expect(simulation.machine('j').backups.size).toBe(0);
    simulation.advance(60_000);
    expect(backups.size).toBe(1);
    expect(simulation.state('s', 'k')).toBe('dead');
    simulation.cut.clear();
    simulation.advance(2_000);
    expect(backups.size).toBe(1);
    simulation.advance(10_000);
    expect(backups.size).toBe(0);
    simulation.advance(10_000);
    expect(simulation.state('s', 'k')).toBe('alive');
  });

  test('a spoke that is gone gets no backup path, nor does one that was cut off from everybody', () => {
    const simulation = settled(['j', 'k', 's', 't'], seed);
    simulation.off.add('s');
    simulation.advance(60_000);
    for (const hub of ['j', 'k']) expect(simulation.machine(hub).backups.size).toBe(0);
    simulation.off.delete('s');
    simulation.start('s');
    simulation.advance(20_000);
    for (const link of ['j-s', 'k-s']) simulation.cut.add(link);
    simulation.advance(30_000);
    simulation.cut.clear();
    const seen = new Set<string>();
    simulation.onPost = (name, message) => {
      if (message.kind !== 'news') return;
      for (const one of message.news.sources) if (one.backupVia !== null) seen.add(name);
    };
    simulation.advance(30_000);
    expect([...seen]).toEqual([]);
  });

  test('a way that is broken in one direction only is given up at both ends, and tried again less and less often', () => {
    const simulation = settled(['j', 'k', 's', 't'], seed);
    simulation.cut.add('k>s');
    simulation.advance(2 * noticedMs);
    const { backups } = simulation.machine('k');
    expect(Object.fromEntries(backups)).toEqual({ [hostOf('s')]: 'j' });
    expect(simulation.state('s', 'k')).toBe('dead');
    let lifted = 0;
    simulation.onPost = (name, message) => {
      if (name !== 'k' || message.kind !== 'news') return;
      lifted += message.news.sources.filter((one) => one.backupVia === null).length;
    };
    simulation.advance(300_000);
    expect(lifted).toBeLessThanOrEqual(7);
    simulation.cut.clear();
    simulation.advance(260_000);
    expect(backups.size).toBe(0);
    expect(simulation.state('s', 'k')).toBe('alive');
  });

  test('a hub that starts where a spoke cannot reach it sends packets by way of another', () => {
    const simulation = settled(['j', 'k', 's', 't'], seed);
    simulation.cut.add('k-s');
    simulation.off.add('k');
    simulation.advance(5_000);
    simulation.off.delete('k');
    simulation.start('k');
    simulation.advance(3_000);
    expect(Object.fromEntries(simulation.machine('k').backups)).toEqual({ [hostOf('s')]: 'j' });
  });
});

describe.each(seeds)('a hub that is a spoke from now on, with seed %i', (seed) => {
  /** `k` is no hub any more, and nobody probes it. */
  function demoted(simulation: Simulation): void {
    const nothing = { targets: [], relays: [], watches: [], leases: [], holders: [] };
    const address = directProbeAddress(hostOf('k'));
    const answering = [{ network: 'n', address, purpose: 'direct', relay: null } as const];
    simulation.machine('k').engine.configure({ ...nothing, answering }, simulation.nowMs);
    for (const name of ['j', 's', 't']) {
      const { targets, ...others } = simulation.configOf(name);
      const left = targets.filter(({ goal, tunnel }) => goal !== 'k' && tunnel !== tunnelTo('k'));
      simulation.machine(name).engine.configure({ ...others, targets: left }, simulation.nowMs);
    }
  }

  test('takes none of those for dead who had probed it', () => {
    const simulation = settled(['j', 'k', 's', 't'], seed);
    const { sources } = simulation.machine('k');
    expect(sources.get(hostOf('s'))).toBe('alive');
    demoted(simulation);
    simulation.advance(60_000);
    expect(Object.fromEntries(sources)).toEqual({
      [hostOf('j')]: 'untried',
      [hostOf('s')]: 'untried',
      [hostOf('t')]: 'untried',
    });
  });

  test('sends nothing by a backup path of before', () => {
    const simulation = settled(['j', 'k', 's', 't'], seed);
    simulation.cut.add('k-s');
    simulation.advance(noticedMs);
    const { backups, sources } = simulation.machine('k');
    expect(Object.fromEntries(backups)).toEqual({ [hostOf('s')]: 'j' });
    demoted(simulation);
    simulation.advance(1_000);
    expect(backups.size).toBe(0);
    expect(sources.get(hostOf('s'))).toBe('untried');
  });

  test('hears them again when it is a hub again', () => {
    const simulation = settled(['j', 'k', 's', 't'], seed);
    demoted(simulation);
    simulation.advance(60_000);
    for (const name of ['j', 'k', 's', 't'])
      simulation.machine(name).engine.configure(simulation.configOf(name), simulation.nowMs);
    simulation.advance(60_000);
    expect([...simulation.machine('k').sources.values()]).toEqual(['alive', 'alive', 'alive']);
  });
});

test('losses of an ordinary bad line move nobody in ten minutes', () => {
  let dead = 0;
  for (const seed of seeds) {
    const simulation = settled(['j', 'k', 's'], seed);
    const log = record(simulation, 's');
    simulation.loss = 0.02;
    simulation.advance(600_000);
    dead += log.filter((line) => line.endsWith('dead')).length;
  }
  expect(dead).toBeLessThanOrEqual(1);
});
