// What the command line has of the outside: streams, environment, standard input. Tests give their own.

import type { Readable } from 'node:stream';
import type { CommandContext } from '@stricli/core';

export interface Output {
  write(text: string): void;
}

export interface World {
  readonly stdout: Output & { readonly columns?: number | undefined };
  readonly stderr: Output;
  readonly stdin: Readable & { readonly isTTY?: boolean; setRawMode?(on: boolean): unknown };
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** For commands without flags. */
export type NoFlags = object;

/** What every command finds in `this`. */
export interface CliContext extends CommandContext {
  readonly world: World;
}
