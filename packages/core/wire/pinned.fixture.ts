// Test support: the frames of every capability of the window as literals. They are what agents and platforms out there
// say, so those of a released step are never changed; a step adds a file with the frames in which it differs from the one
// before. The file of the newest step is derived (newest-step.test.ts), and may be missing before that was done.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { earliestCapability, newestCapability } from './capability.ts';

const frame = z.looseObject({ kind: z.string() });
export type PinnedFrame = z.infer<typeof frame>;

const step = z.strictObject({
  capability: z.int(),
  node: z.array(frame),
  platform: z.array(frame),
  entries: z.array(frame),
  /** Of each member that has one of a list of values: that list. */
  lists: z.record(z.string(), z.array(z.union([z.string(), z.number()]))),
  /** The part of the machine that each code of a problem belongs to: a platform takes it with that one only. */
  problems: z.record(z.string(), z.string()),
});
export type PinnedStep = z.infer<typeof step>;

export function pinnedStep(capability: number): PinnedStep {
  return step.parse(JSON.parse(readFileSync(pinnedFile(capability), 'utf8')));
}

export function pinnedFile(capability: number): string {
  return path.join(import.meta.dirname, 'fixtures', `capability-${capability}.json`);
}

export const pinnedSteps: readonly PinnedStep[] = Array.from(
  { length: newestCapability - earliestCapability + 1 },
  (_, i) => earliestCapability + i,
)
  .filter((capability) => capability < newestCapability || existsSync(pinnedFile(capability)))
  .map(pinnedStep);

/** What a side of this capability says of a kind: the literals of the newest step up to it that has some. */
export function pinnedFrames(
  of: 'node' | 'platform' | 'entries',
  kind: string,
  capability: number,
): PinnedFrame[] {
  for (const one of pinnedSteps.toReversed()) {
    const found = one.capability > capability ? [] : one[of].filter((frame) => frame.kind === kind);
    if (found.length > 0) return found;
  }
  throw new Error(`no frame of kind ${kind} is pinned`);
}
