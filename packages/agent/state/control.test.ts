// Questions to a running agent on its socket.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
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

test('an agent that is killed while it is asked is none that runs', async () => {
  const folder = freshFolder();
  const listens =
    "require('net').createServer().listen(process.argv[1], () => { console.log('.'); for (;;); })";
  const agent = spawn(process.execPath, ['-e', listens, folder.at('agent.sock')], { stdio: 'pipe' });
  await once(agent.stdout, 'data');
  const answer = askAgent(folder, 'status');
  agent.kill('SIGKILL');
  expect(await answer).toBeNull();
});
