// The program of one direction: rules in buckets, buckets in steps. The near side of a packet is this node's (its
// destination on the way in, its source on the way out), the far side is anybody's.

import type { RuleEntry } from '../../wire/document.ts';
import { makeBucket } from './bucket.ts';
import type { Action, Bucket, BucketShape, Direction, Form, Origin, Place, Program, Step } from './model.ts';
import { placesOf } from './places.ts';
import { actionRank, breadthOfEverything, rankOf } from './rule-order.ts';

export interface ProgramParts {
  readonly direction: Direction;
  readonly rules: readonly RuleEntry[];
  /** The groups that addresses of this node and of its devices are in. */
  readonly nearGroups: ReadonlySet<string>;
  readonly otherwise: 'accept' | 'drop';
}

/** What stayed the same since `previous` is the same object in both. */
export function makeProgram(parts: ProgramParts, previous: Program | null): Program {
  const { direction, otherwise } = parts;
  const rules = new Set(
    parts.rules.filter((rule) => rule.direction === direction || rule.direction === 'both'),
  );
  const goesOn = previous !== null && isSameSet(previous.origin.nearGroups, parts.nearGroups);
  const before = goesOn ? previous.origin : noOrigin;
  const origin = followed(before, { direction, rules, nearGroups: parts.nearGroups });
  const isSame = goesOn && origin.buckets === before.buckets;
  const steps = isSame ? previous.steps : stepsOf(origin.buckets.values(), farSides[direction]);
  return { direction, steps, otherwise, origin };
}

export const nearSides = { ingress: 'destination', egress: 'source' } as const;
export const farSides = { ingress: 'source', egress: 'destination' } as const;

const noOrigin: Origin = { rules: new Set(), nearGroups: new Set(), places: new Map(), buckets: new Map() };

interface Rules {
  readonly direction: Direction;
  readonly rules: ReadonlySet<RuleEntry>;
  readonly nearGroups: ReadonlySet<string>;
}

/** Takes what the rules that are gone gave out of their buckets, and puts in what the new ones give. */
function followed(before: Origin, now: Rules): Origin {
  const { rules, nearGroups } = now;
  const gone = [...before.rules].filter((rule) => !rules.has(rule)).flatMap((rule) => placesHere(rule, now));
  const added = [...rules].filter((rule) => !before.rules.has(rule)).flatMap((rule) => placesHere(rule, now));
  if (gone.length + added.length === 0) return { ...before, rules, nearGroups };
  const places = new Map(before.places);
  const buckets = new Map(before.buckets);
  const leaving = new Set(gone);
  const arriving = new Map<string, Place[]>();
  for (const { bucketId } of gone) arriving.set(bucketId, []);
  for (const place of added) {
    const list = arriving.get(place.bucketId);
    if (list === undefined) arriving.set(place.bucketId, [place]);
    else list.push(place);
  }
  for (const [id, list] of arriving) {
    const all = [...(places.get(id) ?? []).filter((place) => !leaving.has(place)), ...list];
    if (all.length === 0) {
      places.delete(id);
      buckets.delete(id);
    } else {
      places.set(id, all);
      buckets.set(id, makeBucket(id, all));
    }
  }
  return { rules, nearGroups, places, buckets };
}

/** The keys of a rule that can match here: not those for groups that nobody here is in. */
function placesHere(rule: RuleEntry, { direction, nearGroups }: Rules): readonly Place[] {
  const near = nearSides[direction];
  return placesOf(rule).filter(({ shape }) => {
    const form = shape[near];
    return form.kind !== 'group' || nearGroups.has(form.group);
  });
}

function isSameSet<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): boolean {
  return a.size === b.size && [...a].every((one) => b.has(one));
}

interface StepInMaking {
  readonly name: string;
  /** Its rank, breadth and action, in this order of weight. */
  readonly order: readonly number[];
  readonly action: Action;
  readonly common: Bucket[];
  readonly ofGroup: Map<string, Bucket[]>;
}

function stepsOf(buckets: Iterable<Bucket>, far: 'source' | 'destination'): Step[] {
  const steps = new Map<string, StepInMaking>();
  for (const bucket of [...buckets].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const { shape } = bucket;
    const name = `${tierOf(shape.source)}_${breadthText(shape.breadth)}_${shape.action}`;
    const step = steps.get(name) ?? newStep(name, shape);
    steps.set(name, step);
    const form = shape[far];
    if (form.kind !== 'group') {
      step.common.push(bucket);
      continue;
    }
    const list = step.ofGroup.get(form.group);
    if (list === undefined) step.ofGroup.set(form.group, [bucket]);
    else list.push(bucket);
  }
  return [...steps.values()].sort((a, b) => compareOrders(a.order, b.order));
}

function newStep(name: string, { source, breadth, action }: BucketShape): StepInMaking {
  const order = [rankOf(sideOf(source)), breadth, actionRank[action]];
  return { name, order, action, common: [], ofGroup: new Map() };
}

function compareOrders(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((one, i) => one !== b[i]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}

function breadthText(breadth: number): string {
  return breadth === breadthOfEverything ? 'all' : String(breadth);
}

function tierOf(form: Form): string {
  return form.kind === 'net' ? `net${form.length}` : form.kind;
}

/** A side of the form, of whatever value: its rank does not depend on that. */
function sideOf(form: Form): RuleEntry['from'] {
  switch (form.kind) {
    case 'any':
      return { kind: 'all' };
    case 'host':
      return { kind: 'host', addresses: [] };
    case 'net':
      return { kind: 'cidr', cidr: `/${form.length}` };
    case 'group':
      return form;
  }
}
