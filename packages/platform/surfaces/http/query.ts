// Query parameters as an action's parameters: text becomes what the schema asks for, and is checked there.
import { type ActionKey, actionKeys, definitionOf } from '@powernode/core/actions/catalogue';
import { inputOf } from '@powernode/core/actions/define';
import { ProductError } from '@powernode/core/errors';
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

/**
 * Parameters that the schema does not know stay text, so that it can refuse them by name. Only a list may be said in
 * parts; of anything else that stands twice nobody can say which one is meant.
 */
export function parametersOfQuery(key: ActionKey, query: URLSearchParams): Record<string, unknown> {
  // Without a prototype: a parameter of any name is one of its own, and is refused as such.
  const parameters = Object.create(null) as Record<string, unknown>;
  for (const name of new Set(query.keys())) {
    const values = query.getAll(name);
    const kind = kinds.get(key)?.get(name) ?? 'text';
    if (values.length > 1 && kind !== 'array') throw repeated(name);
    parameters[name] = valueOf(kind, { values, last: values.at(-1) ?? '' });
  }
  return parameters;
}

function repeated(name: string): ProductError {
  const shown = name.slice(0, 60);
  return new ProductError('validation_failed', `${shown} occurs more than once in the query string.`, {
    fields: [{ path: shown, code: 'repeated', message: 'must be given once' }],
  });
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
