// The commands to nft for leased addresses, as text, and how its replies are read. What it makes of it:
// active-lease-sets.net.test.ts.
import { expect, test } from 'vitest';
import { leaseCommand, readReply } from './active-lease-sets.ts';

const six = 'inet powernode pn_active_leases6';
const four = 'inet powernode pn_active_leases4';

test('an address is taken out before it is put in with its new time, each family in its own set', () => {
  const until = new Map([
    ['fd00:99::a', 1_400.7],
    ['fd00:99::b', 1_001],
    ['100.64.0.9', 1_050],
  ]);
  expect(leaseCommand(until, 1_000)).toBe(
    [
      `add element ${six} { fd00:99::a, fd00:99::b }`,
      `delete element ${six} { fd00:99::a, fd00:99::b }`,
      `add element ${six} { fd00:99::a timeout 400ms, fd00:99::b timeout 1ms }`,
      `add element ${four} { 100.64.0.9 }`,
      `delete element ${four} { 100.64.0.9 }`,
      `add element ${four} { 100.64.0.9 timeout 50ms }`,
    ].join('; '),
  );
});

test('what is over by now, or in less than a millisecond, is only taken out', () => {
  const until = new Map([
    ['fd00:99::a', 1_000.9],
    ['fd00:99::b', 900],
    ['fd00:99::c', 1_002],
  ]);
  expect(leaseCommand(until, 1_000)).toBe(
    [
      `add element ${six} { fd00:99::a, fd00:99::b, fd00:99::c }`,
      `delete element ${six} { fd00:99::a, fd00:99::b, fd00:99::c }`,
      `add element ${six} { fd00:99::c timeout 2ms }`,
    ].join('; '),
  );
  expect(leaseCommand(new Map([['100.64.0.9', 5]]), 1_000)).toBe(
    `add element ${four} { 100.64.0.9 }; delete element ${four} { 100.64.0.9 }`,
  );
});

// As nft 1.0.6 prints them.
const answer =
  '{"nftables": [{"metainfo": {"version": "1.0.6", "release_name": "Lester Gooch #5", "json_schema_version": 1}}, {"table": {"family": "inet", "name": "powernode", "handle": 1}}]}\n';
const refusal =
  'Error: No such file or directory\nadd element inet powernode pn_active_leases6 { fd00:99::a }\n                           ^^^^^^^^\n';

test('a write is done when the query behind it is answered, and refused when nft complained before', () => {
  expect(readReply(answer)).toEqual({ complaint: null });
  expect(readReply(refusal + answer)).toEqual({ complaint: 'Error: No such file or directory' });
  expect(readReply(`internal:0:0-0: ${refusal}${answer}`)).toEqual({
    complaint: 'Error: No such file or directory',
  });
});

test('nothing is known before the whole answer is there', () => {
  for (let length = 0; length < answer.length; length++) {
    expect(readReply(refusal + answer.slice(0, length))).toBeNull();
  }
});

test('prompts, and what looks like an answer and is none, are passed over', () => {
  expect(readReply(`nft> nft> ${answer}`)).toEqual({ complaint: null });
  expect(readReply('{"nftables": 1}\n{"nftables" }\n}\n')).toBeNull();
});
