// Attributes of paths as people read them.
import { expect, it } from 'vitest';
import { attributeWords, differingWords } from './attribute-words.ts';

const plain = {
  local_pref: 100,
  med: 0,
  as_path: [],
  origin: 'IGP' as const,
  communities: [],
  next_hop: 'fd00::3',
};
const rich = { ...plain, local_pref: 200, as_path: [65_001, 65_001], communities: ['65000:1'] };

it('leaves out what is empty or usual', () => {
  expect(attributeWords(plain)).toBe('local_pref 100 · MED 0 · next hop fd00::3');
  expect(attributeWords({ ...rich, origin: 'incomplete' })).toBe(
    'local_pref 200 · MED 0 · AS path 65001 65001 · origin incomplete · communities 65000:1 · next hop fd00::3',
  );
});

it('says what differs, and nothing of what does not', () => {
  expect(differingWords(plain, rich)).toBe(
    'local_pref 100 → 200, as_path none → 65001 65001, communities none → 65000:1',
  );
  expect(differingWords(rich, rich)).toBe('');
});
