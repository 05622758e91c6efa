// Builds the agent as one file for machines without Node: a bundle of its sources inside a copy of the Node that
// runs this (a single executable application). `node packages/agent/build.ts [FOLDER]`, packages/agent/dist by default.
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { rolldown } from 'rolldown';
import { workerAsset } from './probe/prober.ts';

/** Node looks for its application behind this word; it stands in every Node binary. */
const sentinel = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

const target = path.resolve(process.argv[2] ?? path.join(import.meta.dirname, 'dist'));
const program = path.join(target, `powernode-agent-${process.platform}-${process.arch}`);
const work = mkdtempSync(path.join(tmpdir(), 'powernode-agent-build-'));
try {
  await bundle('main.ts', path.join(work, 'agent.cjs'));
  await bundle('probe/worker.ts', path.join(work, workerAsset));
  makeBlob(work);
  mkdirSync(target, { recursive: true });
  // Beside its place and then moved there: the program may be running.
  const draft = `${program}.draft`;
  copyFileSync(process.execPath, draft);
  chmodSync(draft, 0o755);
  const postject = createRequire(import.meta.url).resolve('postject/dist/cli.js');
  const blob = path.join(work, 'agent.blob');
  run(process.execPath, [postject, draft, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', sentinel]);
  run('mv', ['--force', draft, program]);
  process.stdout.write(`${program} (${Math.round(statSync(program).size / 1e6)} MB)\n`);
} finally {
  rmSync(work, { recursive: true, force: true });
}

/** One CommonJS file, which is what Node 24 takes for such an application. */
async function bundle(entry: string, file: string): Promise<void> {
  const build = await rolldown({
    input: path.join(import.meta.dirname, entry),
    platform: 'node',
    transform: { target: 'node24' },
  });
  await build.write({ file, format: 'cjs', minify: true, codeSplitting: false });
  await build.close();
}

function makeBlob(folder: string): void {
  const settings = {
    main: path.join(folder, 'agent.cjs'),
    output: path.join(folder, 'agent.blob'),
    // A thread has no file to start from inside the application, so its code is kept beside it.
    assets: { [workerAsset]: path.join(folder, workerAsset) },
    disableExperimentalSEAWarning: true,
    useSnapshot: false,
    useCodeCache: false,
  };
  const file = path.join(folder, 'sea.json');
  writeFileSync(file, JSON.stringify(settings));
  run(process.execPath, ['--experimental-sea-config', file]);
}

/** What the tools print is shown only when they fail: postject warns of sections of Node that it does not know. */
function run(command: string, args: readonly string[]): void {
  execFileSync(command, [...args], { stdio: ['ignore', 'pipe', 'pipe'] });
}
