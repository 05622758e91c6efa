// What an audit of the network's rules and port mappings finds.
import type { FirewallFinding } from '@powernode/core/intent/firewall';
import { useMemo } from 'react';
import { useMay } from '../../../app/permissions.ts';
import { useOne } from '../../../app/use-one.ts';
import { findingsByObject } from './rule-words.ts';

const none: readonly FirewallFinding[] = [];

/** Only an audit that was read says anything; without one, nothing is known, which is not "nothing was found". */
export type AuditState = 'loading' | 'failed' | 'forbidden' | 'read';

export interface Audit {
  readonly state: AuditState;
  readonly findings: readonly FirewallFinding[];
  readonly byObject: ReadonlyMap<string, readonly FirewallFinding[]>;
}

export function useAudit(networkId: string): Audit {
  const may = useMay('auditFirewall');
  const audit = useOne('findings', 'auditFirewall', { network_id: networkId }, { enabled: may });
  const findings = audit.data?.findings ?? none;
  const byObject = useMemo(() => findingsByObject(findings), [findings]);
  return { state: stateOf(audit, may), findings, byObject };
}

function stateOf(audit: { readonly data: unknown; readonly error: unknown }, may: boolean): AuditState {
  if (!may) return 'forbidden';
  if (audit.data !== undefined) return 'read';
  return audit.error === null ? 'loading' : 'failed';
}
