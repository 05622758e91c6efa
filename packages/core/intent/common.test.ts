// What schemas say of texts, against the parsers that read them.
import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { actionKeys, definitionOf } from '../actions/catalogue.ts';
import { inputOf } from '../actions/define.ts';
import { jsonSchemaOf } from '../actions/json-schema.ts';
import * as common from './common.ts';

const patternOf = (schema: z.ZodType) => new RegExp(jsonSchemaOf(schema, 'input').pattern ?? 'there is none');
const ip = fc.oneof(fc.ipV4(), fc.ipV6());
const prefixText = fc
  .tuple(ip, fc.integer({ min: 0, max: 128 }))
  .map(([address, length]) => `${address}/${address.includes(':') ? length : length % 33}`);
const endpointText = fc.tuple(ip, fc.option(fc.integer({ min: 1, max: 65_535 }))).map(([address, port]) => {
  if (port === null) return address;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
});
const nonsense = fc.string({ unit: fc.constantFrom(...Array.from('0123456789abcdef:./[]')), maxLength: 30 });
/** Groups with a `::` anywhere or nowhere, about as many as fit; the last ones may be an IPv4 address. */
const almostIpv6 = fc
  .tuple(
    fc.array(fc.constantFrom('0', '1', '00', 'ffff', 'FD00', '12345'), { maxLength: 9 }),
    fc.array(fc.nat(9), { maxLength: 2 }),
    fc.constantFrom('', '', '192.0.2.1', '192.0.2.01', '192.0.2.256'),
  )
  .map(([groups, gaps, end]) => {
    const parts = end === '' ? groups : [...groups, end];
    const text = parts.map((part, i) => `${gaps.includes(i) ? ':' : ''}${part}`).join(':');
    return `${gaps.includes(0) ? ':' : ''}${text}${gaps.includes(parts.length) ? '::' : ''}`;
  });
const almostAddress = fc.oneof(ip, nonsense, almostIpv6);
const almostPrefix = fc
  .tuple(almostIpv6, fc.constantFrom(0, 1, 64, 112, 128, 129))
  .map(([address, length]) => `${address}/${length}`);
const numRuns = 2_000;

/** Right-to-left override and isolate, zero-width space and joiner, word joiner, byte order mark, soft hyphen, line ends. */
const invisible = Array.from('\u202e\u2066\u200b\u200d\u2060\ufeff\u00ad\u2028\u2029\u0085\n');

describe('a name', () => {
  const named = actionKeys.flatMap((key) => {
    const action = definitionOf(key);
    const { shape } = inputOf(action);
    // A name to look for is no name that anybody is shown.
    if (action.category === null) return [];
    return ['name', 'device_name_hint'].flatMap((field) => {
      const schema = shape[field] as z.ZodType | undefined;
      return schema === undefined ? [] : [[key, field, schema] as const];
    });
  });

  it.each(named)('of %s (%s) has nothing invisible in it [9.5]', (_key, _field, schema) => {
    expect(schema.safeParse('Zürich 東京 עברית 1').success).toBe(true);
    for (const character of invisible) {
      expect(schema.safeParse(`ad${character}min`).success, character.codePointAt(0)?.toString(16)).toBe(
        false,
      );
    }
  });
});

describe('the schema of a text', () => {
  it.each([
    ['prefix', common.prefix, fc.oneof(prefixText, almostPrefix, nonsense)],
    ['endpoint', common.endpoint, fc.oneof(endpointText, almostIpv6, nonsense)],
  ] as const)('lets every %s through that the parser takes [9.22]', (_, schema, texts) => {
    const pattern = patternOf(schema);
    fc.assert(
      fc.property(texts, (text) => {
        if (schema.safeParse(text).success) expect(text).toMatch(pattern);
      }),
      { numRuns },
    );
  });

  it.each(['::0:0:0:0:0:0:0/0', '0:0:0:0:0:0:0::/0', '::1:0:0:0:0:0:0/32', 'fd00::/8', '0:0::192.0.2.1/128'])(
    'knows the prefix %s [9.22]',
    (text) => {
      expect(common.prefix.safeParse(text).success).toBe(true);
      expect(text).toMatch(patternOf(common.prefix));
    },
  );

  it.each([
    [
      'prefix',
      common.prefix,
      ['', 'x', 'fd00::', 'fd00::/129', '10.0.0.0/33', '010.0.0.0/8', 'fd00::%eth0/64'],
    ],
    [
      'prefix',
      common.prefix,
      ['::0:0:0:0:0:0:0:0/0', '0:0:0:0:0:0:0:0::/0', '0:0:0:0::0:0:0:0/0', '00000::/8'],
    ],
    [
      'endpoint',
      common.endpoint,
      ['', 'x', '300.1.1.1', '1.2.3.4:', '1.2.3.4:0', 'fd00::1%eth0', '[fd00::1]'],
    ],
  ] as const)('refuses what is no %s, as the parser does [9.22]', (_, schema, texts) => {
    for (const text of texts) {
      expect(schema.safeParse(text).success, text).toBe(false);
      expect(text).not.toMatch(patternOf(schema));
    }
  });

  it('of an address names both families, and the parser takes what they are [9.22]', () => {
    expect(jsonSchemaOf(common.address, 'input').anyOf).toEqual([{ format: 'ipv6' }, { format: 'ipv4' }]);
    fc.assert(
      fc.property(almostAddress, (text) => {
        expect(common.address.safeParse(text).success).toBe(isIP(text) !== 0);
      }),
      { numRuns },
    );
  });
});
