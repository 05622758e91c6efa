// Questions to a running agent on its socket.
import { expect, test } from 'vitest';
import { freshFolder } from '../fixtures/folder.ts';
import { askAgent, serveControl } from './control.ts';

test('an answer that fails ends its own connection, and the next question is answered', async () => {
  const folder = freshFolder();
  let isWell = false;
  const control = await serveControl(folder, async () => {
    if (isWell) return { is: 'well' };
    throw new Error('no answer');
  });
  expect(await askAgent(folder, 'status')).toBeNull();
  isWell = true;
  expect(await askAgent(folder, 'status')).toEqual({ is: 'well' });
  control.close();
  expect(await askAgent(folder, 'status')).toBeNull();
});
