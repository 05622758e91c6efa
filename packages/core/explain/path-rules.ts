// Where on its path rules are evaluated for a packet, and the steps that say so: egress rules where it is sent, ingress
// rules where it arrives. A hub does both for its devices, because they have no agent.
import type { RuleVerdict } from './evaluate.ts';
import type { NetworkSnapshot } from './network-snapshot.ts';
import type { NodeView } from './node-view.ts';
import type { Traffic } from './rule-index.ts';
import type { Packet, Trace } from './trace.ts';

export interface EvalContext {
  readonly snapshot: NetworkSnapshot;
  readonly packet: Packet;
  readonly trace: Trace;
}

/** Whether a node lets the packet out or in, and adds the reason to the trace. */
export function isAccepted(context: EvalContext, node: NodeView, hook: Traffic['hook']): boolean {
  const { packet, trace, snapshot } = context;
  const found = node.rules.rulesFor({ hook, protocol: packet.protocol, port: packet.port }).evaluate(packet);
  const network = { type: 'network', id: snapshot.network.network.id } as const;
  const object = found.rule === null ? network : ({ type: 'firewall_rule', id: found.rule.rule_id } as const);
  trace.add({ step: hook, peerId: node.peerId, object }, (nameOf) => {
    if (found.rule !== null) return `The rule "${nameOf(object)}" ${verbOf(found)} it.`;
    if (hook === 'egress') return 'No egress rule matches it, so it is sent.';
    return `No ingress rule matches it, so the network’s default policy ${verbOf(found)} it.`;
  });
  return found.verdict === 'accept';
}

/** The same for the devices whose hub the node is. */
export function isAcceptedForDevices(context: EvalContext, node: NodeView): boolean {
  const { source, destination } = context.packet;
  if (node.device(source) !== undefined && !isAccepted(context, node, 'egress')) return false;
  return node.device(destination) === undefined || isAccepted(context, node, 'ingress');
}

function verbOf({ verdict }: RuleVerdict): string {
  switch (verdict) {
    case 'accept':
      return 'accepts';
    case 'drop':
      return 'drops';
    case 'reject':
      return 'rejects';
  }
}
