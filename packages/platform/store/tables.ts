// The rows of the database as types. Columns are explained where they are created (migrations/).

import type { Change } from '@powernode/core/compile/fleet-index';
import type { AccountId, Id, InstanceId, NetworkId, PeerId, PublicKey } from '@powernode/core/ids';
import type { Permission, Role } from '@powernode/core/intent/account';
import type { PolicyMode } from '@powernode/core/intent/autonomy';
import type { Event } from '@powernode/core/intent/fleet';
import type { OperationState } from '@powernode/core/intent/operations';
import type { UnderlayFact } from '@powernode/core/net/underlay';
import type { NodeProblem } from '@powernode/core/wire/node-problems';
import type { ColumnType, Generated } from 'kysely';
import type { FindingTables } from './finding-tables.ts';
import type { NetworkObjectTables } from './network-object-tables.ts';
import type { Json, Made, Owned, Stored } from './table-columns.ts';

/** A virtual IP that a peer was a candidate of before it left: 0 is the primary one. */
export interface FormerCandidacy {
  readonly virtual_ip_id: Id<'virtual_ip'>;
  readonly place: number;
}

export interface SubsystemRow {
  name: string;
  state: 'ok' | 'degraded' | 'failed';
  message: string;
  observed_at: string;
}

export interface Database extends FindingTables, NetworkObjectTables {
  platform_settings: { name: string; value: Json<unknown>; updated_at: Made };
  accounts: Stored<AccountId> & {
    name: string;
    pool_prefix: string;
    change_sequence: Generated<number>;
    way_in_warned_for: Date | null;
    events_deleted_to: string | null;
    as_number: Generated<number>;
  };
  operators: Owned & {
    name: string;
    role: Role;
    platform_admin: Generated<boolean>;
    disabled_at: Date | null;
  };
  api_tokens: Owned & {
    operator_id: string;
    created_by: string | null;
    created_with: string | null;
    name: string;
    digest: string;
    permissions: Json<Permission[]> | null;
    for_model: Generated<boolean>;
    expires_at: Date | null;
    revoked_at: Date | null;
    last_used_at: Date | null;
  };
  join_tokens: Owned & {
    created_by: string | null;
    created_with: string | null;
    digest: string;
    name_hint: string | null;
    tags: Json<string[]>;
    expires_at: Date;
    used_at: Date | null;
    instance_id: InstanceId | null;
    revoked_at: Date | null;
  };
  instances: Owned<InstanceId> & {
    hostname: string;
    status: 'pending' | 'provisioning' | 'running' | 'draining' | 'stopped' | 'terminated' | 'error';
    provider: string;
    tags: Json<string[]>;
    agent_version: string | null;
    capability: number | null;
    last_heartbeat_at: Date | null;
    offline_since: Date | null;
    applied_revision: number | null;
    applied_hash: string | null;
    observed_address: string | null;
    addresses: Json<string[]>;
    publicly_reachable: Generated<boolean>;
    underlay: ColumnType<UnderlayFact[], string | undefined, string>;
    observed_since: Date | null;
    families: ColumnType<(4 | 6)[], string | undefined, string>;
    pod_slices: ColumnType<string[], string | undefined, string>;
    routing_daemon: ColumnType<{ missing: string | null } | null, string | undefined, string>;
    certificate_serial: string | null;
    certificate_serial_next: string | null;
    certificate_expires_at: Date | null;
    certificate_changed_at: Date | null;
    subsystems: Json<SubsystemRow[]>;
    problems: ColumnType<NodeProblem[], string | undefined, string>;
    terminated_at: Date | null;
  };
  node_keys: {
    account_id: AccountId;
    instance_id: InstanceId;
    public_key: PublicKey;
    published_at: Made;
    taken_at: Date | null;
  };
  networks: Owned<NetworkId> & {
    name: string;
    description: string;
    handle: string;
    prefix: string;
    ipv4_prefix: string | null;
    pod_subnet_prefix: string | null;
    routing_mode: 'static' | 'ibgp';
    topology_strategy: 'hub_and_spoke' | 'full_mesh';
    firewall_default_policy: 'accept' | 'drop';
    mtu: number;
    host_number_highest: number | null;
    direct_paths: Generated<boolean>;
    rematch_connections: Generated<boolean>;
    ipv4_number_highest: number | null;
    ipv4_chosen: Generated<boolean>;
    peers_count: ColumnType<number, never, never>;
  };
  peers: Owned<PeerId> & {
    network_id: NetworkId;
    instance_id: InstanceId;
    host_address: string;
    public_key: PublicKey;
    publicly_reachable: boolean | null;
    endpoint_addresses: ColumnType<string[], string | undefined, string>;
    listen_port: number;
    listen_port_declared: Generated<boolean>;
    hub_slot: number | null;
    endpoint: string | null;
    fallback_endpoints: ColumnType<string[], string | undefined, string>;
    role_because: string | null;
    tags: Json<string[]>;
    attached_sequence: number;
    ipv4_address: string | null;
    direct_key: PublicKey | null;
    direct_endpoint: string | null;
    nat_kind: Generated<'unknown' | 'cone' | 'symmetric'>;
    draining: Generated<boolean>;
    ipv4_refused: Generated<string | null>;
    ipv4_refused_at: Generated<Date | null>;
    unreachable_since: Date | null;
    pod_subnet_refused: Generated<string | null>;
    pod_subnet_refused_at: Generated<Date | null>;
    pod_subnet_followed_at: Generated<Date | null>;
    routing_daemon_missing: Generated<boolean>;
    routing_daemon_followed_at: Generated<Date | null>;
  };
  former_peers: {
    account_id: AccountId;
    network_id: NetworkId;
    instance_id: InstanceId;
    peer_id: PeerId;
    revision: number;
    tags: Json<string[]>;
    publicly_reachable: boolean | null;
    endpoint_addresses: Json<string[]>;
    listen_port: number | null;
    virtual_ips: Json<FormerCandidacy[]>;
    detached_at: Made;
  };
  address_quarantine: {
    account_id: AccountId;
    network_id: NetworkId;
    host_address: string;
    /** A machine, or the virtual IP or device that had the address. */
    instance_id: InstanceId | Id<'virtual_ip'> | Id<'user_device'>;
    of_virtual_ip: Generated<boolean>;
    released_at: Made;
  };
  prefix_quarantine: {
    account_id: AccountId;
    prefix: string;
    number_highest: number;
    released_at: Made;
  };
  tunnel_observations: {
    account_id: AccountId;
    instance_id: InstanceId;
    interface: string;
    public_key: PublicKey;
    last_handshake_at: Date | null;
    rx_bytes: number;
    tx_bytes: number;
    endpoint: string | null;
    observed_at: Made;
  };
  changes: {
    account_id: AccountId;
    sequence: number;
    at: Made;
    changes: Json<Change[]>;
    action: string | null;
    actor: Json<Event['actor']> | null;
    correlation_id: string | null;
    networks: ColumnType<NetworkId[], NetworkId[] | undefined, never>;
    node_count: number | null;
    is_wide: Generated<boolean>;
  };
  change_nodes: { account_id: AccountId; sequence: number; instance_id: InstanceId };
  events: {
    id: string;
    account_id: AccountId;
    kind: string;
    severity: 'info' | 'warning' | 'error';
    at: Made;
    actor: Json<Event['actor']>;
    correlation_id: string;
    payload: Json<Record<string, unknown>>;
  };
  policies: Owned & { category: string; mode: PolicyMode | null };
  approvals: Owned & {
    action: string;
    category: string;
    summary: string;
    input: Json<Record<string, unknown>>;
    plan: Json<unknown> | null;
    status: 'pending' | 'approved' | 'rejected' | 'failed';
    secret_state: 'waiting' | 'shown' | 'lapsed' | null;
    secret_until: Date | null;
    of_model: Generated<boolean>;
    requested_by: string | null;
    requested_by_name: string;
    requested_token_id: string | null;
    decided_by: string | null;
    decided_by_name: string | null;
    decided_at: Date | null;
    reason: string | null;
    expires_at: Date;
    result: Json<Record<string, unknown>> | null;
    error: Json<Record<string, unknown>> | null;
    correlation_id: string;
  };
  idempotency_keys: {
    account_id: AccountId;
    operator_id: string;
    key: string;
    request_digest: string;
    status: number;
    body: Json<unknown>;
    created_at: Made;
  };
  operations: Owned & {
    kind: string;
    summary: string;
    subject_id: string | null;
    input: Json<Record<string, unknown>>;
    state: OperationState;
    step: string;
    memory: ColumnType<Record<string, unknown>, string | undefined, string>;
    detail: string | null;
    attempts: Generated<number>;
    due_at: Made;
    claim: string | null;
    claimed_until: Date | null;
    cancel_requested_at: Date | null;
    cancel_reason: string | null;
    requested_by: string | null;
    requested_by_name: string;
    correlation_id: string;
    result: Json<Record<string, unknown>> | null;
    error: Json<Record<string, unknown>> | null;
    ended_at: Date | null;
  };
}
