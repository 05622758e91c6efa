// The agent's folder: private to its user, every file written whole and durably, so that a power cut leaves the
// old content or the new one. What a file means stands in
// the module that names it, such as current-document.ts.
import {
  appendFileSync,
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { ProductError } from '@powernode/core/errors';
import { agentStateBytesMax } from '@powernode/core/limits/agent';

export class StateFolder {
  readonly path: string;

  constructor(folder: string) {
    this.path = path.resolve(folder);
  }

  at(name: string): string {
    return path.join(this.path, name);
  }

  /** Makes the folder (and one below it) if it is not there, for its user only. */
  prepare(below = ''): void {
    const folder = this.at(below);
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      if ((statSync(folder).mode & 0o777) !== 0o700) chmodSync(folder, 0o700);
    } catch (error) {
      throw unusable(folder, error);
    }
  }

  has(name: string): boolean {
    return existsSync(this.at(name));
  }

  /** The content of a file, or null when there is none. */
  read(name: string): string | null {
    const file = this.at(name);
    try {
      const { size } = statSync(file);
      if (size > agentStateBytesMax) {
        throw new ProductError(
          'invalid_configuration',
          `${file} has ${size} bytes; it was not written by the agent.`,
        );
      }
      return readFileSync(file, 'utf8');
    } catch (error) {
      if (isMissing(error)) return null;
      if (error instanceof ProductError) throw error;
      throw unusable(file, error);
    }
  }

  /** Replaces a file as a whole; when this returns, the new content survives a power cut. */
  write(name: string, content: string): void {
    const file = this.at(name);
    const draft = `${file}.draft`;
    try {
      writeDurably(draft, content);
      renameSync(draft, file);
      syncFolder(path.dirname(file));
    } catch (error) {
      throw unusable(file, error);
    }
  }

  /** Writes a file without waiting for the disk: a power cut may leave anything. For what can be found out again. */
  note(name: string, content: string): void {
    const file = this.at(name);
    try {
      writeFileSync(file, content, { mode: 0o600 });
    } catch (error) {
      throw unusable(file, error);
    }
  }

  /** Adds to a file durably. A power cut may leave a part of the addition. */
  append(name: string, content: string): void {
    const file = this.at(name);
    try {
      const fresh = !existsSync(file);
      const handle = openSync(file, 'a', 0o600);
      try {
        appendFileSync(handle, content);
        fsyncSync(handle);
      } finally {
        closeSync(handle);
      }
      if (fresh) syncFolder(this.path);
    } catch (error) {
      throw unusable(file, error);
    }
  }

  /** Cuts a file to so many bytes. */
  cut(name: string, bytes: number): void {
    try {
      truncateSync(this.at(name), bytes);
    } catch (error) {
      throw unusable(this.at(name), error);
    }
  }

  move(from: string, to: string): void {
    try {
      renameSync(this.at(from), this.at(to));
      syncFolder(path.dirname(this.at(from)));
      syncFolder(path.dirname(this.at(to)));
    } catch (error) {
      throw unusable(this.at(to), error);
    }
  }

  remove(name: string): void {
    try {
      rmSync(this.at(name), { force: true, recursive: true });
    } catch (error) {
      throw unusable(this.at(name), error);
    }
  }

  list(below: string): string[] {
    try {
      return readdirSync(this.at(below));
    } catch (error) {
      if (isMissing(error)) return [];
      throw unusable(this.at(below), error);
    }
  }
}

function writeDurably(file: string, content: string): void {
  const handle = openSync(file, 'w', 0o600);
  try {
    let written = 0;
    const bytes = Buffer.from(content, 'utf8');
    while (written < bytes.length) written += writeSync(handle, bytes, written);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Makes a rename in this folder durable. */
function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function unusable(file: string, error: unknown): ProductError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  const advice =
    code === 'EACCES' || code === 'EPERM'
      ? 'run the agent as root, or choose a folder of your own with --state-dir'
      : 'see that the disk is writable and has room';
  return new ProductError('invalid_configuration', `${file} cannot be used (${code}): ${advice}.`, {
    cause: error,
  });
}
