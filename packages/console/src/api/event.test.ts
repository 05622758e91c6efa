// What the console accepts as an event, and how it names its object.
import { describe, expect, it } from 'vitest';
import { type Event, readEvent, subjectOf, turnOf } from './event.ts';

const event: Event = {
  id: '0199aaaa-0000-7000-8000-000000000001',
  account_id: '0199aaaa-0000-7000-8000-00000000000a',
  kind: 'sdwan.network.created',
  severity: 'info',
  at: '2025-11-21T20:00:00.000Z',
  actor: { kind: 'operator', id: null, name: 'admin' },
  correlation_id: 'c',
  payload: { before: null, after: { id: 'n', name: 'office' } },
};

describe('an event', () => {
  it('is read from its text', () => {
    expect(readEvent(JSON.stringify(event))).toEqual(event);
  });

  it.each([
    ['half of one', '{"id":', 'it is not an object'],
    ['a list', '[]', 'it is not an object'],
    ['one without a kind', JSON.stringify({ ...event, kind: 4 }), 'kind is not text'],
    ['one of unknown severity', JSON.stringify({ ...event, severity: 'loud' }), 'severity is unknown'],
    ['one without a payload', JSON.stringify({ ...event, payload: null }), 'payload is not an object'],
    ['one of nobody', JSON.stringify({ ...event, actor: {} }), 'actor has no name'],
  ])('that is %s is refused with the reason and the text', (_what, text, reason) => {
    expect(() => readEvent(text)).toThrow(reason);
    expect(() => readEvent(text)).toThrow(text.slice(0, 40));
  });

  it('tells what was before and after', () => {
    expect(turnOf(event)).toEqual({ before: null, after: { id: 'n', name: 'office' } });
    expect(turnOf({ ...event, payload: { before: 'x' } })).toEqual({ before: null, after: null });
  });

  it('is called by its object, whether that came or went', () => {
    expect(subjectOf(event)).toBe('office');
    expect(subjectOf({ ...event, payload: { before: { hostname: 'edge1' }, after: null } })).toBe('edge1');
    expect(subjectOf({ ...event, payload: { hostname: 'edge2' } })).toBe('edge2');
    expect(subjectOf({ ...event, payload: {} })).toBe('');
  });
});
