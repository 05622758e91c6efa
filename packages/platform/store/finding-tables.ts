// The rows of what audits have found, and of what skills have been told to do, as types. Columns are explained where they
// are created (migrations/).
import type { AccountId, Id, NetworkId, PeerId } from '@powernode/core/ids';
import type {
  AuditFindingKind,
  Finding,
  FoundObject,
  LiveFindingKind,
} from '@powernode/core/intent/findings';
import type { ColumnType, Generated } from 'kysely';

export interface FindingTables {
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
