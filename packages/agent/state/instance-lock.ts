// The lock of the one agent: of this state directory, and of this machine (its network namespace). Held by a lock
// of the kernel's, which ends with the process however that ends.

import { spawnSync } from 'node:child_process';
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  writeSync,
} from 'node:fs';
import { ProductError } from '@powernode/core/errors';
import { agentLockWaitS } from '@powernode/core/limits/agent';
import { toolEnvironment } from '../ports/run.ts';
import type { StateFolder } from './folder.ts';

const machineFolder = '/run/powernode';

export interface InstanceLock {
  leave(): void;
}

/** Takes both locks, or says who has them. */
export function takeInstanceLock(folder: StateFolder): InstanceLock {
  folder.prepare();
  const own = lock(folder.at('agent.lock'), `of ${folder.path}`);
  try {
    const machine = lock(machineLockFile(), 'of this instance');
    return {
      leave() {
        closeSync(machine);
        closeSync(own);
      },
    };
  } catch (error) {
    closeSync(own);
    throw error;
  }
}

/** One for each network namespace: two agents in one would remove each other's interfaces. */
function machineLockFile(): string {
  try {
    mkdirSync(machineFolder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new ProductError('machine_unsupported', `The agent needs a writable /run (${machineFolder}).`, {
      cause: error,
    });
  }
  const namespace = /\d+/.exec(readlinkSync('/proc/self/ns/net'))?.[0] ?? '0';
  return `${machineFolder}/agent-${namespace}.lock`;
}

function lock(file: string, whose: string): number {
  const handle = openSync(file, 'a+', 0o600);
  // flock locks the open file that it inherits, which is the one held here; Node itself has no call for it.
  const outcome = spawnSync('flock', ['--exclusive', '--timeout', String(agentLockWaitS), '3'], {
    env: toolEnvironment,
    stdio: ['ignore', 'ignore', 'ignore', handle],
  });
  if (outcome.status === 0) {
    ftruncateSync(handle);
    writeSync(handle, `${process.pid}\n`);
    return handle;
  }
  closeSync(handle);
  if (outcome.error !== undefined) {
    throw new ProductError(
      'machine_unsupported',
      'The agent needs flock. On Debian: apt-get install util-linux',
      {
        cause: outcome.error,
      },
    );
  }
  const pid = /^\d+/.exec(readFileSync(file, 'utf8'))?.[0] ?? 'unknown';
  throw new ProductError('conflict', `The agent ${whose} is running already (process ${pid}).`);
}
