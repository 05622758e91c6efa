// Statements in fields: nothing is lost on the way there and back, and the order is that of evaluation.
import { expect, it } from 'vitest';
import {
  draftsOf,
  firstDraft,
  moved,
  positionsOf,
  type Statement,
  statementParameters,
  withOneMore,
} from './statement-drafts.ts';

const peer = '01990000-0000-7000-8000-00000000000a';
const statements: readonly Statement[] = [
  {
    seq: 10,
    match: {
      prefix: 'fd00:7::/64',
      prefix_ge: 64,
      prefix_le: 96,
      peer,
      community: '65000:1',
      as_path: '_65001_',
    },
    set: { local_pref: 0, med: 5, community: '65000:2', prepend: '65001 65001', next_hop: 'fd00::1' },
    action: 'permit',
  },
  { seq: 20, match: {}, set: { prepend: 2 }, action: 'permit' },
  { seq: 30, match: {}, set: {}, action: 'deny' },
];

it('what a policy has comes back as it was', () => {
  expect(statementParameters(draftsOf(statements))).toEqual(statements);
});

it('a new statement matches all and comes last', () => {
  const drafts = withOneMore(draftsOf(statements));
  expect(statementParameters(drafts).at(-1)).toEqual({ seq: 40, match: {}, set: {}, action: 'permit' });
  expect(new Set(drafts.map(({ key }) => key)).size).toBe(4);
  expect(withOneMore([])).toEqual([firstDraft]);
});

it('a statement that is moved takes the number of the one whose place it takes', () => {
  const drafts = moved(draftsOf(statements), 2, -1);
  expect(statementParameters(drafts)).toEqual([
    statements[0],
    { ...statements[2], seq: 20 },
    { ...statements[1], seq: 30 },
  ]);
  expect(moved(drafts, 0, -1)).toBe(drafts);
  expect(moved(drafts, 2, 1)).toBe(drafts);
});

it('what is denied has nothing set, and is sent so', () => {
  const [first = firstDraft] = draftsOf(statements);
  expect(statementParameters([{ ...first, action: 'deny' }])[0]).toMatchObject({ set: {}, action: 'deny' });
});

it('numbers that are written in another order are sent in theirs, and each draft knows its place', () => {
  const drafts = draftsOf(statements).map((draft, i) => ({ ...draft, seq: String([30, 10, 20][i]) }));
  expect(statementParameters(drafts).map(({ seq }) => seq)).toEqual([10, 20, 30]);
  expect(positionsOf(drafts)).toEqual([2, 0, 1]);
});

it('what is no number is sent as it is written, for the platform to refuse', () => {
  const [first = firstDraft] = draftsOf(statements);
  expect(statementParameters([{ ...first, localPref: 'high', prepend: '12 x' }])[0]?.set).toMatchObject({
    local_pref: 'high',
    prepend: '12 x',
  });
});
