// nftables: the table of rules, which guards what the other subsystems set.

import type { LookScope } from '../look-scope.ts';
import { forwardingKey } from '../step.ts';
import { healthOf, type StepDescription, type Subsystem } from '../subsystem.ts';
import { planRuleset } from './plan.ts';
import type { RulesetStep } from './steps.ts';

export const nftables: Subsystem<RulesetStep> = {
  name: 'nftables',
  after: [],
  reported: { as: 'nftables', code: 'nftables_failed' },
  kinds: ['set_ruleset', 'remove_ruleset'],
  plan: planRuleset,
  describe,
  batchOf: () => null,
  open: ({ table }) => ({
    look: (scope) => {
      if (!isAsked(scope)) return null;
      return table.look(scope.kind === 'rules').then((ruleset) => (state) => ({ ...state, ruleset }));
    },
    execute: async (steps) => {
      for (const step of steps) {
        if (step.kind === 'set_ruleset') await table.load(step.ruleset, step.how);
        else await table.remove();
      }
      return [];
    },
    health: (problems) => healthOf(problems),
  }),
};

function isAsked(scope: LookScope): boolean {
  if (scope.kind === 'after') {
    return scope.steps.some((step) => step.kind === 'set_ruleset' || step.kind === 'remove_ruleset');
  }
  return scope.kind !== 'tunnels';
}

function describe(step: RulesetStep): StepDescription {
  if (step.kind === 'set_ruleset') {
    return {
      key: forwardingKey,
      drift: 'table inet powernode was missing or different',
      failure: 'The table inet powernode could not be loaded',
    };
  }
  return {
    key: forwardingKey,
    drift: 'table inet powernode was there, though nothing needs it',
    failure: 'The table inet powernode could not be removed',
  };
}
