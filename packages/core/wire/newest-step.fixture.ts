// Test support: what the pinned frames of the newest step have to show, derived from today's schemas. Frames that are
// there stay as they are; a kind or a member that no step shows yet gets a frame with a value in every member.
import type { z } from 'zod';
import { newestCapability } from './capability.ts';
import { entryValue } from './document.ts';
import { fromEarlier } from './earlier.ts';
import { listsOf, membersOf, membersOfValue } from './members.fixture.ts';
import { type NodeProblemCode, nodeProblemTable, problemCapability } from './node-problems.ts';
import { nodeMessages, platformMessages } from './node-stream.ts';
import { type PinnedFrame, type PinnedStep, pinnedSteps } from './pinned.fixture.ts';

type Schema = z.core.$ZodType;
type Def = z.core.$ZodTypeDef & Readonly<Record<string, unknown>>;

/** Entries are pinned for themselves. */
export const leaves = ['document.entries[]', 'delta.set[]'];

const schemas = {
  node: nodeMessages.schema.options,
  platform: platformMessages.schema.options,
  entries: entryValue.options,
} as const;
type Part = keyof typeof schemas;

/** The newest step as its file should be. */
export function newestStep(): PinnedStep {
  const pinned = pinnedSteps.find(({ capability }) => capability === newestCapability);
  const step = pinned ?? { capability: newestCapability, node: [], platform: [], entries: [] };
  const frames = (part: Part) => [...step[part], ...sameWithCapability(part), ...missingFrames(part)];
  return {
    capability: newestCapability,
    node: frames('node'),
    platform: frames('platform'),
    entries: frames('entries'),
    lists: newLists(),
    problems: newProblems(),
  };
}

const earlierSteps = pinnedSteps.filter(({ capability }) => capability < newestCapability);

/** Frames that name the capability of their sender, of the step before, with that of the newest. */
function sameWithCapability(part: Part): PinnedFrame[] {
  const own = pinnedSteps.find(({ capability }) => capability === newestCapability)?.[part] ?? [];
  const named = (earlierSteps.at(-1)?.[part] ?? []).filter((frame) => 'capability' in frame);
  return named
    .filter(({ kind }) => !own.some((frame) => frame.kind === kind))
    .map((frame) => ({ ...frame, capability: newestCapability }));
}

function missingFrames(part: Part): PinnedFrame[] {
  const shown = new Set<string>();
  for (const step of pinnedSteps) {
    for (const frame of step[part]) {
      const today = fromEarlier(frame, step.capability) as PinnedFrame;
      for (const at of membersOfValue(frame, today.kind, leaves)) shown.add(at);
    }
  }
  return schemas[part].flatMap((option) => {
    const kind = [...option.shape.kind.values][0] ?? '';
    const isShown = [...membersOf(option, kind, leaves)].every((at) => shown.has(at));
    return isShown ? [] : [sampleFrame(option, kind)];
  });
}

function newLists(): PinnedStep['lists'] {
  const before: Record<string, readonly unknown[]> = {};
  for (const { lists } of earlierSteps) Object.assign(before, lists);
  const own = pinnedSteps.find(({ capability }) => capability === newestCapability)?.lists ?? {};
  const found: PinnedStep['lists'] = {};
  for (const option of Object.values(schemas).flat()) {
    const kind = [...option.shape.kind.values][0] ?? '';
    for (const [at, values] of listsOf(option, kind, leaves)) {
      if (at === `${kind}.kind` || haveSame(before[at], values)) continue;
      const pinned = own[at];
      found[at] = pinned !== undefined && haveSame(pinned, values) ? pinned : (values as string[]);
    }
  }
  return found;
}

function haveSame(a: readonly unknown[] | undefined, b: readonly unknown[]): boolean {
  return a !== undefined && a.length === b.length && b.every((value) => a.includes(value));
}

function newProblems(): PinnedStep['problems'] {
  const codes = Object.entries(nodeProblemTable).flatMap(([code, { subsystem }]) =>
    problemCapability(code as NodeProblemCode) === newestCapability ? [[code, subsystem] as const] : [],
  );
  return Object.fromEntries(codes);
}

/** A frame with a value in every member. Throws where the schema refuses it: such a frame is written by hand. */
function sampleFrame(schema: Schema & { safeParse(value: unknown): { success: boolean } }, kind: string) {
  const frame = { ...(sampleOf(schema, { kind, name: '' }) as object), kind };
  if (!schema.safeParse(frame).success) {
    throw new Error(`write a frame of kind ${kind} into capability-${newestCapability}.json by hand`);
  }
  return frame;
}

interface At {
  readonly kind: string;
  /** Of the member. */
  readonly name: string;
}

const sampleId = '01890000-0000-7000-8000-00000000aaaa';
const sampleTime = '2026-12-01T10:00:00.000Z';
const texts = [
  'text',
  'wg-a',
  'fd00::10',
  'fd00::10/128',
  `${'A'.repeat(43)}=`,
  '0'.repeat(32),
  '192.0.2.10:51820',
];
const numbers = [1, 0, 1280, 4, 6];

function sampleOf(schema: Schema, at: At): unknown {
  const def = schema._zod.def as Def;
  const into = (key: string) => sampleOf(def[key] as Schema, at);
  switch (def.type as string) {
    case 'object': {
      const shape = Object.entries(def['shape'] as Record<string, Schema>);
      return Object.fromEntries(shape.map(([name, inner]) => [name, sampleOf(inner, { ...at, name })]));
    }
    case 'array':
      return [into('element')];
    case 'tuple':
      return (def['items'] as Schema[]).map((one) => sampleOf(one, at));
    case 'union':
      return sampleOf((def['options'] as [Schema])[0], at);
    case 'pipe':
      return into('in');
    case 'enum':
      return Object.values(def['entries'] as object)[0];
    case 'literal':
      return (def['values'] as unknown[])[0];
    case 'boolean':
      return true;
    case 'number':
      return firstThatFits(schema, numbers);
    case 'string':
      return firstThatFits(schema, [...namedTexts(at), ...texts]);
    default:
      return def['innerType'] === undefined ? null : into('innerType');
  }
}

function namedTexts({ kind, name }: At): string[] {
  if (name === 'key') return [`${kind}/${sampleId}`];
  if (/(^|_)id$/.test(name)) return [sampleId];
  return /(^|_)(at|since)$/.test(name) ? [sampleTime] : [];
}

function firstThatFits(schema: Schema, values: readonly unknown[]): unknown {
  const one = schema as z.ZodType;
  return values.find((value) => one.safeParse(value).success) ?? values[0];
}
