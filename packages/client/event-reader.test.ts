// What the reader of event streams promises, however the network cuts the text.

import { eventCharactersMax } from '@powernode/core/limits/clients';
import { describe, expect, it } from 'vitest';
import { createEventReader, type ServerSentEvent } from './event-reader.ts';

function readAll(text: string, pieceLength: number): ServerSentEvent[] {
  const reader = createEventReader();
  const found: ServerSentEvent[] = [];
  for (let at = 0; at < text.length; at += pieceLength) {
    found.push(...reader.push(text.slice(at, at + pieceLength)));
  }
  return found;
}

const stream = ': hello\n\nid: 7\ndata: {"a":1}\n\nid: 8\nevent: changed\ndata: one\ndata: two\n\n';
const messages = [
  { id: '7', event: 'message', data: '{"a":1}' },
  { id: '8', event: 'changed', data: 'one\ntwo' },
];

describe('the reader of server-sent events', () => {
  it.each([1, 2, 3, 7, 1000])('gives the same messages for pieces of %i characters', (length) => {
    expect(readAll(stream, length)).toEqual(messages);
  });

  it.each(['\r\n', '\r'])('takes %j for the end of a line', (end) => {
    const text = `${stream.replaceAll('\n', end)}:\n`;
    for (const length of [1, 2, 5, 1000]) expect(readAll(text, length)).toEqual(messages);
  });

  it('says nothing of comments, of empty events, and of an event that is not complete', () => {
    expect(readAll(': ping\n\nevent: x\n\ndata: half', 4)).toEqual([]);
  });

  it('keeps the last id for messages without one', () => {
    expect(readAll('id: a\ndata: 1\n\ndata: 2\n\n', 50).map((m) => m.id)).toEqual(['a', 'a']);
  });

  it('takes off one space only, and knows fields without a colon', () => {
    expect(readAll('data:  x\ndata\ndata:y\n\n', 50)[0]?.data).toBe(' x\n\ny');
  });

  it('drops the mark at the beginning of a text', () => {
    expect(readAll('\uFEFFdata: 1\n\n', 50)).toHaveLength(1);
  });

  it('begins with the id of the connection before, and takes one without data too', () => {
    const reader = createEventReader('41');
    expect(reader.push('data: 1\n\n')).toEqual([{ id: '41', event: 'message', data: '1' }]);
    reader.push('id: 42\n\n');
    expect(reader.lastEventId).toBe('42');
  });

  it.each([
    ['an event', `data: ${'x'.repeat(1000)}\n`],
    ['a line', 'data: '],
  ])('refuses %s that never ends', (_what, first) => {
    const reader = createEventReader();
    const piece = first.endsWith('\n') ? first : 'x'.repeat(1000);
    reader.push(first);
    expect(() => {
      for (let size = 0; size <= eventCharactersMax; size += 1000) reader.push(piece);
    }).toThrow(/above the limit/);
  });
});
