// Handler: what is wrong with a network's firewall, port mappings and virtual IPs.
import { auditRules } from '@powernode/core/explain/audit';
import { auditTargets } from '@powernode/core/explain/audit-targets';
import type { Finding } from '@powernode/core/explain/findings';
import { auditFindingsMax } from '@powernode/core/limits/overlay';
import type { Handler } from '../../context.ts';
import { loadedNetwork } from './loaded-network.ts';
import { withNames } from './names.ts';
import { inSlices } from './slices.ts';

export const auditFirewall: Handler<'auditFirewall'> = async (context, input) => {
  const index = await loadedNetwork(context, input.network_id);
  const targets = auditTargets(index);
  const rulesCount = [...index.items()].filter((item) => item.type === 'firewall_rule').length;
  const all = [...targets, ...(await inSlices(auditRules(index)))];
  const shown = all.sort((a, b) => gravity(a) - gravity(b)).slice(0, auditFindingsMax);
  const findings = await withNames(context, (nameOf) =>
    shown.map(({ kind, severity, object, by, detail }) => ({
      kind,
      severity,
      object: { ...object, name: nameOf(object) },
      by: by === null ? null : { ...by, name: nameOf(by) },
      detail: detail(nameOf),
    })),
  );
  return {
    findings,
    count: all.length,
    truncated: findings.length < all.length,
    rules_count: rulesCount,
  };
};

function gravity({ severity }: Finding): number {
  return { error: 0, warning: 1, info: 2 }[severity];
}
