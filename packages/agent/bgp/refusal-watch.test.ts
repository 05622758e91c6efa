// What is asked of bgpd about refusals, and when.
import { refusalLookMs, refusalSettleMs } from '@powernode/core/limits/agent';
import { expect, test } from 'vitest';
import { FakeClock } from '../ports/clock.fixture.ts';
import { VtyFailure } from '../subsystems/frr/vty-connection.ts';
import { RefusalWatch } from './refusal-watch.ts';

const neighbor = 'fd00::2';
const filters = ([4, 6] as const).map((family) => ({ map: `pn-from${family}-a`, neighbor, family }));

function site() {
  const clock = new FakeClock();
  const counts = { 'pn-from4-a': 0, 'pn-from6-a': 0 };
  const told: unknown[] = [];
  const asked: string[] = [];
  const state = { isGone: false };
  const answer = () => ({
    BGP: Object.fromEntries(
      Object.entries(counts).map(([name, invoked]) => [name, { rules: [{ type: 'deny', invoked }] }]),
    ),
  });
  const lost = () => new VtyFailure('lost', 'bgpd is gone');
  const watch = new RefusalWatch({
    clock,
    changed: () => told.push(watch.of(neighbor)),
    vty: {
      generation: 1,
      show: (command) => Promise.resolve(asked.push(command)).then(() => ''),
      showJson: (command, read) => {
        asked.push(command);
        return state.isGone ? Promise.reject(lost()) : Promise.resolve(read(answer()));
      },
    },
  });
  const pass = (ms: number) => clock.advance(ms);
  return { watch, counts, told, asked, pass, state };
}

test('without neighbors that are filtered nothing is asked', async () => {
  const { watch, asked, pass } = site();
  watch.expect([]);
  await pass(2 * refusalSettleMs);
  expect(asked).toEqual([]);
});

test('a refusal is told, and a neighbor that may have refused ones is asked for its paths', async () => {
  const { watch, counts, told, asked, pass } = site();
  counts['pn-from6-a'] = 1;
  watch.expect(filters);
  await pass(refusalSettleMs + refusalLookMs);
  expect(asked.filter((command) => command.startsWith('clear'))).toEqual([
    `clear bgp ipv6 unicast ${neighbor} soft in`,
  ]);
  counts['pn-from6-a'] = 4;
  await pass(2 * refusalSettleMs);
  expect(told.at(-1)).toMatchObject({ ipv4: 0, ipv6: 3 });
  const times = told.length;
  // Nothing is told that is the same.
  await pass(refusalSettleMs);
  expect(told.length).toBe(times);
  watch.stop();
  asked.length = 0;
  await pass(refusalSettleMs);
  expect(asked).toEqual([]);
});

test('a daemon that is gone is asked again when it is there', async () => {
  const { watch, counts, told, pass, state } = site();
  watch.expect(filters);
  state.isGone = true;
  await pass(refusalSettleMs);
  expect(told).toEqual([]);
  state.isGone = false;
  await pass(2 * refusalSettleMs);
  counts['pn-from4-a'] = 2;
  await pass(2 * refusalSettleMs);
  expect(told.at(-1)).toMatchObject({ ipv4: 2, ipv6: 0 });
});
