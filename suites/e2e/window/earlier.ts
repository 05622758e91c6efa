// The programs of an earlier commit: the platform as sources and the agent as one file, both of a commit of this
// repository, with the dependencies that are installed here.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { checkout } from '../../../packages/lab/fleet/programs.ts';

/**
 * What the window has to hold: with each new step of core/wire/capability.ts, the last commit before it. This is the last
 * one that speaks step 4.
 */
export const earlierCommit = 'ec73ecd19968b89c5db6c046a02d5a822aee0df5';

export interface EarlierPrograms {
  readonly platform: string;
  readonly agent: string;
}

/** null: this is a copy without its history. */
export function hasEarlier(): boolean {
  try {
    execFileSync('git', ['cat-file', '-e', `${earlierCommit}^{commit}`], { cwd: checkout, stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

export function buildEarlier(folder: string): EarlierPrograms {
  const tree = path.join(folder, 'checkout');
  mkdirSync(tree);
  const archive = path.join(folder, 'checkout.tar');
  execFileSync('git', ['archive', '--output', archive, earlierCommit, 'packages', 'package.json'], {
    cwd: checkout,
  });
  execFileSync('tar', ['-xf', archive, '-C', tree]);
  linkDependencies(tree);
  const agent = path.join(folder, 'agent');
  const build = path.join(tree, 'packages/agent/build.ts');
  execFileSync(process.execPath, [build, agent], { stdio: ['ignore', 'ignore', 'inherit'] });
  return {
    platform: path.join(tree, 'packages/platform/main.ts'),
    agent: path.join(agent, `powernode-agent-${process.platform}-${process.arch}`),
  };
}

/** Each by itself: what is of this repository has to be of that commit. */
function linkDependencies(tree: string): void {
  const own = '@powernode';
  const modules = path.join(tree, 'node_modules');
  mkdirSync(path.join(modules, own), { recursive: true });
  for (const name of readdirSync(path.join(checkout, 'node_modules'))) {
    if (name !== own) symlinkSync(path.join(checkout, 'node_modules', name), path.join(modules, name));
  }
  for (const name of readdirSync(path.join(tree, 'packages'))) {
    symlinkSync(path.join(tree, 'packages', name), path.join(modules, own, name));
    const nested = path.join('packages', name, 'node_modules');
    if (existsSync(path.join(checkout, nested))) {
      symlinkSync(path.join(checkout, nested), path.join(tree, nested));
    }
  }
}
