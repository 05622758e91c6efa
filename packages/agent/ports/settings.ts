// The port to the kernel's settings (sysctl) of this network namespace.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { ProductError } from '@powernode/core/errors';

/** A setting by its path below /proc/sys, such as `net/ipv6/conf/all/forwarding` (a name may hold dots). */
export interface Settings {
  /** null: the kernel has no such setting (an interface that is gone, IPv6 switched off). */
  read(path: string): string | null;
  write(path: string, value: string): void;
  /** The names below a folder of settings. */
  list(path: string): string[];
}

export const systemSettings: Settings = {
  read(path) {
    try {
      return readFileSync(`/proc/sys/${path}`, 'utf8').trim();
    } catch (error) {
      if (isMissing(error)) return null;
      throw refused(`/proc/sys/${path} cannot be read`, error);
    }
  },
  write(path, value) {
    try {
      writeFileSync(`/proc/sys/${path}`, value);
    } catch (error) {
      throw refused(`/proc/sys/${path} cannot be set to ${value}`, error);
    }
  },
  list(path) {
    try {
      return readdirSync(`/proc/sys/${path}`);
    } catch (error) {
      if (isMissing(error)) return [];
      throw refused(`/proc/sys/${path} cannot be listed`, error);
    }
  },
};

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function refused(what: string, error: unknown): ProductError {
  const reason = error instanceof Error ? error.message : String(error);
  return new ProductError('command_failed', `${what}: ${reason}`, { cause: error });
}
