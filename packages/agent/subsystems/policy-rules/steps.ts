// Steps that set rules of policy routing.
export type PolicyRuleStep = {
  readonly kind: 'add_policy_rule' | 'remove_policy_rule';
  /** As `ip rule` takes it behind `add`, and as `look.ts` reads it (ip-rule(8)). */
  readonly rule: string;
};
