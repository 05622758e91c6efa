// Firewall rules of a network, and what an audit finds among them. How packets are evaluated: core/explain/evaluate.ts.
import { z } from 'zod';
import * as limits from '../limits/texts.ts';
import * as common from './common.ts';

export const ruleDirection = z.enum(['ingress', 'egress', 'both']);
export const ruleAction = z.enum(['accept', 'drop', 'reject']);
export const ruleProtocol = z.enum(['any', 'tcp', 'udp', 'icmp6']);

const sourceKinds = ['peer', 'tag', 'cidr', 'federation_peer', 'user_device', 'all'] as const;
const destinationKinds = [...sourceKinds, 'virtual_ip'] as const;

const named = {
  peer_id: common.id.optional(),
  tag: common.tag.optional(),
  cidr: common.prefix.optional(),
  federation_peer_id: common.id.optional(),
  user_device_id: common.id.optional(),
};

/** Which member each kind needs. Any other member is refused, so that nothing is written that means nothing. */
const memberOf = {
  peer: 'peer_id',
  tag: 'tag',
  cidr: 'cidr',
  federation_peer: 'federation_peer_id',
  user_device: 'user_device_id',
  virtual_ip: 'virtual_ip_id',
  all: null,
} as const;

function checkMembers(
  value: Record<string, unknown> & { kind: keyof typeof memberOf },
  context: z.RefinementCtx,
) {
  const wanted = memberOf[value.kind];
  if (wanted !== null && value[wanted] === undefined) {
    context.addIssue({
      code: 'custom',
      path: [wanted],
      message: `a selector of kind ${value.kind} needs ${wanted}`,
    });
  }
  for (const member of Object.values(memberOf)) {
    if (member === null || member === wanted || value[member] === undefined) continue;
    const message = `a selector of kind ${value.kind} takes no ${member}; leave it out`;
    context.addIssue({ code: 'custom', path: [member], message });
  }
}

/** Where packets come from. */
export const selector = z
  .strictObject({ kind: z.enum(sourceKinds), ...named })
  .superRefine(checkMembers)
  .meta({ description: 'Where packets come from' });

/** Where packets go. */
export const destination = z
  .strictObject({ kind: z.enum(destinationKinds), ...named, virtual_ip_id: common.id.optional() })
  .superRefine(checkMembers)
  .meta({ description: 'Where packets go; anywhere when omitted' });
export type SelectorInput = z.infer<typeof destination>;

/** `8443` or `8443-8480`. */
export const portRange = z
  .string()
  .max(limits.portRangeLengthMax)
  .regex(/^\d{1,5}(?:-\d{1,5})?$/, 'must be a port (8443) or a range (8443-8480)')
  .superRefine((text, context) => {
    const [first = 0, last = first] = text.split('-').map(Number);
    if (first >= 1 && last <= 65535 && first <= last) return;
    context.addIssue({ code: 'custom', message: 'ports are 1 to 65535, the lower one first' });
  })
  .transform((text) => {
    const [first, last] = text.split('-').map(Number);
    return last === undefined || last === first ? String(first) : `${first}-${last}`;
  });

const selectorShown = z.object({
  kind: z.enum(destinationKinds),
  peer_id: common.id.optional(),
  tag: z.string().optional(),
  cidr: z.string().optional(),
  federation_peer_id: common.id.optional(),
  user_device_id: common.id.optional(),
  virtual_ip_id: common.id.optional(),
  label: z.string().meta({ description: 'Display name of what it selects' }),
  resolves: z
    .boolean()
    .meta({ description: 'false: the object was deleted, so the selector matches nothing' }),
});

export const firewallRule = z.object({
  ...common.base,
  network_id: common.id,
  name: z.string().nullable(),
  direction: ruleDirection,
  action: ruleAction,
  selector: selectorShown,
  destination: selectorShown,
  protocol: ruleProtocol,
  port_range: z.string().nullable(),
  enabled: z.boolean(),
  packets: z.int().nullable().meta({ description: 'Counted on all instances; null: nothing reported yet' }),
  bytes: z.int().nullable(),
  counted_at: common.time.nullable(),
});
export type FirewallRule = z.infer<typeof firewallRule>;

/** One rule with what nodes are given for it. */
export const firewallRuleCompiled = firewallRule.extend({
  compiled: z.object({
    text: z.string().meta({ description: 'nftables text of this rule on an instance that evaluates it' }),
    evaluated_on: z.array(z.object({ peer_id: common.id, hostname: z.string() })),
    evaluated_on_count: z.int(),
  }),
});

export const firewallFinding = z.object({
  kind: z.enum(['shadowed', 'contradictory', 'dead', 'duplicate', 'redundant', 'target_missing']),
  severity: z.enum(['info', 'warning', 'error']),
  object: z.object({
    type: z.enum(['firewall_rule', 'port_mapping', 'virtual_ip']),
    id: common.id,
    name: z.string(),
  }),
  by: z
    .object({
      type: z.enum(['firewall_rule', 'port_mapping', 'virtual_ip', 'network']),
      id: common.id,
      name: z.string(),
    })
    .nullable()
    .meta({
      description: 'The rule that shadows, contradicts or duplicates it, or already has the same effect',
    }),
  detail: z.string(),
});
export type FirewallFinding = z.infer<typeof firewallFinding>;
