// Which changes of a policy loosen and which tighten, and that each is said.
import { policyMode } from '@powernode/core/intent/autonomy';
import { expect, it } from 'vitest';
import { sentencesOf, turnOfModes } from './policy-words.ts';

const modes = policyMode.options;

it('each pair of modes loosens one way and tightens the other, and the question says which [9.3]', () => {
  for (const from of modes) {
    for (const to of modes) {
      const turn = turnOfModes(from, to);
      expect(turn === 'keep').toBe(from === to);
      if (turn === 'loosen') expect(turnOfModes(to, from)).toBe('tighten');
      const [first] = sentencesOf({ category: 'sdwan.network_delete', description: 'Delete', from, to });
      expect(first).toContain(turn === 'keep' ? 'the same' : turn);
    }
  }
  expect(turnOfModes('require_approval', 'auto_approve')).toBe('loosen');
  expect(turnOfModes('require_approval', 'blocked')).toBe('tighten');
});
