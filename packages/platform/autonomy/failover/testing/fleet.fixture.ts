// Test support: a network of simulated machines on a whole platform: hubs that say whom they hear, and peers that hold
// addresses as agents do. Nothing is measured; tests wait for what has to come.
import { setTimeout as pause } from 'node:timers/promises';
import type { ActionKey } from '@powernode/core/actions/catalogue';
import type { HolderHealth, VirtualIp, VirtualIpHolder } from '@powernode/core/intent/virtual-ip';
import { addressLeaseMarginMs, addressLeaseMs } from '@powernode/core/limits/failover';
import { probeIntervalMs } from '@powernode/core/limits/probe';
import type { VirtualIpEntry } from '@powernode/core/wire/document';
import { enrolSimulated } from '../../../deliver/simulated-enrolment.ts';
import { DocumentHolding, type NodeCredentials, SimulatedNode } from '../../../deliver/simulated-node.ts';
import { randomKey } from '../../../deliver/testing/stage.fixture.ts';
import { startTestPlatform, type TestPlatform, type TestProcess } from '../../../testing/test-platform.ts';
import { makeMachine } from '../../../trust/machine.fixture.ts';

type Row = Record<string, unknown>;

/** So many machines. */
interface Several {
  1: [Agent];
  2: [Agent, Agent];
  3: [Agent, Agent, Agent];
}

/** As `get` shows it. */
type Shown = VirtualIp & { readonly transitions: Row[]; readonly holders: VirtualIpHolder[] };

interface Scene<N extends keyof Several> {
  readonly hubs: Agent[];
  readonly peers: Several[N];
}

export class Agent {
  readonly hostname: string;
  readonly instanceId: string;
  readonly holding = new DocumentHolding();
  readonly node: SimulatedNode;
  /** Of the last answer to each address that it holds. */
  readonly held = new Map<string, { readonly epoch: number; readonly atMs: number }>();
  /** When its document last changed. */
  documentMs = 0;
  #openedMs = 0;
  peerId = '';
  /** As a hub: its reports on peers, sent again after every hello. */
  readonly #reports = new Map<string, boolean>();
  #timer: NodeJS.Timeout | null = null;
  /** Holds while it runs; without, it is one whose prober is stuck. */
  holds = true;

  constructor(parts: {
    readonly hostname: string;
    readonly instanceId: string;
    readonly nodeUrl: string;
    readonly credentials: NodeCredentials;
  }) {
    this.hostname = parts.hostname;
    this.instanceId = parts.instanceId;
    this.node = new SimulatedNode({
      nodeUrl: parts.nodeUrl,
      credentials: parts.credentials,
      holding: this.holding,
      unusedKeys: Array.from({ length: 8 }, randomKey),
      onMessage: (message) => {
        if (message.kind === 'document' || message.kind === 'delta') this.documentMs = performance.now();
        if (message.kind !== 'lease_ack') return;
        for (const { virtual_ip_id: id, epoch } of message.leases) {
          this.held.set(id, { epoch, atMs: performance.now() });
        }
      },
    });
  }

  async connect(nodeUrl?: string): Promise<void> {
    await this.node.connect(nodeUrl);
    this.#openedMs = performance.now();
    if (this.#reports.size > 0) this.#say([...this.#reports.keys()]);
    this.#timer ??= setInterval(() => this.#renewLeases(), probeIntervalMs / 2);
  }

  /** The machine fails: nothing more comes from it. */
  die(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.node.drop();
  }

  /** Its agent is another one now, which has heard nobody yet. */
  forget(): void {
    this.#reports.clear();
  }

  hears(agent: Agent, alive: boolean): void {
    this.#reports.set(agent.peerId, alive);
    this.#say([agent.peerId]);
  }

  /** As a hub: for so long that it counts when it says that it has lost somebody. */
  hasListened(): boolean {
    return performance.now() > this.#openedMs + addressLeaseMs + addressLeaseMarginMs;
  }

  entry(virtualIpId: string): VirtualIpEntry | undefined {
    const entry = this.holding.entries.get(`virtual_ip/${virtualIpId}`);
    return entry?.kind === 'virtual_ip' ? entry : undefined;
  }

  /** As an agent does: its document has it, and the platform has just said that it is the holder's. */
  answers(virtualIpId: string): boolean {
    const entry = this.entry(virtualIpId);
    const held = this.held.get(virtualIpId);
    if (entry === undefined || entry.lease === null) return entry !== undefined;
    return held?.epoch === entry.epoch && performance.now() - held.atMs < addressLeaseMs;
  }

  /** Waits until the platform has gone on answering for so long: whatever else was to come has had its time. */
  async answeredFor(virtualIpId: string, ms: number): Promise<void> {
    await until(() => this.held.has(virtualIpId));
    const from = performance.now();
    await until(() => (this.held.get(virtualIpId)?.atMs ?? 0) > from + ms);
  }

  /** As a holder: what its health check of the address found; null: it has none any more. */
  finds(virtualIpId: string, health: HolderHealth | null): void {
    const last_error = health === 'failing' ? 'refused' : null;
    const since = new Date().toISOString();
    this.node.observe({ virtual_ip_health: [{ virtual_ip_id: virtualIpId, health, since, last_error }] });
  }

  #say(peerIds: readonly string[]): void {
    if (!this.node.connected) return;
    this.node.paths(peerIds.map((id) => ({ peer_id: id, alive: this.#reports.get(id) === true })));
  }

  #renewLeases(): void {
    if (!this.holds || !this.node.connected) return;
    const leases = [...this.holding.entries.values()].flatMap((entry) =>
      entry.kind === 'virtual_ip' && entry.lease !== null
        ? [{ virtual_ip_id: entry.virtual_ip_id, epoch: entry.epoch }]
        : [],
    );
    if (leases.length > 0) this.node.renewLeases(leases);
  }
}

export class Fleet {
  readonly platform: TestPlatform;
  /** The one that operators speak to. */
  process: TestProcess;
  readonly agents: Agent[] = [];
  networkId = '';
  /** Where each process of the platform meets nodes. */
  readonly nodeUrls = new Map<TestProcess, string>();
  readonly #started: TestProcess[] = [];
  #names = 0;

  static async open(options: { readonly isShared?: boolean } = {}): Promise<Fleet> {
    const fleet = new Fleet(await startTestPlatform(options));
    await fleet.listen(fleet.platform.first);
    return fleet;
  }

  private constructor(platform: TestPlatform) {
    this.platform = platform;
    this.process = platform.first;
  }

  /** Another process on the same database and bus. */
  async startProcess(): Promise<TestProcess> {
    const process = await this.platform.startProcess();
    this.#started.push(process);
    await this.listen(process);
    return process;
  }

  async listen(process: TestProcess): Promise<void> {
    const { port } = await process.delivery.listen({ host: '127.0.0.1', port: 0 });
    this.nodeUrls.set(process, `https://127.0.0.1:${port}`);
  }

  async close(): Promise<void> {
    for (const agent of this.agents) agent.die();
    for (const process of this.#started) await process.close();
    await this.platform.close();
  }

  async call(key: ActionKey, input: object): Promise<Record<string, Row>> {
    const { admin: caller } = this.platform;
    const outcome = await this.process.invoke({ caller, action: key, input, correlationId: `test-${key}` });
    return outcome.body as Record<string, Row>;
  }

  /** Does it without asking anybody. */
  async approved(key: ActionKey, input: object): Promise<Record<string, Row>> {
    return this.call(key, { ...input, approve: true });
  }

  /** A new network with so many hubs, and other peers, all connected and heard by all hubs. */
  async network<N extends keyof Several>(
    of: { readonly hubs: number; readonly peers: N },
    process: TestProcess = this.process,
  ): Promise<Scene<N>> {
    const { network } = await this.call('createNetwork', { name: this.name('network') });
    this.networkId = String(network?.['id']);
    const hubs: Agent[] = [];
    const peers: Agent[] = [];
    for (let i = 0; i < of.hubs; i++) hubs.push(await this.attach({ hub: true, process }));
    for (let i = 0; i < of.peers; i++) peers.push(await this.attach({ hub: false, process }));
    for (const hub of hubs) for (const peer of peers) hub.hears(peer, true);
    return { hubs, peers: peers as Several[N] };
  }

  /** The same with a virtual IP, which the first of the peers holds and the others could. */
  async held<N extends keyof Several>({
    hubs: hubCount,
    peers: peerCount,
    ...settings
  }: {
    readonly hubs: number;
    readonly peers: N;
    readonly preempt?: boolean;
    readonly hold_down_seconds?: number;
    readonly health_check?: object;
  }): Promise<Scene<N> & { readonly id: string }> {
    const { hubs, peers } = await this.network({ hubs: hubCount, peers: peerCount });
    const id = await this.virtualIp(peers, settings);
    await this.heldBy(id, peers[0]);
    return { hubs, peers, id };
  }

  /** The machine fails, and the hubs report it. */
  async loses(hubs: readonly Agent[], agent: Agent): Promise<void> {
    agent.die();
    await this.unheard(hubs, agent);
  }

  /** The hubs have lost it, whatever it does itself. */
  async unheard(hubs: readonly Agent[], agent: Agent): Promise<void> {
    await until(() => hubs.every((hub) => hub.hasListened()));
    for (const hub of hubs) hub.hears(agent, false);
  }

  async attach(of: { readonly hub: boolean; readonly process?: TestProcess }): Promise<Agent> {
    const agent = await this.join(this.name(of.hub ? 'hub' : 'peer'), of.process ?? this.process);
    const place = of.hub
      ? { publicly_reachable: true, endpoint_address: `203.0.113.${this.#names}` }
      : { publicly_reachable: false };
    const { peer } = await this.call('attachPeer', {
      network_id: this.networkId,
      node_instance_id: agent.instanceId,
      ...place,
    });
    agent.peerId = String(peer?.['id']);
    return agent;
  }

  async join(hostname: string, process: TestProcess): Promise<Agent> {
    const { platform } = this;
    const nodeUrl = this.nodeUrls.get(process) ?? '';
    const machine = await makeMachine();
    const { join_token: token } = await this.call('createJoinToken', {});
    const answer = await enrolSimulated({
      ...machine,
      nodeUrl,
      token: String(token?.['token']),
      fingerprint: platform.authority.fingerprint(),
      hostname,
    });
    const credentials = {
      keyPem: machine.keyPem,
      certificatePem: answer.certificate_pem,
      authorityPem: answer.authority_pem,
    };
    const agent = new Agent({ hostname, instanceId: answer.instance_id, nodeUrl, credentials });
    this.agents.push(agent);
    await agent.connect();
    await until(async () => {
      const { instance } = await this.call('getInstance', { instance_id: agent.instanceId });
      return Number(instance?.['unused_keys']) > 1;
    });
    return agent;
  }

  async virtualIp(holders: readonly Agent[], settings: object = {}): Promise<string> {
    const [primary, ...others] = holders;
    const { virtual_ip: virtualIp } = await this.call('createVirtualIp', {
      network_id: this.networkId,
      name: this.name('vip'),
      primary_holder_peer_id: primary?.peerId,
      failover_holder_peer_ids: others.map(({ peerId }) => peerId),
      hold_down_seconds: 0,
      ...settings,
    });
    return String(virtualIp?.['id']);
  }

  async get(virtualIpId: string): Promise<Shown> {
    const { virtual_ip: virtualIp } = await this.call('getVirtualIp', { virtual_ip_id: virtualIpId });
    return virtualIp as unknown as Shown;
  }

  /** Waits until it is with the holder, who has applied it and is answered. */
  async heldBy(virtualIpId: string, holder: Agent): Promise<Shown> {
    await until(() => holder.answers(virtualIpId));
    await until(async () => {
      const { state, current_holder_peer_id: id } = await this.get(virtualIpId);
      return state === 'active' && id === holder.peerId;
    });
    return this.get(virtualIpId);
  }

  async stateOf(virtualIpId: string, state: VirtualIp['state']): Promise<VirtualIp> {
    await until(async () => (await this.get(virtualIpId)).state === state);
    return this.get(virtualIpId);
  }

  async policy(mode: string | null): Promise<void> {
    await this.approved('setPolicy', { category: 'system.sdwan_vip_failover', mode });
  }

  async approvals(status: string): Promise<Row[]> {
    const { approvals } = await this.call('listApprovals', { status });
    return (approvals as unknown as Row[]).filter(
      (row) => row['action'] === 'system_sdwan_failover_virtual_ip',
    );
  }

  async events(prefix: string): Promise<Row[]> {
    const { events } = await this.call('recentEvents', { kind_prefix: prefix, limit: 500 });
    return events as unknown as Row[];
  }

  name(noun: string): string {
    this.#names++;
    return `${noun}-${this.#names}`;
  }
}

/** However long it takes; the test's own limit is the only one. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await pause(5);
}
