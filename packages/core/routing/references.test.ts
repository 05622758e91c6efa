// What a policy names in its network: peers, addresses, AS numbers.
import { expect, it } from 'vitest';
import type { PolicyStatement } from '../intent/route-policy.ts';
import { referenceFaults, resolved } from './references.ts';

const peers = new Map([['peer-1', 'fd00:99::101']]);
const statement = (seq: number, of: Partial<PolicyStatement>): PolicyStatement => ({
  seq,
  match: {},
  set: {},
  action: 'permit',
  ...of,
});

it('names each reference that is wrong', () => {
  const statements = [
    statement(1, { match: { peer: 'peer-1' }, set: { next_hop: 'fd00:99::101', prepend: '65001' } }),
    statement(2, { match: { peer: 'peer-2' }, set: { next_hop: 'fd00:99::102', prepend: '65001 65010' } }),
    statement(3, { set: { next_hop: '10.0.0.1' } }),
  ];
  expect(
    referenceFaults(statements, { as_number: 65_010, peers }).map(
      ({ path, message }) => `${path}: ${message}`,
    ),
  ).toEqual([
    'statements.1.match.peer: is no peer of this network: write the id of a peer that system_sdwan_list_peers shows',
    'statements.1.set.next_hop: is the address of no peer of this network: write the host_address of a peer, which IPv4 prefixes use too',
    'statements.1.set.prepend: has the AS number of the account (65010): write a number for how often to prepend it, or other AS numbers',
    'statements.2.set.next_hop: is an IPv4 address: write the host_address of a peer, which IPv4 prefixes use too',
  ]);
});

it('gives nodes the address of a peer, and leaves out what matches a peer that is gone', () => {
  const statements = [
    statement(1, { match: { peer: 'peer-1' } }),
    statement(2, { match: { peer: 'peer-2' } }),
    statement(3, {}),
  ];
  expect(resolved(statements, (id) => peers.get(id) ?? null)).toEqual([
    statement(1, { match: { announcer: 'fd00:99::101' } as PolicyStatement['match'] }),
    statement(3, {}),
  ]);
});
