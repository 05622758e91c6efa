// A plan is a list of steps, as data: what is to be done to the machine, in this order. Each is one subsystem's.
import type { AddressStep } from './addresses/steps.ts';
import type { LinkStep } from './links/steps.ts';
import type { RulesetStep } from './nftables/steps.ts';
import type { PolicyRuleStep } from './policy-rules/steps.ts';
import type { ForwardingStep, RouteStep } from './routes/steps.ts';
import type { WireguardStep } from './wireguard/steps.ts';

export type Step =
  | AddressStep
  | ForwardingStep
  | LinkStep
  | PolicyRuleStep
  | RouteStep
  | RulesetStep
  | WireguardStep;

/** The key that stands for the table of rules and the settings that make the machine forward. */
export const forwardingKey = 'forwarding';
