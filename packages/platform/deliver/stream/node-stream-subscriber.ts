// The port for what must react at once to messages on nodes' streams: fail-over (autonomy/failover) to leases,
// reports on watched peers and health checks, presence (deliver/presence) to probes.
import type {
  Hello,
  LeaseRenewMessage,
  Observed,
  PathsMessage,
  ProbedMessage,
} from '@powernode/core/wire/node-stream';
import type { NodeState, NodeStream } from '../nodes/node-state.ts';

/** Called in the order of events on the stream. No method waits for anything. */
export interface NodeStreamSubscriber {
  /** The node has said hello on this stream, and has no other one. */
  arrived(node: NodeState, stream: NodeStream, hello: Pick<Hello, 'held' | 'applied'>): void;
  /** Nothing more comes on this stream. */
  left(node: NodeState, stream: NodeStream): void;
  applied(node: NodeState, stream: NodeStream): void;
  paths(node: NodeState, stream: NodeStream, message: PathsMessage): void;
  probed(node: NodeState, stream: NodeStream, message: ProbedMessage): void;
  renewLeases(node: NodeState, stream: NodeStream, message: LeaseRenewMessage): void;
  /** What health checks of virtual IPs that the node holds have found. */
  checked(node: NodeState, stream: NodeStream, found: NonNullable<Observed['virtual_ip_health']>): void;
}

export const ignoringSubscriber: NodeStreamSubscriber = {
  arrived: () => undefined,
  left: () => undefined,
  applied: () => undefined,
  paths: () => undefined,
  probed: () => undefined,
  renewLeases: () => undefined,
  checked: () => undefined,
};
