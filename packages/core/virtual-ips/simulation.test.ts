// Virtual IPs under seeded chance: partitions, loss, lines that stall and then deliver what is old, machines and
// processes that are killed, stopped and started, clocks 1 % apart, databases that commit and do not say so. At no
// moment do two nodes answer for the address, and when all is well again one does.
import { describe, expect, test } from 'vitest';
import { Stage } from './simulation/stage.fixture.ts';

/** `VIRTUAL_IP_SEEDS=3000` looks further than there is time for every day. */
const perHubs = Number(process.env['VIRTUAL_IP_SEEDS'] ?? 100);

describe.each([1, 2, 3, 4])('with %i hubs', (hubs) => {
  test('never two holders, and always one in the end', () => {
    const stuck: number[] = [];
    let moves = 0;
    for (let seed = 1; seed <= perHubs; seed++) {
      const stage = new Stage(seed * 10 + hubs, { hubs });
      stage.trouble(60);
      const isWell = stage.heal();
      expect(stage.world.violations, `seed ${seed}`).toEqual([]);
      if (!isWell) stuck.push(seed);
      moves += stage.db.moves;
    }
    expect(stuck).toEqual([]);
    expect(moves).toBeGreaterThan(perHubs);
  }, 600_000);
});

test('the simulation would notice: a process that forgets what others may have answered makes two holders', () => {
  const seeds = Array.from({ length: 600 }, (_, i) => i + 1);
  const caught = seeds.some((seed) => {
    const stage = new Stage(seed, { hubs: 1 + (seed % 3), forgetful: true });
    stage.trouble(60);
    return stage.world.violations.length > 0;
  });
  expect(caught).toBe(true);
}, 120_000);
