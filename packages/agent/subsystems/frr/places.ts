// The folders of the agent's FRR below /run: one for each agent and network namespace, in it zebra and bfdd, and one
// folder for each network's bgpd. Configuration files belong to root; what daemons write is in folders of theirs.
import { createHash } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ProductError } from '@powernode/core/errors';
import { socketPathBytesMax } from '@powernode/core/limits/agent';
import type { FrrDaemon, FrrPrograms } from './programs.ts';

const parent = '/run/powernode-frr';

/** Ids of networks. */
const networkShape = /^[A-Za-z0-9_-]{1,40}$/;

/** Zebra is there for next hops and BFD. Without this line it makes a next hop object for each interface. */
const zebraText = 'no zebra nexthop kernel enable\n';

export class FrrPlaces {
  readonly root: string;

  /** `root` of one agent: another state folder or network namespace is another agent. */
  constructor(root: string) {
    this.root = root;
  }

  static of(stateFolder: string, netNamespace = '/proc/self/ns/net'): FrrPlaces {
    const digest = createHash('sha256').update(path.resolve(stateFolder)).digest('hex').slice(0, 12);
    return new FrrPlaces(`${parent}/${digest}-${statSync(netNamespace).ino}`);
  }

  /** Where a daemon has its sockets. `network`: of a bgpd. */
  folderOf(daemon: FrrDaemon, network: string | null): string {
    return network === null ? `${this.root}/${daemon}` : `${this.root}/${daemon}-${network}`;
  }

  vtyOf(daemon: FrrDaemon, network: string | null): string {
    return `${this.folderOf(daemon, network)}/${daemon}.vty`;
  }

  get zebraSocket(): string {
    return `${this.folderOf('zebra', null)}/zserv.api`;
  }

  configOf(daemon: FrrDaemon): string {
    return `${this.root}/${daemon}.conf`;
  }

  /** Makes the folder of a daemon, with nothing of an earlier one in it. Root alone writes above it. */
  prepare(daemon: FrrDaemon, network: string | null, owner: Pick<FrrPrograms, 'uid' | 'gid'>): void {
    if (network !== null && !networkShape.test(network))
      throw new Error(`not the id of a network: ${network}`);
    const folder = this.folderOf(daemon, network);
    const longest = this.vtyOf(daemon, network);
    if (Buffer.byteLength(longest) > socketPathBytesMax) {
      throw new ProductError('invalid_configuration', `${longest} is too long for a socket.`);
    }
    try {
      for (const above of [path.dirname(this.root), this.root]) {
        mkdirSync(above, { recursive: true, mode: 0o755 });
        chmodSync(above, 0o755);
      }
      writeFileSync(this.configOf(daemon), daemon === 'zebra' ? zebraText : '', { mode: 0o644 });
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { mode: 0o750 });
      chownSync(folder, owner.uid, owner.gid);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new ProductError('invalid_configuration', `The folder of FRR cannot be used: ${reason}`, {
        cause: error,
      });
    }
  }

  remove(daemon: FrrDaemon, network: string | null): void {
    rmSync(this.folderOf(daemon, network), { recursive: true, force: true });
  }

  /** Everything of this agent; the folder above it when no other agent has anything there. */
  removeAll(): void {
    rmSync(this.root, { recursive: true, force: true });
    try {
      rmdirSync(path.dirname(this.root));
    } catch (error) {
      // Not there, or another agent's.
      if (!(error instanceof Error && 'code' in error)) throw error;
    }
  }
}
