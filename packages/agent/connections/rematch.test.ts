// What becomes of connections when the tool that marks them finds others than those that were listed, or fails.
import { entriesOf, networkId, others, own } from '@powernode/core/compile/firewall/random-rules.fixture';
import { agentOutputBytesMax, endedConnectionMark, rematchAgainMs } from '@powernode/core/limits/agent';
import { nodeProblemDetailMax } from '@powernode/core/limits/node-stream';
import type { EntryValue } from '@powernode/core/wire/document';
import { nodeDocumentOf } from '@powernode/core/wire/node-document.fixture';
import { pino } from 'pino';
import { expect, test, vi } from 'vitest';
import type { FoundProblem } from '../observe/problems.ts';
import { FakeClock } from '../ports/clock.fixture.ts';
import { FakeRun } from '../ports/run.fixture.ts';
import type { Outcome } from '../ports/run.ts';
import { noHostEnds } from './connections.fixture.ts';
import { Rematch } from './rematch.ts';

const [far = own] = others;
const open = [1, 2, 3, 4, 5, 6];
const ended = [11, 12, 13, 14, 15, 16];

/** A LAN of this machine, and those of others. */
const lan: EntryValue = {
  ...{ kind: 'lan', key: 'lan/s', network_id: networkId, subnet_id: 's', handle: 'test' },
  ...{ prefix: 'fd00:7::/64', local_prefix: 'fd00:7::/64', source_nat: false },
};
const remote = ['fd00:9::/64', '2001:db8:9::/48'].map(
  (prefix): EntryValue => ({
    ...{ kind: 'subnet', key: `subnet/${prefix}`, network_id: networkId, subnet_id: prefix, prefix },
    ...{ peer_id: 'p', next_hop: far[0], preference: 100 },
    by: [{ interface: 'wg-test', public_key: 'k' }],
  }),
);

const documentWith = (defaultPolicy: 'accept' | 'drop') =>
  nodeDocumentOf(entriesOf({ rules: [], members: [], defaultPolicy }), [lan], remote);
const documents = { accept: documentWith('accept'), drop: documentWith('drop') };

/** `isLong`: whether a listing is longer than is read, by its filter. */
function situation(answer: (port: string) => Partial<Outcome>, isLong = (_: string) => false) {
  const listing = [...open, ...ended]
    .map((port) => {
      const there = `src=${far[0]} dst=${own[0]} sport=40000 dport=${port}`;
      const back = `src=${own[0]} dst=${far[0]} sport=${port} dport=40000`;
      const mark = ended.includes(port) ? endedConnectionMark : 0;
      return `ipv6 10 udp 17 119 ${there} ${back} [ASSURED] mark=${mark} use=1\n`;
    })
    .join('');
  const run = new FakeRun({
    conntrack: ({ args }) => {
      if (args[0] !== '-L') return answer(args[args.indexOf('--dport') + 1] ?? '');
      if (isLong(args.slice(5).join(' '))) return { stdout: listing.padEnd(agentOutputBytesMax + 1) };
      return { stdout: args.includes('ipv6') ? listing : '' };
    },
  });
  const clock = new FakeClock();
  let told: readonly FoundProblem[] = [];
  const log = pino({ level: 'silent' });
  const warned = vi.spyOn(log, 'warn');
  const rematch = new Rematch({
    run,
    clock,
    log,
    host: { bridges: [] },
    hostEnds: () => noHostEnds,
    problems: {
      set: (_, found) => {
        told = found;
      },
    },
  });
  const apply = async (defaultPolicy: 'accept' | 'drop') => {
    rematch.applied(documents[defaultPolicy]);
    await clock.advance(0);
  };
  const marked = () => run.log.filter((line) => line.startsWith('conntrack -U')).length;
  return { clock, apply, marked, warned, told: () => told };
}

/** What conntrack 1.4.7 does when no entry of its table is meant. */
const none = {
  exitCode: 1,
  stderr: 'conntrack v1.4.7 (conntrack-tools): 0 flow entries have been updated.\n',
};

test('those that have ended by themselves since they were listed keep no other from being ended [9.35]', async () => {
  const { apply, marked, told, clock } = situation((port) => (Number(port) <= 2 ? none : {}));
  await apply('drop');
  expect(marked()).toBe(open.length);
  expect(told()).toEqual([]);
  await clock.advance(10 * rematchAgainMs);
  expect(marked()).toBe(open.length);
});

test('a tool that fails is told, and tried again until it does not, without another document [9.35]', async () => {
  let fails = true;
  const { apply, marked, told, clock } = situation(() => (fails ? { exitCode: 1, stderr: 'busy' } : {}));
  await apply('drop');
  expect(told()).toMatchObject([{ code: 'connections_not_rematched' }]);
  await clock.advance(rematchAgainMs);
  expect(told()).toHaveLength(1);
  fails = false;
  const before = marked();
  // Each pause is twice as long as the last one.
  await clock.advance(rematchAgainMs);
  expect(told()).toHaveLength(1);
  await clock.advance(rematchAgainMs);
  expect(told()).toEqual([]);
  expect(marked() - before).toBe(open.length);
  await clock.advance(10 * rematchAgainMs);
  expect(marked() - before).toBe(open.length);
});

test('rules that are as before the failure are matched all the same: some may be marked [9.35]', async () => {
  let fails = false;
  const { apply, marked, told } = situation(() => (fails ? { exitCode: 1, stderr: 'busy' } : {}));
  await apply('drop');
  fails = true;
  await apply('accept');
  expect(told()).toHaveLength(1);
  fails = false;
  const before = marked();
  await apply('drop');
  expect(marked() - before).toBe(open.length);
  expect(told()).toEqual([]);
});

test('a pair whose listing is too long is named, and keeps no other from being ended [9.35]', async () => {
  let isLong = true;
  const pair = '-s fd00:7::/64 -d fd00:9::/64';
  const { apply, marked, told, clock } = situation(
    () => ({}),
    (filter) => isLong && filter === pair,
  );
  await apply('drop');
  expect(marked()).toBe(open.length);
  expect(told()).toMatchObject([{ code: 'connections_not_rematched' }]);
  expect(told()[0]?.detail).toContain(
    'among those from fd00:7::/64 to fd00:9::/64: conntrack lists more than 32 MB of them.',
  );
  await clock.advance(rematchAgainMs);
  expect(told()).toHaveLength(1);
  isLong = false;
  await clock.advance(2 * rematchAgainMs);
  expect(told()).toEqual([]);
  const before = marked();
  await clock.advance(10 * rematchAgainMs);
  expect(marked()).toBe(before);
});

test('of very many listings that are too long some are named, in one detail [9.35]', async () => {
  const { apply, marked, told } = situation(
    () => ({}),
    (filter) => !filter.startsWith('-q'),
  );
  await apply('drop');
  expect(marked()).toBe(open.length);
  const [problem, ...others] = told();
  expect(others).toEqual([]);
  expect(problem?.detail).toMatch(/among those from \S+, those to \S+ and \d+ more lists: /);
  expect(problem?.detail.length).toBeLessThan(nodeProblemDetailMax);
});

test('what it fails with is logged once, and another failure as well [9.35]', async () => {
  let fails: string | null = null;
  const { apply, warned, clock } = situation(
    () => (fails === null ? {} : { exitCode: 1, stderr: fails }),
    (filter) => filter === '-s fd00:7::/64 -d fd00:9::/64',
  );
  await apply('drop');
  await clock.advance(3 * rematchAgainMs);
  expect(warned).toHaveBeenCalledTimes(1);
  fails = 'busy';
  await clock.advance(4 * rematchAgainMs);
  expect(warned).toHaveBeenCalledTimes(2);
  expect(warned.mock.calls[1]?.[0]).toMatchObject({ err: { said: 'busy' } });
  fails = 'permission denied';
  await clock.advance(8 * rematchAgainMs);
  expect(warned).toHaveBeenCalledTimes(3);
  expect(warned.mock.calls[2]?.[0]).toMatchObject({ err: { said: 'permission denied' } });
});
