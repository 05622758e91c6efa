// What the reader of event streams promises, however the network cuts the text.
import { describe, expect, it } from 'vitest';
import { createSseReader, type SseMessage } from './sse.ts';

function readAll(text: string, pieceLength: number): SseMessage[] {
  const reader = createSseReader();
  const found: SseMessage[] = [];
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

  it('remembers how long the server wants readers to wait', () => {
    const reader = createSseReader();
    reader.push('retry: 250\nretry: soon\n');
    expect(reader.retryMs).toBe(250);
  });

  it('refuses an event that never ends', () => {
    const reader = createSseReader();
    const megabyte = `data: ${'x'.repeat(1024 * 1024)}\n`;
    expect(() => {
      for (let i = 0; i < 10; i++) reader.push(megabyte);
    }).toThrow(/above the limit/);
  });
});
