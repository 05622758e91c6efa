// Rules of policy routing, which lead packets to the table of a network.
import { ProductError } from '@powernode/core/errors';
import { mustRun } from '../../ports/run.ts';
import type { LookScope } from '../look-scope.ts';
import { routeProtocol } from '../routes/steps.ts';
import { healthOf, type PlanInput, type PlannedSteps, type Subsystem, touches } from '../subsystem.ts';
import { lookAtPolicyRules } from './look.ts';
import { familyOfRule, policyRulesOf } from './rules.ts';
import type { PolicyRuleStep } from './steps.ts';

export const policyRules: Subsystem<PolicyRuleStep> = {
  name: 'policy-rules',
  after: ['routes'],
  reported: { as: 'routing', code: 'routing_failed' },
  kinds: ['add_policy_rule', 'remove_policy_rule'],
  plan,
  describe: ({ kind, rule }) => ({
    key: 'interface/',
    drift:
      kind === 'add_policy_rule'
        ? `the routing rule "${rule}" was missing`
        : `there was a routing rule "${rule}" that the document does not need`,
    failure: `The routing rule "${rule}" could not be ${kind === 'add_policy_rule' ? 'added' : 'removed'}`,
  }),
  batchOf: () => 'policy-rules',
  open: ({ run }) => ({
    look: (scope) => {
      if (!isAsked(scope)) return null;
      return lookAtPolicyRules(run).then((rules) => (state) => ({ ...state, policyRules: rules }));
    },
    execute: async (steps) => {
      for (const family of [6, 4] as const) {
        const lines = steps.filter(({ rule }) => familyOfRule(rule) === family).map(lineOf);
        if (lines.length === 0) continue;
        const args = [`-${family}`, '-force', '-batch', '-'];
        await mustRun(run, { program: 'ip', args, input: `${lines.join('\n')}\n` });
      }
      return [];
    },
    health: (problems) => healthOf(problems),
  }),
};

function lineOf({ kind, rule }: PolicyRuleStep): string {
  const verb = kind === 'add_policy_rule' ? 'add' : 'delete';
  return `rule ${verb} ${rule} protocol ${routeProtocol}`;
}

function isAsked(scope: LookScope): boolean {
  if (scope.kind === 'after') {
    return scope.steps.some(({ kind }) => kind === 'add_policy_rule' || kind === 'remove_policy_rule');
  }
  return scope.kind === 'everything';
}

function plan({ document, observed, scope, exportRoutes }: PlanInput): PlannedSteps {
  if (!touches(scope, 'interface/', 'subnet/', 'lan/', 'pods/')) return {};
  const wanted = policyRulesOf(document, exportRoutes);
  const found = observed.policyRules;
  if (found === null) {
    if (wanted.length === 0) return {};
    const missing = new ProductError('machine_unsupported', 'no policy routing');
    return {
      problems: [
        {
          subsystem: 'routing',
          code: 'routing_failed',
          detail:
            'The kernel does not support policy routing (CONFIG_IP_MULTIPLE_TABLES), so prefixes behind peers are unreachable. Use another kernel.',
          cause: missing,
        },
      ],
    };
  }
  const needed = new Set(wanted);
  const remove = [...found].filter((rule) => !needed.has(rule));
  return {
    apply: wanted.filter((rule) => !found.has(rule)).map((rule) => ({ kind: 'add_policy_rule', rule })),
    finish: remove.map((rule) => ({ kind: 'remove_policy_rule', rule })),
  };
}
