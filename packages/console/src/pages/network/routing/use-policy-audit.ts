// What an audit of the network's route policies finds, by policy.
import type { RoutePolicyFinding } from '@powernode/core/intent/bgp';
import { useMemo } from 'react';
import { useMay } from '../../../app/permissions.ts';
import { useOne } from '../../../app/use-one.ts';
import { count } from '../../../parts/format.ts';
import type { StatusProps } from '../../../parts/status.tsx';

export interface PolicyAudit {
  /** Without an audit nothing is known, which is not "nothing was found". */
  readonly state: 'loading' | 'failed' | 'forbidden' | 'read';
  readonly findings: readonly RoutePolicyFinding[];
  /** About statements of a policy. */
  readonly of: (policyId: string) => readonly RoutePolicyFinding[];
}

const none: readonly RoutePolicyFinding[] = [];

export function usePolicyAudit(networkId: string): PolicyAudit {
  const may = useMay('auditRoutePolicies');
  const { data, error } = useOne(
    'route_findings',
    'auditRoutePolicies',
    { network_id: networkId },
    { enabled: may },
  );
  const findings = data?.findings ?? none;
  const state = !may ? 'forbidden' : data !== undefined ? 'read' : error === null ? 'loading' : 'failed';
  return useMemo(() => {
    const byPolicy = Map.groupBy(findings, ({ object }) => object.id);
    return { state, findings, of: (policyId) => byPolicy.get(policyId) ?? none };
  }, [state, findings]);
}

const unread: Readonly<Record<Exclude<PolicyAudit['state'], 'read'>, StatusProps>> = {
  loading: { tone: 'idle', shape: 'dotted', text: 'Audit running', moving: true },
  failed: { tone: 'bad', shape: 'cross', text: 'Audit unavailable' },
  forbidden: { tone: 'idle', shape: 'ring', text: 'No permission to read the audit' },
};

export function auditLook({ state, findings }: PolicyAudit): StatusProps {
  if (state !== 'read') return unread[state];
  if (findings.length === 0) return { tone: 'ok', shape: 'tick', text: 'Audit: no findings' };
  return { tone: 'wait', shape: 'diamond', text: `Audit: ${count(findings.length, 'finding')}` };
}
