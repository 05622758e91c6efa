// What counts as a frame of a node: JSON that two readers could not take differently.
import { nodeFrameDepthMax } from '@powernode/core/limits/node-stream';
import { newestCapability } from '@powernode/core/wire/capability';
import { expect, test } from 'vitest';
import { readCapabilities, readFrame } from './read-frame.ts';

const read = (text: string) => readFrame(text, newestCapability);
const applied = '"revision":3,"hash":"0123456789abcdef0123456789abcdef"';

test('a frame of the protocol is read', () => {
  expect(read(`{"kind":"applied",${applied}}`)).toMatchObject({ kind: 'message', message: { revision: 3 } });
});

test.each([
  ['a name that stands twice', `{"kind":"applied",${applied},"revision":4}`],
  ['a name that stands twice, once written otherwise', `{"kind":"applied",${applied},"revisio\\u006e":4}`],
  ['a kind that stands twice', `{"kind":"resync","kind":"applied",${applied}}`],
  ['NUL', `{"kind":"failed","revision":0,"message":"\\u0000"}`],
  ['half of a surrogate pair', `{"kind":"failed","revision":0,"message":"\\ud800"}`],
  [
    'what is nested too deep',
    `{"kind":"failed","x":${'['.repeat(nodeFrameDepthMax)}${']'.repeat(nodeFrameDepthMax)}}`,
  ],
  ['nothing', ''],
  ['no JSON', '{"kind":'],
])('%s is not read [9.22]', (_, text) => {
  expect(read(text).kind).toBe('unreadable');
});

test('nor is a first frame with a name that stands twice [9.22]', () => {
  expect(readCapabilities('{"kind":"hello","capability":5}')).toMatchObject({ newest: 5 });
  expect(readCapabilities('{"kind":"hello","capability":5,"capability":9}')).toBeNull();
});
