// Who is told when nft writes the table, in front of tools that do not exist.
import { beforeEach, expect, test } from 'vitest';
import { FakeClock } from '../../ports/clock.fixture.ts';
import { FakeRun } from '../../ports/run.fixture.ts';
import type { Outcome } from '../../ports/run.ts';
import { hubAndSpoke, rules, services } from './chains/documents.fixture.ts';
import { rulesetFor } from './chains/rulesets.fixture.ts';
import { NftTable } from './table.ts';

const few = rulesetFor(hubAndSpoke);
const many = rulesetFor([...hubAndSpoke, ...services, ...rules], { previous: few });
const noTable: Partial<Outcome> = { exitCode: 1, stderr: 'Error: No such file or directory' };
const refusal: Partial<Outcome> = { exitCode: 1, stderr: 'Error: Device or resource busy' };
const written = ['loading', 'write', 'loaded'];

let events: string[];
/** How the next writes end; then they succeed. */
let ends: Partial<Outcome>[];
let table: NftTable;

beforeEach(() => {
  events = [];
  ends = [];
  const run = new FakeRun({
    nft: ({ args }) => {
      if (!args.includes('-f')) return noTable;
      events.push('write');
      return ends.shift() ?? {};
    },
  });
  const rulesLoading = () => void events.push('loading');
  const rulesLoaded = () => void events.push('loaded');
  table = new NftTable({ run, clock: new FakeClock(), rulesLoading, rulesLoaded });
});

const took = () => events.splice(0);

test('a whole table is told of around the run that writes it', async () => {
  await table.load(few, 'whole');
  expect(took()).toEqual(written);
});

test('so is a change, and what replaces the table when the change is refused', async () => {
  await table.load(few, 'whole');
  took();
  await table.load(many, 'change');
  expect(took()).toEqual(written);
  ends = [refusal, refusal];
  await table.load(few, 'change');
  expect(took()).toEqual([...written, ...written, ...written]);
});

test('the end is told of when nft refuses everything', async () => {
  ends = [refusal, refusal];
  await expect(table.load(few, 'whole')).rejects.toThrow('Device or resource busy');
  expect(took()).toEqual([...written, ...written]);
});

test('what differs in nothing is not told of', async () => {
  await table.load(few, 'whole');
  took();
  await table.load(rulesetFor(hubAndSpoke, { previous: few }), 'change');
  expect(took()).toEqual([]);
});

test('taking the table away is told of', async () => {
  await table.remove();
  expect(took()).toEqual(written);
});
