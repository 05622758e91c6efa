// Where on its way a packet is judged by rules, and what is said about it: egress rules where it begins, ingress rules
// where it arrives. A hub does both for the devices that call it, because they have no agent.
import type { NodeView } from './node-view.ts';
import type { Decision, Traffic } from './rulebook.ts';
import type { Sight } from './sight.ts';
import type { Packet, Trail } from './trail.ts';

export interface Court {
  readonly sight: Sight;
  readonly packet: Packet;
  readonly trail: Trail;
}

/** Whether a node lets the packet out or in, with the reason on the trail. */
export function isAccepted(court: Court, node: NodeView, hook: Traffic['hook']): boolean {
  const { packet, trail, sight } = court;
  const decision = node.rulebook.page({ hook, protocol: packet.protocol, port: packet.port }).decide(packet);
  const network = { type: 'network', id: sight.network.network.id } as const;
  const object =
    decision.rule === null ? network : ({ type: 'firewall_rule', id: decision.rule.rule_id } as const);
  trail.add({ step: hook, peerId: node.peerId, object }, (nameOf) => {
    if (decision.rule !== null) return `The rule "${nameOf(object)}" ${verbOf(decision)} it.`;
    if (hook === 'egress') return 'No egress rule matches it, so it is sent.';
    return `No ingress rule matches it, so the network’s default policy ${verbOf(decision)} it.`;
  });
  return decision.action === 'accept';
}

/** The same for the devices whose hub the node is. */
export function isAcceptedForDevices(court: Court, node: NodeView): boolean {
  const { source, destination } = court.packet;
  if (node.device(source) !== undefined && !isAccepted(court, node, 'egress')) return false;
  return node.device(destination) === undefined || isAccepted(court, node, 'ingress');
}

function verbOf({ action }: Decision): string {
  switch (action) {
    case 'accept':
      return 'accepts';
    case 'drop':
      return 'drops';
    case 'reject':
      return 'rejects';
  }
}
