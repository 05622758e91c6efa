// Settings of the runtime for a process that waits for months and hardly computes: little memory before speed.
// Only `run` uses them. What each of them brought was measured (bench, agent memory).
import { existsSync } from 'node:fs';
import module from 'node:module';
import path from 'node:path';
import v8 from 'node:v8';
import vm from 'node:vm';

/** Set in the environment of a process that was started anew by `startAnew`: how often. */
const roundVariable = 'POWERNODE_AGENT_ROUND';

/** Before anything large is loaded. */
export function spareMemory(): void {
  // Compiled code for loops that run once in five seconds is memory for nothing.
  for (const flag of [
    '--no-opt',
    '--no-maglev',
    '--no-sparkplug',
    '--optimize-for-size',
    '--max-semi-space-size=1',
  ]) {
    v8.setFlagsFromString(flag);
  }
  v8.setFlagsFromString('--expose-gc');
}

/** Collects garbage now. V8 puts it off for as long as there is memory, and a machine's memory is not the agent's. */
export const collectGarbage: () => void = (() => {
  let collect: (() => void) | undefined;
  return () => {
    collect ??= vm.runInNewContext('gc') as () => void;
    collect();
  };
})();

/**
 * Run from a checkout, Node strips the types of each file, with a tool that stays in memory (20 MB). With a cache of
 * what it made it is not loaded at all; the cache has to be named when a process starts, and filled by one before.
 */
export function startAnewIfFat(entry: string): void {
  const round = Number(process.env[roundVariable] ?? 0);
  const isFat = process.env['NODE_COMPILE_CACHE'] === undefined || hasTypeStripper();
  if (!entry.endsWith('.ts') || !isFat || round >= 2 || process.execve === undefined) return;
  const cache = path.join(import.meta.dirname, '..', '..', '.powernode', 'compile-cache');
  if (!existsSync(path.dirname(cache))) return;
  module.flushCompileCache();
  const environment = { NODE_COMPILE_CACHE: cache, ...process.env, [roundVariable]: String(round + 1) };
  const args = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  process.execve(process.execPath, args, environment);
}

function hasTypeStripper(): boolean {
  const loaded = (process as { moduleLoadList?: readonly string[] }).moduleLoadList ?? [];
  return loaded.some((name) => name.endsWith('internal/deps/amaro/dist/index'));
}
