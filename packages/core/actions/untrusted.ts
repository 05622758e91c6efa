// Which texts of an answer were chosen by operators, machines, browsers or partners. A model reads them beside what the
// platform says, so that they are named in each answer: they are data, and never instructions, whatever they say.
import type { JsonSchema } from './json-schema.ts';

/** Members whose text is somebody's own, or a sentence with such a text in it. What they hold is not looked into. */
const chosenByOthers: ReadonlySet<string> = new Set([
  'actor',
  'agent_version',
  'config',
  'description',
  'detail',
  'device_name_hint',
  'error',
  'explanation',
  'hostname',
  'hub_hostname',
  'input',
  'label',
  'last_error',
  'likely_cause',
  'message',
  'name',
  'name_hint',
  'neighbor_hostname',
  'path',
  'payload',
  'plan',
  'reason',
  'reasons',
  'recommended_action',
  'result',
  'role_because',
  'stale_reason',
  'state_detail',
  'status_detail',
  'summary',
  'text',
  'unreachable_because',
]);

/** Where such texts are in an answer: `peers[].hostname`, `events[].payload`. */
export function untrustedPaths(schema: JsonSchema): readonly string[] {
  return [...new Set(pathsIn(schema, { path: '', name: '' }))];
}

/** Those of the paths at which an answer has something. */
export function presentPaths(body: unknown, paths: readonly string[]): string[] {
  return paths.filter((path) => isAt(body, path.split('.')));
}

interface Place {
  readonly path: string;
  readonly name: string;
}

function pathsIn(schema: JsonSchema, { path, name }: Place): string[] {
  if (chosenByOthers.has(name) && !isChoice(schema))
    return isObjectOfParts(schema, name) ? partsOf() : [path];
  return partsOf();

  function partsOf(): string[] {
    const own = Object.entries(schema.properties ?? {}).flatMap(([member, part]) =>
      pathsIn(part, { path: path === '' ? member : `${path}.${member}`, name: member }),
    );
    const held = schema.items === undefined ? [] : pathsIn(schema.items, { path: `${path}[]`, name });
    const others = (schema.anyOf ?? []).flatMap((one) => pathsIn(one, { path, name }));
    return [...own, ...held, ...others];
  }
}

/** `actor` is who did something in an event, with a name; in the history of a virtual IP it is the name itself. */
function isObjectOfParts(schema: JsonSchema, name: string): boolean {
  return name === 'actor' && schema.properties !== undefined;
}

/** One of a few words of the platform's own. */
function isChoice(schema: JsonSchema): boolean {
  return schema.enum !== undefined || schema['const'] !== undefined;
}

function isAt(value: unknown, steps: readonly string[]): boolean {
  const [step, ...rest] = steps;
  if (step === undefined) return value !== null && value !== undefined && value !== '';
  if (typeof value !== 'object' || value === null) return false;
  const name = step.replaceAll('[]', '');
  const member: unknown = (value as Record<string, unknown>)[name];
  if (!step.endsWith('[]')) return isAt(member, rest);
  return Array.isArray(member) && member.flat(Infinity).some((one) => isAt(one, rest));
}
