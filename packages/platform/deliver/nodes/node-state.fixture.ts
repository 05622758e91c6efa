// Test support: a machine as delivery knows it, with nothing particular about it.
import { NodeState } from './node-state.ts';

type Parts = ConstructorParameters<typeof NodeState>[0];

export function nodeState(part: Partial<Parts> & Pick<Parts, 'instanceId'>): NodeState {
  return new NodeState({
    accountId: 'a',
    hostname: part.instanceId,
    desiredRevision: 0,
    digest: 0n,
    applied: null,
    lastHeartbeatMs: null,
    subsystems: [],
    ...part,
  });
}
