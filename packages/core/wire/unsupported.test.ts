// Entries that an agent does not know, in one sentence.
import { expect, test } from 'vitest';
import { unsupportedDetail } from './unsupported.ts';

test('they are counted by kind, and there is no sentence when there are none', () => {
  expect(unsupportedDetail([])).toBeNull();
  expect(unsupportedDetail(['bgp_speaker/a', 'bgp_neighbour/1', 'bgp_neighbour/2'])).toBe(
    'The agent does not know these entries of its document, which are not applied: bgp_neighbour (2), bgp_speaker (1).',
  );
  const many = Array.from({ length: 20 }, (_, i) => `kind_${i}/x`);
  expect(unsupportedDetail(many)).toMatch(/, and 12 kinds more\.$/);
});
