// A listing as it was captured from nft 1.0.6, and what is read from it.
import { expect, test } from 'vitest';
import { readListing } from './ruleset.ts';

const rule = (comment: string) =>
  `{"rule": {"family": "inet", "table": "powernode", "chain": "pn_forward", "handle": 6, ${comment}"expr": [{"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": "@pn_overlay"}}, {"drop": null}]}}`;
const ours = '"comment": "powernode 506162d4d0366ad7", ';
const chain =
  '{"chain": {"family": "inet", "table": "powernode", "name": "pn_forward", "handle": 1, "type": "filter", "hook": "forward", "prio": 0, "policy": "accept"}}';

function listing(...rest: readonly string[]): string {
  const head =
    '{"metainfo": {"version": "1.0.6", "release_name": "Lester Gooch #5", "json_schema_version": 1}}, {"table": {"family": "inet", "name": "powernode", "handle": 3}}, {"set": {"family": "inet", "name": "pn_overlay", "table": "powernode", "type": "ifname", "handle": 2, "elem": ["wg-abc-1", "wg-abc"]}}, {"set": {"family": "inet", "name": "pn_empty", "table": "powernode", "type": "ifname", "handle": 3}}';
  return `{"nftables": [${[head, ...rest].join(', ')}]}`;
}

test('the table as it was loaded', () => {
  expect(readListing(listing(chain, rule(ours), rule(ours)))).toEqual({
    hash: '506162d4d0366ad7',
    ruleCount: 2,
    chainFits: true,
    sets: new Map([
      ['pn_overlay', ['wg-abc', 'wg-abc-1']],
      ['pn_empty', []],
    ]),
  });
});

test('rules of somebody else, or none, leave no hash', () => {
  expect(readListing(listing(chain, rule(ours), rule(''))).hash).toBeNull();
  expect(readListing(listing(chain, rule('"comment": "mine", '))).hash).toBeNull();
  expect(readListing(listing(chain)).hash).toBeNull();
});

test('another chain, or the same elsewhere, does not fit', () => {
  expect(readListing(listing(rule(ours))).chainFits).toBe(false);
  expect(readListing(listing(chain, chain.replace('pn_forward', 'other'))).chainFits).toBe(false);
  expect(readListing(listing(chain.replace('"forward"', '"input"'))).chainFits).toBe(false);
  expect(readListing(listing(chain.replace('"prio": 0', '"prio": 10'))).chainFits).toBe(false);
});

test('what cannot be read is refused and quoted', () => {
  expect(() => readListing('nothing')).toThrow(/nft printed a listing that cannot be read: nothing/);
});
