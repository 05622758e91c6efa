// What the schema of route policies accepts, and what it says of what it does not.
import { describe, expect, it } from 'vitest';
import { fieldProblems, validationMessage } from '../validation.ts';
import { asPathFault, asPathPattern } from './as-path.ts';
import { policyStatements } from './route-policy.ts';

const parse = (statements: readonly unknown[]) =>
  policyStatements.safeParse(statements, { error: validationMessage });

function problems(...statements: readonly unknown[]): string[] {
  const { error } = parse(statements);
  return error === undefined
    ? []
    : fieldProblems(error, 'unknown').map(({ path, message }) => `${path}: ${message}`);
}

const one = (match: unknown, set: unknown = {}) => problems({ seq: 10, match, set, action: 'permit' });
const peer = '01890000-0000-7000-8000-000000000001';

describe('statements of a route policy', () => {
  it('are the example of the runbook, in the order of seq, with defaults', () => {
    const prefix = 'fd00:abcd:1:cafe::/96';
    const { data } = parse([
      { seq: 20, match: { prefix }, action: 'permit', set: { local_pref: 100 } },
      { seq: 10, match: { prefix, peer }, set: { local_pref: 200 }, action: 'permit' },
      { seq: 30, action: 'deny' },
    ]);
    expect(data).toEqual([
      { seq: 10, match: { prefix, peer }, set: { local_pref: 200 }, action: 'permit' },
      { seq: 20, match: { prefix }, set: { local_pref: 100 }, action: 'permit' },
      { seq: 30, match: {}, set: {}, action: 'deny' },
    ]);
  });

  it('name each wrong place, all at once', () => {
    expect(
      problems(
        { seq: 10, match: { prefix: 'fd00:1::5/64' }, action: 'permit' },
        { seq: 10, match: { prefix: 'fd00:1::/64', prefix_le: 48 }, action: 'permit' },
        { seq: 70_000, match: {}, set: { local_pref: -1 }, action: 'allow' },
      ),
    ).toEqual([
      '0.match.prefix: "fd00:1::5/64" has host bits set: write fd00:1::/64, or fd00:1::5/128 for the address alone',
      '1.match.prefix_le: can never match: a prefix inside fd00:1::/64 is not shorter than /64; write 64 or more',
      '2.seq: must be at most 65535',
      '2.set.local_pref: must be at least 0',
      '2.action: must be permit or deny',
    ]);
    expect(problems({ seq: 10, action: 'permit' }, { seq: 10, action: 'deny' })).toEqual([
      '1.seq: is the seq of statement 0 too: give each statement a seq of its own, in the order of evaluation',
    ]);
  });

  it.each([
    [{ prefix_ge: 64 }, '0.match.prefix_ge: needs a prefix: add match.prefix, or leave it out'],
    [
      { prefix: '10.0.0.0/8', prefix_le: 64 },
      '0.match.prefix_le: is longer than an address: write 32 at most for IPv4',
    ],
    [
      { prefix: '10.0.0.0/8', prefix_ge: 24, prefix_le: 16 },
      '0.match.prefix_le: can never match: it is less than prefix_ge (24); write 24 or more',
    ],
    [
      { prefix: '10.0.0.0/33' },
      '0.match.prefix: "10.0.0.0/33" is not a prefix: write address/length, such as fd00:1:2:3::/64 or 10.1.0.0/16',
    ],
    [
      { community: '65010' },
      '0.match.community: "65010" is not a community: write asn:value, such as 65010:20 (1 to 65534, then 0 to 65535), or one of graceful-shutdown, blackhole, no-export, no-advertise, local-AS, no-peer',
    ],
    [
      { as_path: '(a)\\1' },
      '0.match.as_path: must consist of digits, . _ ^ $ [0-9] ( ) | * + ?, such as _65001_',
    ],
    [{ asn: 5 }, '0.match.asn: unknown'],
  ])('refuse %j', (match, problem) => {
    expect(one(match)).toEqual([problem]);
  });

  it.each([
    [
      { prepend: 4 },
      '0.set.prepend: must be a number from 1 to 3, for the AS number of the account that many times, or a text of up to 10 other AS numbers, such as "65001 65001"',
    ],
    [
      { community: '70000:1' },
      '0.set.community: "70000:1" is not a community: write asn:value, such as 65010:20 (1 to 65534, then 0 to 65535), or one of graceful-shutdown, blackhole, no-export, no-advertise, local-AS, no-peer',
    ],
    [{ next_hop: 'hub1' }, '0.set.next_hop: "hub1" is not an IPv6 or IPv4 address'],
  ])('refuse to set %j', (set, problem) => {
    expect(one({}, set)).toEqual([problem]);
  });

  it('refuse to set anything on a path that is dropped', () => {
    expect(problems({ seq: 1, set: { med: 5 }, action: 'deny' })).toEqual([
      '0.set.med: does nothing, because a denied path is dropped: leave it out, or permit',
    ]);
  });

  it('write communities as bgpd prints them', () => {
    const { data } = parse([
      { seq: 1, set: { community: 'no-export  65010:2 65010:1 65010:2' }, action: 'permit' },
    ]);
    expect(data?.[0]?.set.community).toBe('65010:1 65010:2 no-export');
  });
});

describe('regular expressions of AS paths', () => {
  it.each([
    '^$',
    '_65001_',
    '^(65001_)+65002$',
    '^[0-9]+_65001',
    '65001|65002',
    '^65[^1-3]',
    '(_65001)?_65002',
  ])('accept %s', (text) => {
    expect(asPathFault(text)).toBeNull();
    expect(asPathPattern(text)).toBeInstanceOf(RegExp);
  });

  it.each([
    '(',
    ')',
    '()',
    '*',
    '^*',
    'a',
    '1**',
    '(1+)+',
    '(1|11)*',
    '.*1.*2.*3.*',
    '[9-0]',
    '1||2',
    '\\d',
    '1{2}',
    '|1',
    '(1|)',
  ])('refuse %s', (text) => {
    expect(asPathFault(text)).not.toBeNull();
  });

  it('take _ for an end or a separator', () => {
    const pattern = asPathPattern('_65001_');
    expect(['65001', '1 65001', '65001 1', '1 65001 1'].every((path) => pattern.test(path))).toBe(true);
    expect(['', '165001', '650011'].some((path) => pattern.test(path))).toBe(false);
  });
});
