// The demo as a person runs it: it stays with its lab until it is told to end, and leaves nothing then.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkout } from './fleet/programs.ts';
import { labsFound } from './life/down.ts';
import { waitFor } from './stage/process.ts';
import { ownLabFolder, uniqueName } from './testing/scene.ts';

const limitMs = 120_000;
const againMs = 20;
let removeFolder: () => Promise<void>;
beforeAll(async () => {
  removeFolder = await ownLabFolder();
});
afterAll(() => removeFolder());

test('stays until Ctrl-C, which takes the lab down', async () => {
  const name = uniqueName('demo');
  const file = path.join(path.dirname(process.env['POWERNODE_LAB_DIR'] ?? ''), 'demo.yaml');
  await writeFile(
    file,
    JSON.stringify({
      name,
      platforms: [{ name: 'main' }],
      hosts: [
        { name: 'hub1', on: 'public', role: 'hub' },
        { name: 'edge1', on: 'public' },
      ],
      networks: [{ name: 'demo', topology_strategy: 'hub_and_spoke', hosts: ['hub1', 'edge1'] }],
    }),
  );
  const demo = spawn(process.execPath, [path.join(checkout, 'packages/lab/demo.ts'), '--file', file]);
  const ended = once(demo, 'exit');
  let said = '';
  for (const stream of [demo.stdout, demo.stderr])
    stream.on('data', (text: Buffer) => (said += String(text)));
  await waitFor({ what: 'the demo to be there', limitMs }, () => said.includes('Ctrl-C ends the lab.'));
  expect(said).toContain('2 of 2 pairs answered.');
  const url = /Console:\s+(\S+)/.exec(said)?.[1] ?? '';
  // Whoever has nothing more to do ends at once: a few turns of questions and answers are enough to see it.
  for (let turn = 0; turn < 20; turn++) expect((await fetch(`${url}healthz`)).status).toBe(200);
  expect(demo.exitCode).toBe(null);
  // npm and a shell pass it on too, so that it comes more than once.
  const insisting = setInterval(() => demo.kill('SIGINT'), againMs);
  const how = await ended;
  clearInterval(insisting);
  expect(how).toEqual([0, null]);
  expect(said).toContain('The lab is gone');
  expect(await labsFound()).toEqual([]);
});
