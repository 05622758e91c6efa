// Where on its path rules are evaluated for a packet, and the steps that say so: egress rules where it is sent, ingress
// rules where it arrives. A hub does both for its devices, because they have no agent.
import { bgpVerdict } from './bgp-ports.ts';
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
  const traffic = { hook, protocol: packet.protocol, port: packet.port };
  const network = { type: 'network', id: snapshot.network.network.id } as const;
  const ends = { source: packet.source.text, destination: packet.destination.text };
  const ofBgp = bgpVerdict(node.bgp, traffic, ends);
  if (ofBgp !== null) {
    trace.add({ step: hook, peerId: node.peerId, object: network }, () => sessionText(ofBgp, packet));
    return ofBgp === 'accept';
  }
  const found = node.rules.rulesFor(traffic).evaluate(packet);
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

function sessionText(verdict: 'accept' | 'drop', { protocol, port, destination }: Packet): string {
  const what = `${protocol.toUpperCase()} port ${port} is ${protocol === 'tcp' ? 'BGP' : 'BFD'}`;
  return verdict === 'accept'
    ? `${what}, which BGP neighbors may send each other whatever the rules say.`
    : `${what}: at ${destination.text} it is closed to all but its BGP neighbors, whatever the rules say.`;
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
