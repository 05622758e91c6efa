// Messages of the bus as they travel through Redis, which others may read and write.
import { expect, test } from 'vitest';
import { decodeEnvelope, encodeEnvelope } from './bus-message.ts';
import type { BusMessage } from './event-bus.ts';

const accountId = '0199a000-0000-7000-8000-000000000001';
const changed = { kind: 'changed', accountId, sequence: 7 } as const;
const messages = [
  changed,
  { kind: 'instance_ended', accountId, instanceId: 'i' },
  { kind: 'retry', instanceId: 'i' },
  { kind: 'capability', instanceId: 'i', capability: 5 },
] as const;

test.each(messages)('what is on the bus has no place for a secret or a document: $kind', (message) => {
  const read = (more: object) =>
    decodeEnvelope(JSON.stringify({ from: 'a', message: { ...message, ...more } }));
  expect(read({})).toEqual({ from: 'a', message });
  for (const more of [{ token: 'pnt_secret' }, { document: {} }, { private_key: 'x' }]) {
    expect(read(more)).toBeNull();
  }
});

test.each([
  ['nothing', ''],
  ['no JSON', '{"from":'],
  ['no envelope', JSON.stringify(changed)],
  ['an envelope with more in it', JSON.stringify({ from: 'a', message: changed, more: 1 })],
  ['a kind that is not known', JSON.stringify({ from: 'a', message: { kind: 'document', accountId } })],
  ['a member of another type', JSON.stringify({ from: 'a', message: { ...changed, sequence: '7' } })],
])('what is none of ours is passed over: %s', (_, text) => {
  expect(decodeEnvelope(text)).toBeNull();
});

test('what is ours arrives with its sender', () => {
  expect(decodeEnvelope(encodeEnvelope('one', changed as unknown as BusMessage))).toEqual({
    from: 'one',
    message: changed,
  });
});
