// Test support: a platform's delivery over a real database with a real listener, and machines that join it. Changes
// are written as the actions write them: rows and one numbered change in a transaction under the account's lock.

import { randomBytes } from 'node:crypto';
import { connect as connectTcp } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Change } from '@powernode/core/compile/fleet-index';
import type { NetworkModel, PeerModel } from '@powernode/core/compile/model';
import { compileNaively } from '@powernode/core/compile/naive';
import { ProductError } from '@powernode/core/errors';
import type { EntryValue } from '@powernode/core/wire/document';
import type { EnrolResponse } from '@powernode/core/wire/enrolment';
import { sql } from 'kysely';
import { pino } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { loadFleet } from '../../actions/load-fleet.ts';
import { networkColumns, tunnelsModel } from '../../actions/sdwan/networks/model.ts';
import { peerColumns, peerModel } from '../../actions/sdwan/peers/model.ts';
import { type EventBus, inProcessBus } from '../../events/event-bus.ts';
import { inAccount, inPlatform } from '../../store/tenancy.ts';
import { openTestStore, type TestStore } from '../../store/test-database.ts';
import type { Authority } from '../../trust/authority.ts';
import { openAuthority } from '../../trust/authority-store.ts';
import { systemClock } from '../../trust/clock.ts';
import { type Machine, makeMachine } from '../../trust/machine.fixture.ts';
import { SealKey } from '../../trust/seal.ts';
import { makeJoinToken } from '../../trust/tokens.ts';
import { createDelivery } from '../delivery.ts';
import type { Delivery } from '../delivery-port.ts';
import type { ObservedMachine } from '../reports/arrival.ts';
import { enrolSimulated, post } from '../simulated-enrolment.ts';
import { DocumentHolding, type NodeCredentials, SimulatedNode } from '../simulated-node.ts';

export interface JoinedNode {
  readonly node: SimulatedNode;
  readonly holding: DocumentHolding;
  readonly credentials: NodeCredentials;
  readonly instanceId: string;
}

/** WireGuard keys are any 32 bytes to the platform. */
export function randomKey(): string {
  return randomBytes(32).toString('base64');
}

/** A database that a process can be cut off from. */
class Cuttable {
  readonly #db: TestStore['store']['db'];
  #cut = false;

  constructor(db: TestStore['store']['db']) {
    this.#db = db;
  }

  get db(): TestStore['store']['db'] {
    if (this.#cut) throw new ProductError('database_unavailable', 'cut off');
    return this.#db;
  }

  cut(): void {
    this.#cut = true;
  }
}

export interface Neighbour {
  readonly delivery: Delivery;
  readonly nodeUrl: string;
  nodeFor(joined: JoinedNode): SimulatedNode;
  close(): Promise<void>;
}

interface Fleet {
  readonly networks: Map<string, NetworkModel>;
  readonly peers: Map<string, PeerModel>;
}

export class Stage {
  readonly accountId = uuidv7();
  readonly observed: ObservedMachine[] = [];
  readonly bus = inProcessBus((error) => {
    throw error;
  });
  authority!: Authority;
  delivery!: Delivery;
  nodeUrl = '';
  readonly #sealKey = SealKey.make().key;
  readonly #log = pino({ level: process.env['TEST_LOG'] ?? 'silent' });
  readonly #nodes: SimulatedNode[] = [];
  readonly #test: TestStore;
  readonly #fleet: Fleet = { networks: new Map(), peers: new Map() };
  #database!: Cuttable;
  #numbers = 0;
  #port = 0;

  static async open(): Promise<Stage> {
    const stage = new Stage(await openTestStore());
    await inPlatform(stage.#test.store, (trx) =>
      trx
        .insertInto('accounts')
        .values({ id: stage.accountId, name: 'test', pool_prefix: 'fd00:1:2::/48' })
        .execute(),
    );
    await stage.start();
    return stage;
  }

  private constructor(test: TestStore) {
    this.#test = test;
  }

  get store() {
    return this.#test.store;
  }

  /** A new process: all it has is the database. */
  async start(): Promise<void> {
    this.#database = new Cuttable(this.#test.store.db);
    const store = this.#database;
    this.authority = await openAuthority({
      kind: 'nodes',
      store,
      sealKey: this.#sealKey,
      clock: systemClock,
    });
    this.delivery = await createDelivery({
      ...this.#deliveryParts(store, this.bus),
      onObserved: async (machine) => {
        this.observed.push(machine);
        return { change: null, againMs: null };
      },
    });
    const { port } = await this.delivery.listen({ host: '127.0.0.1', port: this.#port });
    this.#port = port;
    this.nodeUrl = `https://127.0.0.1:${port}`;
  }

  #deliveryParts(store: Pick<TestStore['store'], 'db'>, bus: EventBus): Parameters<typeof createDelivery>[0] {
    return {
      store,
      bus,
      authority: this.authority,
      log: this.#log,
      clock: systemClock,
      platformVersion: 'test',
      onObserved: async () => ({ change: null, againMs: null }),
      loadFleet,
      onDirectEndpoint: async () => null,
      onLeave: async () => undefined,
    };
  }

  /** As SIGKILL: from here on nothing that it still has in memory reaches the database or a node. */
  async kill(): Promise<void> {
    this.#database.cut();
    for (const node of this.#nodes) node.drop();
    await this.delivery.close();
  }

  async close(): Promise<void> {
    await this.kill();
    await this.#test.close();
  }

  /**
   * A second platform process over the same database. Without `bus` the two share none, as if Redis were away.
   */
  async neighbour(bus: EventBus = inProcessBus(() => undefined)): Promise<Neighbour> {
    const delivery = await createDelivery(this.#deliveryParts(this.store, bus));
    const { port } = await delivery.listen({ host: '127.0.0.1', port: 0 });
    const nodeUrl = `https://127.0.0.1:${port}`;
    return {
      delivery,
      nodeUrl,
      nodeFor: ({ credentials, holding }) => new SimulatedNode({ nodeUrl, credentials, holding }),
      close: () => delivery.close(),
    };
  }

  /** Waits for a condition, however long it takes; the test's own limit is the only one. */
  async until(condition: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await condition())) await pause(5);
  }

  async joinToken(
    token: {
      readonly nameHint?: string;
      readonly tags?: readonly string[];
      readonly expiresAt?: Date;
      readonly revokedAt?: Date;
    } = {},
  ): Promise<string> {
    const made = makeJoinToken(this.authority.fingerprint());
    await inAccount(this.store, this.accountId, (trx) =>
      trx
        .insertInto('join_tokens')
        .values({
          id: uuidv7(),
          account_id: this.accountId,
          digest: made.digest,
          name_hint: token.nameHint ?? null,
          tags: JSON.stringify(token.tags ?? []),
          expires_at: token.expiresAt ?? new Date(Date.now() + 3600_000),
          revoked_at: token.revokedAt ?? null,
        })
        .execute(),
    );
    return made.token;
  }

  enrol(
    token: string,
    machine: Pick<Machine, 'keyPem' | 'csrPem' | 'selfSignedPem'>,
  ): Promise<EnrolResponse> {
    const fingerprint = this.authority.fingerprint();
    return enrolSimulated({ ...machine, nodeUrl: this.nodeUrl, token, fingerprint, hostname: 'machine' });
  }

  async join({ keys }: { readonly keys?: readonly string[] } = {}): Promise<JoinedNode> {
    const machine = await makeMachine();
    const answer = await this.enrol(await this.joinToken(), machine);
    const credentials = {
      keyPem: machine.keyPem,
      certificatePem: answer.certificate_pem,
      authorityPem: answer.authority_pem,
    };
    const holding = new DocumentHolding();
    const node = this.nodeWith(credentials, { holding, keys: keys ?? [randomKey()] });
    return { node, holding, credentials, instanceId: answer.instance_id };
  }

  /** `nodeUrl`: of another process. */
  nodeWith(
    credentials: NodeCredentials,
    of: {
      readonly holding?: DocumentHolding;
      readonly keys?: readonly string[];
      readonly run?: string;
      readonly nodeUrl?: string;
    } = {},
  ): SimulatedNode {
    const { holding = new DocumentHolding(), keys: unusedKeys = [], nodeUrl = this.nodeUrl, run } = of;
    const own = run === undefined ? {} : { run };
    const node = new SimulatedNode({ nodeUrl, credentials, holding, unusedKeys, ...own });
    this.#nodes.push(node);
    return node;
  }

  post(path: string, body: unknown, tls: { key?: string; cert?: string }) {
    return post(`${this.nodeUrl}${path}`, body, { ...tls, ca: this.authority.certificatePem });
  }

  rawConnection(bytes: Buffer): Promise<void> {
    return new Promise((resolve) => {
      const socket = connectTcp({ host: '127.0.0.1', port: this.#port });
      socket.on('error', () => undefined);
      socket.on('close', () => resolve());
      // Whatever is answered is to be read, or the end of it is never reached.
      socket.resume();
      socket.end(bytes);
    });
  }

  instance(id: string) {
    return inAccount(this.store, this.accountId, (trx) =>
      trx.selectFrom('instances').selectAll().where('id', '=', id).executeTakeFirstOrThrow(),
    );
  }

  keys(instanceId: string) {
    return inAccount(this.store, this.accountId, (trx) =>
      trx.selectFrom('node_keys').selectAll().where('instance_id', '=', instanceId).execute(),
    );
  }

  takeKey(instanceId: string, publicKey: string) {
    return inAccount(this.store, this.accountId, (trx) =>
      trx
        .updateTable('node_keys')
        .set({ taken_at: new Date() })
        .where('instance_id', '=', instanceId)
        .where('public_key', '=', publicKey)
        .execute(),
    );
  }

  tunnels(instanceId: string) {
    return inAccount(this.store, this.accountId, (trx) =>
      trx.selectFrom('tunnel_observations').selectAll().where('instance_id', '=', instanceId).execute(),
    );
  }

  async events(kind: string) {
    return inAccount(this.store, this.accountId, (trx) =>
      trx.selectFrom('events').selectAll().where('kind', '=', kind).orderBy('id').execute(),
    );
  }

  async eventKinds(): Promise<string[]> {
    const rows = await inAccount(this.store, this.accountId, (trx) =>
      trx.selectFrom('events').select('kind').execute(),
    );
    return rows.map((row) => row.kind);
  }

  async network(strategy: NetworkModel['topologyStrategy'] = 'hub_and_spoke'): Promise<NetworkModel> {
    const number = ++this.#numbers;
    const id = uuidv7();
    const model = await this.commit(async (trx) => {
      const row = await trx
        .insertInto('networks')
        .values({
          id,
          account_id: this.accountId,
          name: `network ${number}`,
          handle: `n${number}`,
          description: '',
          prefix: `fd00:1:2:${number.toString(16)}::/64`,
          routing_mode: 'static',
          topology_strategy: strategy,
          firewall_default_policy: 'accept',
          mtu: 1420,
        })
        .returning(networkColumns)
        .executeTakeFirstOrThrow();
      const network = tunnelsModel(row);
      return { result: network, changes: [{ kind: 'network_created', network }] };
    });
    this.#fleet.networks.set(id, model.result);
    this.#notify(model);
    return model.result;
  }

  async attach(
    network: NetworkModel,
    instanceId: string,
    place: { readonly hubSlot?: number } = {},
  ): Promise<PeerModel> {
    const written = await this.#insertPeer(network, instanceId, place);
    this.#notify(written);
    return written.result;
  }

  /** As when the answer to a commit was lost, or another process wrote it. */
  attachSilently(network: NetworkModel, instanceId: string) {
    return this.#insertPeer(network, instanceId, {});
  }

  async #insertPeer(network: NetworkModel, instanceId: string, place: { readonly hubSlot?: number }) {
    const number = ++this.#numbers;
    const written = await this.commit(async (trx, sequence) => {
      const row = await trx
        .insertInto('peers')
        .values({
          id: uuidv7(),
          account_id: this.accountId,
          network_id: network.id,
          instance_id: instanceId,
          host_address: network.prefix.replace('/64', number.toString(16)),
          public_key: randomKey(),
          direct_key: randomKey(),
          publicly_reachable: null,
          listen_port: 51820 + number,
          hub_slot: place.hubSlot ?? null,
          endpoint: place.hubSlot === undefined ? null : `192.0.2.1:${51820 + number}`,
          tags: '[]',
          attached_sequence: sequence,
        })
        .returning(peerColumns)
        .executeTakeFirstOrThrow();
      const after = peerModel(row);
      return {
        result: after,
        changes: [{ kind: 'peer_changed', networkId: network.id, before: null, after }],
      };
    });
    this.#fleet.peers.set(written.result.id, written.result);
    return written;
  }

  async terminate(instanceId: string, peers: readonly PeerModel[]): Promise<void> {
    const written = await this.commit(async (trx) => {
      await trx.deleteFrom('peers').where('instance_id', '=', instanceId).execute();
      await trx
        .updateTable('instances')
        .set({ status: 'terminated', terminated_at: new Date(), certificate_serial: null })
        .where('id', '=', instanceId)
        .execute();
      const changes = peers.map(
        (before): Change => ({ kind: 'peer_changed', networkId: before.networkId, before, after: null }),
      );
      return { result: null, changes };
    });
    for (const peer of peers) this.#fleet.peers.delete(peer.id);
    this.#notify(written);
    this.delivery.instanceEnded(this.accountId, instanceId);
  }

  async terminateSilently(instanceId: string): Promise<void> {
    await inAccount(this.store, this.accountId, (trx) =>
      trx
        .updateTable('instances')
        .set({ status: 'terminated', terminated_at: new Date() })
        .where('id', '=', instanceId)
        .execute(),
    );
  }

  async commit<T>(
    work: (
      trx: Parameters<Parameters<typeof inAccount>[2]>[0],
      sequence: number,
    ) => Promise<{ result: T; changes: Change[] }>,
  ): Promise<{ result: T; changes: Change[]; sequence: number }> {
    return inAccount(this.store, this.accountId, async (trx) => {
      const { change_sequence: sequence } = await trx
        .updateTable('accounts')
        .set({ change_sequence: sql<number>`change_sequence + 1` })
        .where('id', '=', this.accountId)
        .returning('change_sequence')
        .executeTakeFirstOrThrow();
      const { result, changes } = await work(trx, sequence);
      await trx
        .insertInto('changes')
        .values({ account_id: this.accountId, sequence, changes: JSON.stringify(changes) })
        .execute();
      return { result, changes, sequence };
    });
  }

  #notify({ sequence, changes }: { readonly sequence: number; readonly changes: readonly Change[] }): void {
    this.delivery.changed(this.accountId, sequence, changes);
    this.bus.publish({ kind: 'changed', accountId: this.accountId, sequence });
  }

  /** What the node should hold, by the reference compiler over what was written. */
  expected(instanceId: string): Map<string, EntryValue> {
    const networks = Array.from(this.#fleet.networks.values(), (network) => ({
      network,
      peers: [...this.#fleet.peers.values()].filter((peer) => peer.networkId === network.id),
      items: [],
    }));
    return compileNaively(networks, instanceId);
  }

  inSync(instanceId: string): boolean {
    const { appliedHash, desiredHash } = this.delivery.nodeDelivery(instanceId);
    return appliedHash === desiredHash;
  }
}
