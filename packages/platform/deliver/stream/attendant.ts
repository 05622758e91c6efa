// Who is told at once what nodes say of addresses that they hold, and of peers that they watch: the port to whoever
// decides who holds what (autonomy/failover), and what their probes say (presence).
import type { Hello, HoldMessage, PathsMessage, ProbedMessage } from '@powernode/core/wire/node-stream';
import type { NodeState, NodeStream } from '../nodes/node-state.ts';

/** Who follows which nodes hold addresses, and what hubs hear of them. None of these waits. */
export interface Attendant {
  /** The node has said hello on this stream, and has no other one. */
  arrived(node: NodeState, stream: NodeStream, hello: Pick<Hello, 'held' | 'applied'>): void;
  /** Nothing more comes on this stream. */
  left(node: NodeState, stream: NodeStream): void;
  applied(node: NodeState, stream: NodeStream): void;
  paths(node: NodeState, stream: NodeStream, message: PathsMessage): void;
  probed(node: NodeState, stream: NodeStream, message: ProbedMessage): void;
  hold(node: NodeState, stream: NodeStream, message: HoldMessage): void;
}

export const noAttendant: Attendant = {
  arrived: () => undefined,
  left: () => undefined,
  applied: () => undefined,
  paths: () => undefined,
  probed: () => undefined,
  hold: () => undefined,
};
