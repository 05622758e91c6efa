// Which lists an event concerns, and how a row is changed in place.
import { describe, expect, it } from 'vitest';
import { actionFacts } from './actions.ts';
import type { Event } from './event.ts';
import { nounsOf, patchPages, type RowChange, rowChangeOf } from './nouns.ts';

function event(kind: string, payload: Record<string, unknown>): Event {
  return {
    id: 'e',
    account_id: 'a',
    kind,
    severity: 'info',
    at: '',
    actor: { kind: 'platform', id: null, name: 'p' },
    correlation_id: 'c',
    payload,
  };
}

const pages = [
  {
    peers: [{ id: '1', tags: ['a'], network_id: 'n' }, { id: '2' }],
    count: 2,
    has_more: true,
    next_cursor: 'x',
  },
  { peers: [{ id: '3' }], count: 1, has_more: false, next_cursor: null },
];
const change: RowChange = { noun: 'peers', id: '2', after: { id: '2', status: 'silent' }, isNew: false };

describe('what an event concerns', () => {
  it('is more than its own noun, where others show it too', () => {
    expect(nounsOf('sdwan.peer.attached')).toContain('instances');
    expect(nounsOf('system.instance.joined')).toContain('join_tokens');
    expect(nounsOf('system.operator.disabled')).toEqual(['operators', 'api_tokens']);
  });

  it('is routing, where that follows from it', () => {
    expect(nounsOf('sdwan.bgp.session.lost')).toEqual(['sessions', 'routes', 'changes']);
    expect(nounsOf('sdwan.account_bgp.updated')).toContain('account_bgp');
    expect(nounsOf('sdwan.route_policy.updated')).toEqual(
      expect.arrayContaining(['route_policies', 'routes', 'route_findings']),
    );
    for (const kind of [
      'sdwan.peer.lan_subnets_updated',
      'sdwan.peer.unreachable',
      'sdwan.network.updated',
    ]) {
      expect(nounsOf(kind), kind).toContain('routes');
    }
    expect(nounsOf('system.instance.offline')).toContain('sessions');
  });

  it('is everything when the kind is not known', () => {
    expect(nounsOf('something.new')).toEqual(expect.arrayContaining(['networks', 'policies', 'api_tokens']));
  });

  it('is known for every change that the console makes', () => {
    const all = nounsOf('something.new');
    for (const { category } of Object.values(actionFacts)) {
      if (category !== null) expect(nounsOf(category), category).not.toBe(all);
    }
  });
});

describe('the row of an event', () => {
  it('is what nodes observe of a peer', () => {
    const payload = { peer_id: '2', hostname: 'edge1', last_handshake_at: '2025-11-21T20:00:00.000Z' };
    expect(rowChangeOf(event('sdwan.peer.silent', payload))).toEqual({
      noun: 'peers',
      id: '2',
      after: { id: '2', status: 'silent', last_handshake_at: '2025-11-21T20:00:00.000Z' },
      isNew: false,
    });
  });

  it('is the object before and after', () => {
    expect(
      rowChangeOf(event('sdwan.peer.updated', { before: { id: '2' }, after: { id: '2', tags: [] } })),
    ).toEqual({
      noun: 'peers',
      id: '2',
      after: { id: '2', tags: [] },
      isNew: false,
    });
    expect(rowChangeOf(event('sdwan.peer.detached', { before: { id: '2' }, after: null }))).toMatchObject({
      after: null,
    });
  });

  it.each([
    ['without an object', event('sdwan.peer.looked_at', { peer_id: '2' })],
    ['of something that is no list', event('system.policy.set', { before: { id: '2' }, after: { id: '2' } })],
  ])('is unknown for an event %s', (_what, of) => {
    expect(rowChangeOf(of)).toBeNull();
  });
});

describe('a list of pages', () => {
  it('has the changed row in place, and keeps what the event did not say', () => {
    const next = patchPages(pages, { ...change, id: '1', after: { id: '1', tags: ['b'] } }, {});
    expect(next[0]).toMatchObject({ peers: [{ id: '1', tags: ['b'], network_id: 'n' }, { id: '2' }] });
    expect(next[1]).toBe(pages[1]);
  });

  it('loses the row that is gone', () => {
    expect(patchPages(pages, { ...change, after: null }, {})[0]).toMatchObject({
      peers: [{ id: '1' }],
      count: 1,
    });
  });

  it('gets a new row at its end, when it passes the filters', () => {
    const fresh: RowChange = { noun: 'peers', id: '4', after: { id: '4', network_id: 'n' }, isNew: true };
    expect(patchPages(pages, fresh, { network_id: 'n' })[1]).toMatchObject({ count: 2 });
    expect(patchPages(pages, fresh, { network_id: 'm' })).toBe(pages);
  });

  it.each(['join_tokens', 'access_grants'] as const)('of %s begins with the newest', (noun) => {
    const list = [{ [noun]: [{ id: '1' }], count: 1, has_more: true, next_cursor: 'x' }];
    const fresh: RowChange = { noun, id: '2', after: { id: '2' }, isNew: true };
    expect(patchPages(list, fresh, {})[0]).toMatchObject({ [noun]: [{ id: '2' }, { id: '1' }], count: 2 });
  });

  it('does not grow while its end is not loaded, nor by rows that are not new', () => {
    const fresh: RowChange = { noun: 'peers', id: '4', after: { id: '4' }, isNew: true };
    expect(patchPages(pages.slice(0, 1), fresh, {})).toHaveLength(1);
    expect(patchPages(pages, { ...fresh, isNew: false }, {})).toBe(pages);
  });
});
