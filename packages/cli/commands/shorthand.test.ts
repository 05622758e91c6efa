// Selectors as words.
import { actions } from '@powernode/core/actions/catalogue';
import { inputSchemaOf } from '@powernode/core/actions/json-schema';
import { expect, test } from 'vitest';
import { objectParser } from './shorthand.ts';

function parserOf(action: keyof typeof actions, name: string) {
  const schema = inputSchemaOf(actions[action]).properties?.[name] ?? {};
  return objectParser(schema.anyOf?.[0] ?? schema);
}

test('selectors are kinds with what they name', () => {
  const { parse, words } = parserOf('createFirewallRule', 'selector');
  expect(parse('tag:web')).toEqual({ kind: 'tag', tag: 'web' });
  expect(parse('cidr:fd00::/8')).toEqual({ kind: 'cidr', cidr: 'fd00::/8' });
  expect(parse('peer:0199')).toEqual({ kind: 'peer', peer_id: '0199' });
  expect(parse('all')).toEqual({ kind: 'all' });
  expect(parse('{"kind":"all"}')).toEqual({ kind: 'all' });
  expect(words).toContain('all');
  expect(words).toContain('tag:…');
  expect(() => parse('everyone')).toThrow('write peer:…');
  expect(() => parse('tag')).toThrow('write tag:VALUE');
  expect(() => parse('all:x')).toThrow('all takes no value');
  expect(() => parse('{')).toThrow('it is not JSON');
});

test('sources and destinations are named by what they are', () => {
  const { parse } = parserOf('explainReachability', 'destination');
  expect(parse('virtual_ip:0199')).toEqual({ virtual_ip_id: '0199' });
  expect(parse('address:fd00::1')).toEqual({ address: 'fd00::1' });
});
