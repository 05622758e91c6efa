// The agent as one program: a bundle of its sources inside a copy of Node (a single executable application).
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { rolldown } from 'rolldown';
import { workerAsset } from '../probe/prober.ts';

/** Node looks for its application behind this word; it stands in every Node binary. */
const sentinel = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

const sources = path.join(import.meta.dirname, '..');

/** Answers with the file to put into a Node of the version that runs this; it is the same for every processor. */
export async function bundleAgent(work: string): Promise<string> {
  await bundle('main.ts', path.join(work, 'agent.cjs'));
  await bundle('probe/worker.ts', path.join(work, workerAsset));
  const blob = path.join(work, 'agent.blob');
  const settings = {
    main: path.join(work, 'agent.cjs'),
    output: blob,
    // A thread has no file to start from inside the application, so its code is kept beside it.
    assets: { [workerAsset]: path.join(work, workerAsset) },
    disableExperimentalSEAWarning: true,
    // Either would bind the file to one processor.
    useSnapshot: false,
    useCodeCache: false,
  };
  const file = path.join(work, 'sea.json');
  writeFileSync(file, JSON.stringify(settings));
  run(process.execPath, ['--experimental-sea-config', file]);
  return blob;
}

/** Puts the bundle into a copy of `node`. */
export function makeProgram({
  node,
  blob,
  program,
}: {
  readonly node: string;
  readonly blob: string;
  readonly program: string;
}): void {
  copyFileSync(node, program);
  chmodSync(program, 0o755);
  const postject = createRequire(import.meta.url).resolve('postject/dist/cli.js');
  run(process.execPath, [postject, program, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', sentinel]);
}

/** One CommonJS file, which is what Node 24 takes for such an application. */
async function bundle(entry: string, file: string): Promise<void> {
  const build = await rolldown({
    input: path.join(sources, entry),
    platform: 'node',
    transform: { target: 'node24' },
  });
  await build.write({ file, format: 'cjs', minify: true, codeSplitting: false });
  await build.close();
}

/** What the tools print is shown only when they fail: postject warns of sections of Node that it does not know. */
export function run(command: string, args: readonly string[]): void {
  execFileSync(command, [...args], { stdio: ['ignore', 'pipe', 'pipe'] });
}
