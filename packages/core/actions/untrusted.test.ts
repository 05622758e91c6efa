// Every text of every answer is either the platform's own or named as somebody else's.
import { expect, test } from 'vitest';
import { actionKeys, definitionOf } from './catalogue.ts';
import { type JsonSchema, outputSchemaOf } from './json-schema.ts';
import { presentPaths, untrustedPaths } from './untrusted.ts';

/** Members that the platform makes itself, or whose form leaves no room for a sentence: addresses, keys, tags, codes. */
const madeHere = new Set([
  'action',
  'actions',
  'address',
  'addresses',
  'allowed_ips',
  'as_path',
  'because',
  'bootstrap_url',
  'bootstrap_warning',
  'endpoint_warning',
  'category',
  'cidr',
  'cluster_cidr',
  'code',
  'command',
  'communities',
  'community',
  'correlation_id',
  'destination',
  'effect',
  'endpoint',
  'endpoint_address',
  'endpoint_addresses',
  'endpoints',
  'external_address',
  'flannel_iface',
  'handle',
  'host_address',
  'id',
  'input_schema',
  'interface',
  'internal_address',
  'ipv4_address',
  'ipv4_prefix',
  'key',
  'kind',
  'local_prefix',
  'next_cursor',
  'next_hop',
  'object',
  'observed_address',
  'output_schema',
  'platform_version',
  'pod_subnet',
  'pod_subnet_prefix',
  'pool_prefix',
  'port_range',
  'prefix',
  'prepend',
  'provider',
  'public_key',
  'skill',
  'source',
  'source_cidrs',
  'step',
  'steps',
  'tag',
  'tags',
  'target_address',
  'title',
  'token',
  'uptime',
  'verdicts',
  'via',
]);

interface Leaf {
  readonly path: string;
  readonly name: string;
}

/** Strings without a form and objects without named members. */
function freeTexts(schema: JsonSchema, { path, name }: Leaf = { path: '', name: '' }): Leaf[] {
  const { anyOf = [], properties = {}, items, type, format } = schema;
  const parts = [
    ...anyOf.flatMap((one) => freeTexts(one, { path, name })),
    ...(items === undefined ? [] : freeTexts(items, { path: `${path}[]`, name })),
    ...Object.entries(properties).flatMap(([member, part]) =>
      freeTexts(part, { path: path === '' ? member : `${path}.${member}`, name: member }),
    ),
  ];
  const isKnown = parts.length > 0 || anyOf.length > 0 || schema.properties !== undefined;
  if (isKnown || schema.enum !== undefined || format !== undefined) return parts;
  const types = [type].flat();
  const isFree = types.includes('string') || types.includes('object') || type === undefined;
  return isFree && schema['const'] === undefined ? [{ path, name }] : [];
}

test.each(actionKeys.map((key) => [definitionOf(key).name, key] as const))(
  'every free text of the answer of %s is named as data, or is known to be the platform’s own [9.5]',
  (_, key) => {
    const schema = outputSchemaOf(definitionOf(key));
    const named = untrustedPaths(schema);
    const isNamed = (path: string) =>
      named.some((one) => path === one || path.startsWith(`${one}.`) || path.startsWith(`${one}[`));
    const left = freeTexts(schema).filter(({ path, name }) => !isNamed(path) && !madeHere.has(name));
    expect(left).toEqual([]);
  },
);

test('the paths of an answer are those at which it has something', () => {
  const paths = ['instances[].hostname', 'instances[].subsystems[].message', 'plan.nodes[].hostname'];
  const instances = [
    { hostname: '', subsystems: [] },
    { hostname: 'edge-1', subsystems: [{ message: '' }] },
  ];
  expect(presentPaths({ instances }, paths)).toEqual(['instances[].hostname']);
  const plan = { nodes: [{ hostname: 'x' }] };
  expect(presentPaths({ instances: [], plan }, paths)).toEqual(['plan.nodes[].hostname']);
});
