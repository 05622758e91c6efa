// Query parameters as an action's parameters: text becomes what the schema asks for, and is checked there.
import { type ActionKey, actionKeys, definitionOf } from '@powernode/core/actions/catalogue';
import { inputOf } from '@powernode/core/actions/define';
import { z } from 'zod';

type Kind = 'number' | 'boolean' | 'array' | 'text';

const kinds: ReadonlyMap<ActionKey, ReadonlyMap<string, Kind>> = new Map(
  actionKeys.map((key) => [key, kindsOf(key)]),
);

function kindsOf(key: ActionKey): Map<string, Kind> {
  const schema = z.toJSONSchema(inputOf(definitionOf(key)), { io: 'input', unrepresentable: 'any' });
  return new Map(
    Object.entries(schema.properties ?? {}).map(([name, property]) => [name, kindOf(property)] as const),
  );
}

function kindOf(property: z.core.JSONSchema._JSONSchema): Kind {
  if (typeof property === 'boolean') return 'text';
  const types = [
    property.type,
    ...(property.anyOf ?? []).map((one) => (typeof one === 'boolean' ? '' : one.type)),
  ];
  if (types.includes('integer') || types.includes('number')) return 'number';
  if (types.includes('boolean')) return 'boolean';
  return types.includes('array') ? 'array' : 'text';
}

/** Parameters that the schema does not know stay text, so that it can refuse them by name. */
export function parametersOfQuery(key: ActionKey, query: URLSearchParams): Record<string, unknown> {
  const parameters: Record<string, unknown> = {};
  for (const name of new Set(query.keys())) {
    const values = query.getAll(name);
    const last = values.at(-1) ?? '';
    parameters[name] = valueOf(kinds.get(key)?.get(name) ?? 'text', { values, last });
  }
  return parameters;
}

function valueOf(kind: Kind, given: { readonly values: string[]; readonly last: string }): unknown {
  switch (kind) {
    case 'number':
      return /^-?\d{1,15}$/.test(given.last) ? Number(given.last) : given.last;
    case 'boolean':
      return given.last === 'true' ? true : given.last === 'false' ? false : given.last;
    case 'array':
      return given.values.flatMap((value) => value.split(','));
    case 'text':
      return given.last;
  }
}
