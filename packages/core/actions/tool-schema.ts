// The schemas of an action as short as a tool needs them: a client lists dozens of tools to a model at once. The whole
// schemas, with every description, are in /openapi.json and /docs.
import type { ActionDefinition } from './define.ts';
import { callSchemaOf, type JsonSchema, outputSchemaOf } from './json-schema.ts';

/**
 * A read shows the members of its objects; a change answers with the same objects, which are named by their type alone.
 * What is deeper than that is for the reference.
 */
const depthShown = { read: 2, change: 1 } as const;
/** A longer choice is told by what is refused, or by the reference. */
const enumLengthMax = 12;

/** A longer pattern tells a reader less than the description beside it, and what is refused says the rest. */
const patternLengthMax = 80;

/** Whole, but for what says the same twice: the pattern of a format. */
export function toolInputSchema(action: ActionDefinition, without: readonly string[]): JsonSchema {
  return callSchemaOf(action, {
    without,
    rewrite: ({ json }) => {
      const { format, pattern } = json;
      if (pattern !== undefined && (format !== undefined || pattern.length > patternLengthMax))
        delete json.pattern;
    },
  });
}

/** Types, names and choices. Clients check answers against it, so that it promises what an answer has, and no more. */
export function toolOutputSchema(action: ActionDefinition): JsonSchema {
  const whole = outputSchemaOf(action);
  const short = brief(whole, depthShown[action.category === null ? 'read' : 'change']);
  return { ...short, ...(whole.required === undefined ? {} : { required: whole.required }) };
}

/** `depth`: how many more levels of objects are shown; a list is as deep as what it holds. */
function brief(schema: JsonSchema, depth: number): JsonSchema {
  const { anyOf, properties, items } = schema;
  if (anyOf !== undefined) return briefChoice(anyOf, depth);
  const type = schema.type === undefined ? {} : { type: schema.type };
  if (properties !== undefined && depth > 0) {
    const members = Object.entries(properties).map(([name, member]) => [name, brief(member, depth - 1)]);
    return { ...type, properties: Object.fromEntries(members) as Record<string, JsonSchema> };
  }
  if (items !== undefined && depth > 0) return { ...type, items: brief(items, depth) };
  const choice =
    schema.enum !== undefined && schema.enum.length <= enumLengthMax ? { enum: schema.enum } : {};
  return { ...type, ...choice };
}

/** What may be null is its type and null. */
function briefChoice(anyOf: readonly JsonSchema[], depth: number): JsonSchema {
  const [only, ...others] = anyOf.filter(({ type }) => type !== 'null');
  if (only === undefined || others.length > 0) return {};
  const { enum: choice, type, ...rest } = brief(only, depth);
  const isNullable = anyOf.length > 1;
  return {
    ...(type === undefined ? {} : { type: isNullable ? [...[type].flat(), 'null'] : type }),
    ...(choice === undefined ? {} : { enum: isNullable ? [...choice, null] : choice }),
    ...rest,
  };
}
