// What a change of a policy means, in words: whether it loosens or tightens, and what happens from then on.
import type { PolicyMode } from '@powernode/core/intent/autonomy';
import { policyWords } from '../../parts/statuses.tsx';

/** From the loosest to the strictest; the platform orders them in the same way. */
const strictness: readonly PolicyMode[] = [
  'auto_approve',
  'notify_and_proceed',
  'require_approval',
  'blocked',
];

export type Turn = 'loosen' | 'tighten' | 'keep';

export function turnOfModes(from: PolicyMode, to: PolicyMode): Turn {
  const steps = strictness.indexOf(to) - strictness.indexOf(from);
  if (steps === 0) return 'keep';
  return steps < 0 ? 'loosen' : 'tighten';
}

const consequences: Readonly<Record<PolicyMode, string>> = {
  auto_approve: 'it runs at once for everyone with the permission, and its event is not marked',
  notify_and_proceed: 'it runs at once for everyone with the permission, and its event is marked',
  require_approval: 'it waits until someone with the permission to decide approves it',
  blocked: 'it is refused for everyone, whatever their role, until the policy changes',
};

export interface PolicyChange {
  readonly category: string;
  readonly description: string;
  readonly from: PolicyMode;
  readonly to: PolicyMode;
}

/** Sentences that say what was and what will be. */
export function sentencesOf({ category, description, from, to }: PolicyChange): readonly string[] {
  const turn = turnOfModes(from, to);
  const first =
    turn === 'loosen'
      ? `This loosens the policy of ${category}: it allows changes that had to wait or were refused.`
      : turn === 'tighten'
        ? `This tightens the policy of ${category}: changes that were allowed have to wait or are refused.`
        : `The policy of ${category} stays the same in effect.`;
  return [
    first,
    `Category: ${description}.`,
    `Until now it ${policyWords[from].meaning}. From now on ${consequences[to]}.`,
    'Pending requests keep waiting. You can undo this right afterwards.',
  ];
}
