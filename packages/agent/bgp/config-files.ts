// What FRR's daemons were last made to run, in the agent's folder, so that an engineer can read it: one file for each
// daemon with a configuration of its own. The daemons do not read them; a text that FRR refuses is not written.
import type { Logger } from 'pino';
import type { StateFolder } from '../state/folder.ts';

/** Below the agent's folder. */
export const configFolder = 'frr';

export interface ConfigFilesParts {
  readonly folder: Pick<StateFolder, 'read' | 'write' | 'remove' | 'list' | 'prepare'>;
  readonly log: Pick<Logger, 'warn'>;
}

export class ConfigFiles {
  readonly #parts: ConfigFilesParts;

  constructor(parts: ConfigFilesParts) {
    this.#parts = parts;
  }

  /** The text that a daemon has taken as a whole. `network`: of a bgpd. */
  accepted(daemon: 'bfdd' | 'bgpd', network: string | null, text: string): void {
    const { folder } = this.#parts;
    const name = `${configFolder}/${fileOf(daemon, network)}`;
    this.#attempt(() => {
      if (folder.read(name) === text) return;
      folder.prepare(configFolder);
      folder.write(name, text);
    });
  }

  /** Removes the files of other networks; without any network, all of them. */
  keepOnly(networks: readonly string[]): void {
    const { folder } = this.#parts;
    const kept = new Set(networks.map((network) => fileOf('bgpd', network)));
    if (networks.length > 0) kept.add(fileOf('bfdd', null));
    this.#attempt(() => {
      for (const file of folder.list(configFolder)) {
        if (!kept.has(file)) folder.remove(`${configFolder}/${file}`);
      }
    });
  }

  /** Nothing depends on the files: a disk that does not take them keeps no daemon from being configured. */
  #attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#parts.log.warn({ err: error }, 'the file with the configuration of FRR could not be written');
    }
  }
}

function fileOf(daemon: string, network: string | null): string {
  return network === null ? `${daemon}.conf` : `${daemon}-${network}.conf`;
}
