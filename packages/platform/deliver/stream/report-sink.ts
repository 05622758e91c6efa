// What a stream reports of its node.
import type { NodeProblem } from '@powernode/core/wire/node-problems';
import type { Hello, NodeMessage } from '@powernode/core/wire/node-stream';
import type { NodeState } from '../nodes/node-state.ts';

/** Where reports of nodes go. None of these waits. */
export interface ReportSink {
  arrived(node: NodeState, hello: Hello, remoteAddress: string): void;
  keys(node: NodeState, publicKeys: readonly string[]): void;
  applied(node: NodeState): void;
  failed(node: NodeState, failure: { readonly revision: number; readonly message: string }): void;
  problems(node: NodeState, problems: readonly NodeProblem[]): void;
  observed(
    node: NodeState,
    observed: Extract<NodeMessage, { kind: 'observed' }>,
    since: { readonly helloMs: number; readonly first: boolean },
  ): void;
}
