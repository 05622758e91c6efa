// The agent's packages as they were built: which there are, and what is answered to somebody who asks for one.
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline, type Readable, Transform } from 'node:stream';
import { ProductError } from '@powernode/core/errors';
import { packageDownloadsMax, packageIdleMs, packageManifestBytesMax } from '@powernode/core/limits/packages';
import {
  installScriptPath,
  manifestName,
  type PackageManifest,
  packageManifest,
  packagesPath,
} from '@powernode/core/wire/packages';
import type { Clock } from '../trust/clock.ts';
import { installScript } from './script.ts';

export interface Download {
  readonly type: string;
  readonly bytes: number;
  /**
   * Whoever opens it reads it to its end or destroys it; until then a package counts as a download that goes on.
   * `idle` is called once nothing was taken of it for `packageIdleMs`: then whoever does not take it is cut off.
   */
  open(idle: () => void): Readable | string;
}

export interface Downloads {
  /** Whether this path is one of a download, whatever becomes of it. */
  covers(path: string): boolean;
  /** `not_found` for what there is not, `rate_limited` while too many go on. */
  find(path: string): Promise<Download>;
}

export interface DownloadsParts {
  /** Where the build puts them; it may come to be, and change, while the platform runs. */
  readonly directory: string;
  /** Where nodes reach the platform. */
  readonly nodeUrl: () => string;
  /** Of the node listener's key; see \`listenerPin\`. */
  readonly pin: string;
  readonly clock: Pick<Clock, 'after'>;
}

export function createDownloads(parts: DownloadsParts): Downloads {
  let open = 0;
  const packageNamed = async (name: string): Promise<Download> => {
    const found = (await readManifest(parts.directory))?.packages.find((one) => one.name === name);
    if (found === undefined) throw nothing();
    const file = path.join(parts.directory, name);
    if ((await stat(file).catch(() => null))?.size !== found.bytes) throw nothing();
    if (open >= packageDownloadsMax) {
      throw new ProductError('rate_limited', 'Too many downloads are in progress. Try again in a minute.');
    }
    return {
      type: 'application/octet-stream',
      bytes: found.bytes,
      open: (idle) => {
        open++;
        const content = createReadStream(file, { start: 0, end: found.bytes - 1 });
        return watched(content, () => parts.clock.after(packageIdleMs, idle)).once('close', () => {
          open--;
        });
      },
    };
  };
  return {
    covers: (asked) => asked === installScriptPath || asked.startsWith(packagesPath),
    find: async (asked) => {
      if (asked === installScriptPath) {
        const manifest = await readManifest(parts.directory);
        const script = installScript({ manifest, platform: parts.nodeUrl(), pin: parts.pin });
        return text('text/x-shellscript; charset=utf-8', script);
      }
      const name = asked.slice(packagesPath.length);
      if (name !== manifestName) return packageNamed(name);
      const manifest = await readManifest(parts.directory);
      if (manifest === null) throw nothing();
      return text('application/json', `${JSON.stringify(manifest)}\n`);
    },
  };
}

/** The same bytes; `wait` begins a wait for the next of them to be taken, and answers how to call it off. */
function watched(content: Readable, wait: () => () => void): Readable {
  let callOff = wait();
  // A chunk is asked for only when there is room, which is when one before it was taken.
  const taken = new Transform({
    transform: (chunk, _encoding, done) => {
      callOff();
      callOff = wait();
      done(null, chunk);
    },
  });
  taken.once('close', () => callOff());
  // Whoever reads is told of an error by the stream itself.
  pipeline(content, taken, () => undefined);
  return taken;
}

function nothing(): ProductError {
  return new ProductError('not_found', 'This platform has no such package.');
}

function text(type: string, content: string): Download {
  return { type, bytes: Buffer.byteLength(content), open: () => content };
}

/** null: there is none, or the build is not of this version's kind. */
async function readManifest(directory: string): Promise<PackageManifest | null> {
  const file = path.join(directory, manifestName);
  try {
    if ((await stat(file)).size > packageManifestBytesMax) return null;
    return packageManifest.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return null;
  }
}
