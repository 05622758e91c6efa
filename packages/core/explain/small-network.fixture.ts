// Test support: peers and rules of one small network, "net", with addresses of both families.
import { peerModel, ruleModel } from '../compile/model.fixture.ts';
import type { PeerModel, RuleModel } from '../compile/model.ts';

/** `n`: the last part of its addresses. */
export function peer(id: string, n: number, more: Partial<PeerModel> = {}): PeerModel {
  const addresses = { hostAddress: `fd00:1::${n}`, ipv4Address: `100.64.0.${n}` };
  const keys = { publicKey: `${id}.key`, directKey: `${id}.leaf-key` };
  return peerModel({ id, networkId: 'net', instanceId: `instance-of-${id}`, ...addresses, ...keys, ...more });
}

export function rule(part: Partial<RuleModel>): RuleModel {
  return ruleModel({ networkId: 'net', ...part });
}
