// The rows of sessions of BGP, of what audits have found, and of what skills have been told to do, as types. Columns are
// explained where they are created (migrations/).
import type { AccountId, Id, NetworkId, PeerId } from '@powernode/core/ids';
import type { BgpState } from '@powernode/core/intent/bgp';
import type {
  AuditFindingKind,
  Finding,
  FoundObject,
  LiveFindingKind,
} from '@powernode/core/intent/findings';
import type { ColumnType, Generated } from 'kysely';

export interface FindingTables {
  bgp_sessions: {
    account_id: AccountId;
    network_id: NetworkId;
    peer_id: PeerId;
    neighbor_id: PeerId;
    state: BgpState;
    established_at: Date | null;
    down_since: Date | null;
    recovered_at: Date | null;
    prefixes_received: number;
    last_error: string | null;
    refused_ipv4: Generated<number>;
    refused_ipv6: Generated<number>;
    refused_since: Date | null;
    refused_until: Date | null;
    observed_at: Date;
  };
  bgp_session_resets: {
    id: Id<'session_reset'>;
    account_id: AccountId;
    network_id: NetworkId;
    peer_id: PeerId;
    neighbor_id: PeerId;
    reset_id: string;
    requested_at: Date;
    done_at: Date | null;
  };
  findings: {
    id: string;
    account_id: AccountId;
    network_id: NetworkId;
    kind: AuditFindingKind | LiveFindingKind;
    severity: Finding['severity'];
    mark: string;
    object: ColumnType<FoundObject, string, string>;
    cause: ColumnType<FoundObject, string, string> | null;
    detail: string;
    began_at: Date;
    recovered_at: Date | null;
    updated_at: Generated<Date>;
    revision: Generated<number>;
  };
}
