// Objects that lead nowhere, because what they name is gone. What that is, each kind of item says itself.
import { missingTargetOf } from '../compile/items/index.ts';
import type { AuditedNetwork } from './dead-sides.ts';
import type { Finding } from './findings.ts';

export function auditTargets(network: AuditedNetwork): Finding[] {
  const findings: Finding[] = [];
  for (const item of network.items()) {
    const missing = missingTargetOf(item, network);
    if (missing === null) continue;
    const object = { type: missing.type, id: item.id };
    findings.push({
      kind: 'target_missing',
      severity: 'error',
      object,
      by: null,
      detail: () => missing.why,
    });
  }
  return findings;
}
