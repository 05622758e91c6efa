// Rows of routes: what the platform chose and what peers declare, as one list.
import { expect, it } from 'vitest';
import { bestWords, routeRows } from './route-rows.ts';

const lan = (prefix: string, peer_id: string, part: object = {}) => ({
  prefix,
  peer_id,
  source: 'declared_lan_subnet' as const,
  description: '',
  preference: 100,
  withdrawn_at: null,
  ...part,
});
const summary = { as_number: 64_512, static_routes: [], bgp_routes: [] };

it('static routes have all peers in front of them, the used one first', () => {
  const rows = routeRows(
    {
      ...summary,
      routing_mode: 'static',
      static_routes: [{ prefix: '10.7.0.0/24', via_peer_id: 'b', source: 'declared_lan_subnet' }],
    },
    [
      lan('10.7.0.0/24', 'a', { preference: 300, description: 'Tokyo' }),
      lan('10.7.0.0/24', 'c', { preference: 50 }),
      lan('10.7.0.0/24', 'b', { description: 'Tokyo' }),
      lan('10.8.0.0/24', 'a', { withdrawn_at: '2026-11-29T10:00:00.000Z' }),
    ],
  );
  expect(rows).toEqual([
    {
      id: '10.7.0.0/24',
      source: 'declared_lan_subnet',
      description: 'Tokyo',
      best: 'b',
      nearestOf: [],
      holders: [
        { peerId: 'b', preference: 100 },
        { peerId: 'a', preference: 300 },
        { peerId: 'c', preference: 50 },
      ],
    },
  ]);
});

it('a prefix that no peer can be reached for has no best path, and stays in the list', () => {
  const rows = routeRows({ ...summary, routing_mode: 'static' }, [lan('10.7.0.0/24', 'a')]);
  expect(rows).toMatchObject([{ id: '10.7.0.0/24', best: null, holders: [{ peerId: 'a' }] }]);
});

it('what BGP chose says its source, also to whoever may not read what peers declare', () => {
  const bgp_routes = [
    { prefix: 'fd00::7/128', source: 'virtual_ip:v', holders: ['a', 'b'], best: 'b', nearest_of: [] },
    { prefix: 'fd00:7::/64', source: 'peer:a', holders: ['a'], best: null, nearest_of: [] },
  ];
  expect(routeRows({ ...summary, routing_mode: 'ibgp', bgp_routes }, [])).toMatchObject([
    { id: 'fd00::7/128', source: 'virtual_ip', best: 'b', holders: [{ peerId: 'b' }, { peerId: 'a' }] },
    { id: 'fd00:7::/64', source: 'declared_lan_subnet', best: null, holders: [{ preference: null }] },
  ]);
});

it('an anycast address with several usable holders has no best one, and is not without a path', () => {
  const nameOf = (id: string) => id.toUpperCase();
  const route = { prefix: 'fd00::7/128', source: 'virtual_ip:v', holders: ['a', 'b', 'c'], best: null };
  const [row] = routeRows(
    { ...summary, routing_mode: 'ibgp', bgp_routes: [{ ...route, nearest_of: ['a', 'b'] }] },
    [],
  );
  if (row === undefined) throw new Error('no row');
  expect(bestWords(row, nameOf)).toBe('the nearest of 2');
  expect(bestWords({ ...row, nearestOf: [] }, nameOf)).toBe('none usable');
  expect(bestWords({ ...row, best: 'c', nearestOf: [] }, nameOf)).toBe('via C');
});

it('peers without FRR are in front of a prefix too, alone or beside those that announce it', () => {
  const fixed = (prefix: string, via_peer_id: string, source = 'declared_lan_subnet') => ({
    ...{ prefix, via_peer_id, source },
  });
  const rows = routeRows(
    {
      ...{ ...summary, routing_mode: 'ibgp' },
      static_routes: [
        fixed('10.7.0.0/24', 'b'),
        fixed('10.8.0.0/24', 'c'),
        fixed('fd00::7/128', 'a', 'virtual_ip'),
        fixed('fd00::7/128', 'b', 'virtual_ip'),
      ],
      bgp_routes: [{ prefix: '10.7.0.0/24', source: 'peer:b', holders: ['a'], best: 'b', nearest_of: [] }],
    },
    [],
  );
  expect(rows).toMatchObject([
    { id: '10.7.0.0/24', best: 'b', holders: [{ peerId: 'b' }, { peerId: 'a' }] },
    { id: '10.8.0.0/24', best: 'c' },
    { id: 'fd00::7/128', source: 'virtual_ip', best: null, nearestOf: ['a', 'b'] },
  ]);
});
