// How large slices of a prefix are, and which one is free.
import { describe, expect, test } from 'vitest';
import { freeSlice, isClusterInterface, sliceLengthOf } from './pod-slices.ts';
import { formatPrefix, type Prefix, parsePrefix } from './prefix.ts';

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (parsed === null) throw new Error(`not a prefix: ${text}`);
  return parsed;
}

describe('a slice', () => {
  test.each([
    ['10.42.0.0/16', 24],
    ['10.0.0.0/8', 24],
    ['10.42.0.0/20', 24],
    ['10.42.0.0/21', 25],
    ['10.42.0.0/24', 28],
    ['10.42.0.0/25', null],
    ['fd42::/48', 64],
    ['fd42::/60', 64],
    ['fd42::/64', 68],
    ['fd42::/116', 120],
    ['fd42::/117', null],
  ])('of %s has the length %s', (text, length) => {
    expect(sliceLengthOf(prefix(text))).toBe(length);
  });
});

describe('the free slice', () => {
  const free = (text: string, length: number, ...taken: string[]) => {
    const found = freeSlice(prefix(text), length, taken.map(prefix));
    return found === null ? null : formatPrefix(found);
  };

  test('is the last one, and before it those before', () => {
    expect(free('10.42.0.0/16', 24)).toBe('10.42.255.0/24');
    expect(free('10.42.0.0/16', 24, '10.42.255.0/24', '10.42.254.0/24')).toBe('10.42.253.0/24');
    expect(free('fd42::/48', 64, 'fd42:0:0:ffff::/64')).toBe('fd42:0:0:fffe::/64');
  });

  test('shares no address with a longer or a shorter one, nor minds the other family', () => {
    expect(free('10.42.0.0/16', 24, '10.42.255.64/28', 'fd42::/64')).toBe('10.42.254.0/24');
    expect(free('10.42.0.0/16', 24, '10.42.128.0/17')).toBe('10.42.127.0/24');
  });

  test('is none where all are taken', () => {
    expect(free('10.42.0.0/22', 24, '10.42.0.0/23', '10.42.2.0/24', '10.42.3.1/32')).toBe(null);
    expect(free('10.42.0.0/22', 24, '10.0.0.0/8')).toBe(null);
  });

  test('is found for each of thousands', () => {
    const taken: Prefix[] = [];
    for (let i = 0; i < 256; i++) {
      const next = freeSlice(prefix('10.42.0.0/16'), 24, taken);
      if (next !== null) taken.push(next);
    }
    expect(new Set(taken.map(formatPrefix)).size).toBe(256);
    expect(freeSlice(prefix('10.42.0.0/16'), 24, taken)).toBe(null);
  });
});

test('interfaces of a cluster are those that flannel and its bridge are called', () => {
  expect(['cni0', 'flannel.1', 'flannel-v6.1', 'flannel-wg'].every(isClusterInterface)).toBe(true);
  expect(['cni1', 'eth0', 'flannel', 'docker0', 'wg-cni0'].some(isClusterInterface)).toBe(false);
});
