// What is kept of changes on trial and of one that was taken back, so that an agent which is killed, or a machine that
// starts anew, goes on with it. Beside the document, which is kept as the platform wants it.
import type { Before, Reverted } from '@powernode/core/compile/take-back';
import { parseJson } from '@powernode/core/json';
import { entryValue } from '@powernode/core/wire/document';
import { z } from 'zod';
import type { RemoteEndpoint } from '../link/stream.ts';
import type { StateFolder } from '../state/folder.ts';
import type { TrialStep } from './trial.ts';

const trialFile = 'trial.json';

/** A change that was taken back. */
export interface RolledBack {
  readonly revision: number;
  /** RFC 3339. */
  readonly at: string;
  /** What was lost, for people. */
  readonly lost: string;
  /** The network whose hubs were lost; null: it was the platform. */
  readonly networkId: string | null;
  readonly reverted: readonly Reverted[];
  /** It is known that the path came back because of it. */
  readonly isProven: boolean;
  /** It is a second time for the same change. */
  readonly isRetried: boolean;
}

export interface TrialState {
  readonly steps: readonly TrialStep[];
  /** When the oldest of them came, by the wall clock. */
  readonly sinceMs: number;
  /** The steps are a change that was taken back once. */
  readonly isRetry: boolean;
  /** Where the platform was last. */
  readonly remote: RemoteEndpoint | null;
  readonly rolledBack: RolledBack | null;
}

const step = z.object({
  revision: z.int(),
  before: z.array(z.tuple([z.string(), entryValue.nullable()])),
});
const wanted = z.object({ key: z.string(), field: z.string().nullable(), rejected: z.string().nullable() });
const state = z.object({
  steps: z.array(step),
  sinceMs: z.number(),
  isRetry: z.boolean(),
  remote: z.object({ address: z.string(), port: z.int() }).nullable(),
  rolledBack: z
    .object({
      revision: z.int(),
      at: z.string(),
      lost: z.string(),
      networkId: z.string().nullable(),
      reverted: z.array(wanted.extend({ instead: z.unknown(), along: wanted.nullable() })),
      isProven: z.boolean(),
      isRetried: z.boolean(),
    })
    .nullable(),
});

export const nothingOnTrial: TrialState = {
  steps: [],
  sinceMs: 0,
  isRetry: false,
  remote: null,
  rolledBack: null,
};

/** What cannot be read is nothing: the document is then applied as it is. */
export function readTrial(folder: StateFolder): TrialState {
  const parsed = state.safeParse(parseJson(folder.read(trialFile) ?? ''));
  if (!parsed.success) return nothingOnTrial;
  const { steps, ...rest } = parsed.data;
  return { ...rest, steps: steps.map((one) => ({ revision: one.revision, before: new Map(one.before) })) };
}

/** Durable when it returns. */
export function writeTrial(folder: StateFolder, { steps, ...rest }: TrialState): void {
  if (steps.length === 0 && rest.rolledBack === null) return folder.remove(trialFile);
  const plain = steps.map((one) => ({ revision: one.revision, before: pairs(one.before) }));
  folder.write(trialFile, JSON.stringify({ ...rest, steps: plain }));
}

function pairs(before: Before): [string, unknown][] {
  return [...before];
}
