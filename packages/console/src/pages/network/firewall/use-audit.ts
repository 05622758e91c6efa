// What an audit of the network's rules and doors finds.
import type { FirewallFinding } from '@powernode/core/intent/firewall';
import { useMemo } from 'react';
import { useMay } from '../../../app/permissions.ts';
import { useOne } from '../../../app/use-one.ts';
import { findingsByObject } from './rule-words.ts';

const none: readonly FirewallFinding[] = [];

export function useAudit(networkId: string) {
  const audit = useOne(
    'findings',
    'auditFirewall',
    { network_id: networkId },
    { enabled: useMay('auditFirewall') },
  );
  const findings = audit.data?.findings ?? none;
  const byObject = useMemo(() => findingsByObject(findings), [findings]);
  return { findings, byObject, error: audit.error };
}
