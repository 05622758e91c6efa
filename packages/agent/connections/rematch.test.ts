// What becomes of connections when the tool that marks them finds others than those that were listed, or fails.
import { entriesOf, others, own } from '@powernode/core/compile/firewall/random-rules.fixture';
import { endedConnectionMark, rematchAgainMs } from '@powernode/core/limits/agent';
import { nodeDocumentOf } from '@powernode/core/wire/node-document.fixture';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { FakeClock } from '../ports/clock.fixture.ts';
import { FakeRun } from '../ports/run.fixture.ts';
import type { Outcome } from '../ports/run.ts';
import { noHostEnds } from './connections.fixture.ts';
import { Rematch } from './rematch.ts';

const [far = own] = others;
const open = [1, 2, 3, 4, 5, 6];
const ended = [11, 12, 13, 14, 15, 16];

const documentWith = (defaultPolicy: 'accept' | 'drop') =>
  nodeDocumentOf(entriesOf({ rules: [], members: [], defaultPolicy }));
const documents = { accept: documentWith('accept'), drop: documentWith('drop') };

function situation(answer: (port: string) => Partial<Outcome>) {
  const listing = [...open, ...ended]
    .map((port) => {
      const there = `src=${far[0]} dst=${own[0]} sport=40000 dport=${port}`;
      const back = `src=${own[0]} dst=${far[0]} sport=${port} dport=40000`;
      const mark = ended.includes(port) ? endedConnectionMark : 0;
      return `ipv6 10 udp 17 119 ${there} ${back} [ASSURED] mark=${mark} use=1\n`;
    })
    .join('');
  const run = new FakeRun({
    conntrack: ({ args }) =>
      args[0] === '-L'
        ? { stdout: args.includes('ipv6') ? listing : '' }
        : answer(args[args.indexOf('--dport') + 1] ?? ''),
  });
  const clock = new FakeClock();
  let told: readonly unknown[] = [];
  const rematch = new Rematch({
    run,
    clock,
    log: pino({ level: 'silent' }),
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
  return { clock, apply, marked, told: () => told };
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
