// The rows of objects of networks beside their peers, as types. Columns are explained where they are created (migrations/).
import type { RuleModel, Selector } from '@powernode/core/compile/model';
import type { AccountId, Id, InstanceId, NetworkId, PeerId, PublicKey } from '@powernode/core/ids';
import type { BgpState } from '@powernode/core/intent/bgp';
import type { PolicyStatement } from '@powernode/core/intent/route-policy';
import type { PodSubnetSource, SubnetAdvertisement } from '@powernode/core/intent/subnet';
import type { HealthCheck, HolderHealth } from '@powernode/core/intent/virtual-ip';
import type { ColumnType, Generated } from 'kysely';
import type { Json, Made, Owned } from './table-columns.ts';
import type { FailedCheckRow, VirtualIpMove } from './virtual-ip-columns.ts';

export interface NetworkObjectTables {
  firewall_rules: Owned<Id<'firewall_rule'>> & {
    network_id: NetworkId;
    name: string | null;
    direction: RuleModel['direction'];
    action: RuleModel['action'];
    selector: Json<Selector>;
    destination: Json<Selector>;
    protocol: RuleModel['protocol'];
    port_first: number | null;
    port_last: number | null;
    enabled: boolean;
  };
  rule_counters: {
    account_id: AccountId;
    rule_id: Id<'firewall_rule'>;
    instance_id: InstanceId;
    packets: number;
    bytes: number;
    base_packets: Generated<number>;
    base_bytes: Generated<number>;
    observed_at: Made;
  };
  virtual_ips: Owned<Id<'virtual_ip'>> & {
    network_id: NetworkId;
    name: string;
    address: string;
    ipv4_address: string | null;
    anycast: boolean;
    primary_holder_peer_id: PeerId;
    failover_holder_peer_ids: Json<PeerId[]>;
    preempt: Generated<boolean>;
    hold_down_seconds: number;
    state: 'pending' | 'active' | 'failing_over' | 'unassigned' | 'error';
    state_detail: string | null;
    current_holder_peer_id: PeerId | null;
    releasing_peer_id: PeerId | null;
    release_sequence: number | null;
    successor_peer_id: PeerId | null;
    transition: Json<VirtualIpMove> | null;
    epoch: Generated<number>;
    last_transition_at: Date | null;
    health_check: Json<HealthCheck> | null;
    error_since: Date | null;
    failed_checks: ColumnType<readonly FailedCheckRow[], string | undefined, string>;
  };
  virtual_ip_health: {
    account_id: AccountId;
    virtual_ip_id: Id<'virtual_ip'>;
    peer_id: PeerId;
    health: HolderHealth;
    since: Date;
    last_error: string | null;
    observed_at: Date;
  };
  virtual_ip_transitions: {
    id: string;
    account_id: AccountId;
    virtual_ip_id: Id<'virtual_ip'>;
    at: Made;
    from_peer_id: PeerId | null;
    to_peer_id: PeerId | null;
    reason: VirtualIpMove['reason'];
    detail: string;
    actor: string;
    epoch: number;
    took_ms: number | null;
  };
  port_mappings: Owned<Id<'port_mapping'>> & {
    network_id: NetworkId;
    hub_peer_id: PeerId;
    hub_instance_id: InstanceId;
    external_address: string;
    external_port: number;
    protocol: 'tcp' | 'udp';
    internal_peer_id: PeerId | null;
    internal_virtual_ip_id: Id<'virtual_ip'> | null;
    internal_port: number;
    source_cidrs: Json<string[]>;
    rate_limit: number | null;
    max_connections: number | null;
  };
  subnet_advertisements: Owned<Id<'subnet_advertisement'>> & {
    network_id: NetworkId;
    peer_id: PeerId;
    prefix: string;
    local_prefix: string;
    source: SubnetAdvertisement['source'];
    slice_source: PodSubnetSource | null;
    description: string;
    preference: number;
    source_nat: boolean;
    withdrawn_at: Date | null;
  };
  route_policies: Owned<Id<'route_policy'>> & {
    network_id: NetworkId;
    name: string;
    direction: 'import' | 'export';
    statements: Json<PolicyStatement[]>;
  };
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
  access_grants: Owned & {
    network_id: NetworkId;
    device_name_hint: string;
    created_by: string | null;
    created_with: string | null;
    digest: string;
    tags: Json<string[]>;
    expires_at: Date;
    used_at: Date | null;
    idempotency_digest: string | null;
    revoked_at: Date | null;
    user_device_id: Id<'user_device'> | null;
  };
  user_devices: Owned<Id<'user_device'>> & {
    network_id: NetworkId;
    access_grant_id: string | null;
    name: string;
    public_key: PublicKey;
    host_address: string;
    ipv4_address: string | null;
    hub_peer_id: PeerId;
    tags: Json<string[]>;
    config_digest: string;
    revoked_at: Date | null;
    taken_from: Json<TakenFrom[]>;
  };
}

/** A machine that a device was taken from, and the number of the account's change that says so to that machine. */
export interface TakenFrom {
  readonly instance_id: InstanceId;
  readonly sequence: number;
}
