// A process of the platform in the simulation: the product's failover controller, leadership, dispatcher and sessions,
// with the ports of the world around them: rows in the simulated database, a bus that loses, and lines to instances.
import type { PolicyMode } from '@powernode/core/intent/autonomy';
import { catchUpMs, changesReadMax } from '@powernode/core/limits/node-stream';
import { newestCapability } from '@powernode/core/wire/capability';
import { pino } from 'pino';
import type { VirtualIpRow } from '../../../packages/platform/actions/sdwan/virtual-ips/model.ts';
import {
  awayColumns,
  finishedColumns,
  givenColumns,
  healthyColumns,
  type MoveColumns,
  unassignedColumns,
} from '../../../packages/platform/actions/sdwan/virtual-ips/move-columns.ts';
import { FailoverController } from '../../../packages/platform/autonomy/failover/controller.ts';
import {
  type Decision,
  type FailoverRows,
  StaleDecision,
} from '../../../packages/platform/autonomy/failover/ports.ts';
import { SharedLeadership } from '../../../packages/platform/coordination/leadership.ts';
import { DeliveryCounters } from '../../../packages/platform/deliver/counters.ts';
import type { FleetSubscriber } from '../../../packages/platform/deliver/delivery-port.ts';
import type { InstanceFacts } from '../../../packages/platform/deliver/load.ts';
import type { NumberedChanges } from '../../../packages/platform/deliver/nodes/account-queue.ts';
import { Dispatcher } from '../../../packages/platform/deliver/nodes/dispatcher.ts';
import type { NodeState } from '../../../packages/platform/deliver/nodes/node-state.ts';
import { replay } from '../../../packages/platform/deliver/nodes/replay.ts';
import { fillNodes } from '../../../packages/platform/deliver/nodes/start.ts';
import type { Channel } from '../../../packages/platform/deliver/stream/channel.ts';
import { DocumentSendLimiter } from '../../../packages/platform/deliver/stream/document-send-limiter.ts';
import { ignoringSubscriber } from '../../../packages/platform/deliver/stream/node-stream-subscriber.ts';
import type { ReportSink } from '../../../packages/platform/deliver/stream/report-sink.ts';
import { Session } from '../../../packages/platform/deliver/stream/session.ts';
import { decodeEnvelope, encodeEnvelope } from '../../../packages/platform/events/bus-message.ts';
import type { BusMessage } from '../../../packages/platform/events/event-bus.ts';
import type { Clock } from '../../../packages/platform/trust/clock.ts';
import { accountId, type Database, type Loaded, virtualIpId } from './database.ts';
import { type Frame, lineDeadMs, type NodeListener } from './instances.ts';
import { transaction } from './transaction.ts';
import { type Line, Member, type World } from './world.ts';

const log = pino({ level: 'silent' });
const actor = 'platform';

export interface ProcessParts {
  readonly world: World;
  readonly name: string;
  readonly db: Database;
  readonly others: () => readonly PlatformProcess[];
  readonly instanceIds: readonly string[];
}

interface Connected {
  readonly session: Session;
  readonly line: Line;
}

/** What a process has in memory, from a start to its end. */
interface Running {
  readonly dispatcher: Dispatcher;
  readonly controller: FailoverController;
  readonly sendLimiter: DocumentSendLimiter;
}

export class PlatformProcess extends Member implements NodeListener {
  readonly #parts: ProcessParts;
  #running: Running | null = null;
  #subscriber: FleetSubscriber = { ...ignoringSubscriber, onDelta: () => undefined };
  #subscribers = new Set<(message: BusMessage) => void>();
  #connected = new Map<string, Connected>();
  readonly #clock: Clock;

  constructor(parts: ProcessParts) {
    super(parts.world, parts.name);
    this.#parts = parts;
    this.#clock = {
      now: () => this.wallMs,
      steady: () => this.steadyMs,
      after: (delayMs, run) =>
        this.after(delayMs, () => {
          this.world.promised();
          run();
        }),
    };
  }

  get isListening(): boolean {
    return this.#running !== null;
  }

  begin(): void {
    this.alive = true;
    void this.#start();
  }

  override end(): void {
    super.end();
    this.#running = null;
    this.#subscriber = { ...ignoringSubscriber, onDelta: () => undefined };
    this.#subscribers = new Set();
    for (const { line } of this.#connected.values()) line.close(1);
    this.#connected = new Map();
  }

  /** An operator asks for another holder; whichever process takes the request writes it. */
  failOver(): void {
    const running = this.#running;
    if (running === null) return;
    this.#transaction('read write', () => {
      const { db } = this.#parts;
      const { row } = db;
      const { current_holder_peer_id: holder } = row;
      if (holder === null) return null;
      const { sequence, ...at } = this.#writing();
      const terms = running.controller.terms(row);
      const isAbreast = running.dispatcher.sequenceOf(accountId) >= sequence - 1;
      const away = {
        successor: this.world.one(row.failover_holder_peer_ids.filter((id) => id !== holder)),
        reason: 'by_hand' as const,
        detail: 'asked for',
        terms: isAbreast ? terms : [...terms, 'unknown' as const],
      };
      const columns = awayColumns(row, away, { ...at, sequence, holder, holderInstanceId: holder });
      return () => db.move(columns, at.now);
    }).then(
      (numbered) => this.#publishChange(numbered),
      () => undefined,
    );
  }

  /** An operator attaches and detaches hubs. */
  setHubs(slots: ReadonlySet<number>, all: number): void {
    const { db } = this.#parts;
    this.#transaction('read write', () => () => db.setHubs(slots, all)).then(
      (numbered) => this.#publishChange(numbered),
      () => undefined,
    );
  }

  accept(instanceId: string, line: Line): void {
    const node = this.#running?.dispatcher.nodes.get(instanceId);
    if (this.#running === null || node === undefined) return line.close(1);
    const { dispatcher, sendLimiter } = this.#running;
    const session = new Session({
      node,
      channel: channelOf(line),
      remoteAddress: '192.0.2.1',
      dispatcher,
      reports: this.#reports,
      subscriber: { ...ignoringSubscriber, ...this.#subscriber },
      counters: new DeliveryCounters(),
      sendLimiter,
      clock: this.#clock,
      log,
      platformVersion: 'simulated',
    });
    node.stream?.end('replaced');
    node.stream = session;
    this.#connected.set(instanceId, { session, line });
    line.onFrame[1] = (frame) => this.#read(session, line, frame as Frame);
    line.onClose[1] = () => {
      if (!this.alive) return;
      session.closed();
      if (this.#connected.get(instanceId)?.line === line) this.#connected.delete(instanceId);
    };
  }

  #read(session: Session, line: Line, frame: Frame): void {
    this.world.promised();
    if (frame.kind === 'text') session.received(frame.text);
    else if (frame.kind === 'pong') session.answered(frame.word);
    else line.send(1, { kind: 'pong', word: frame.word });
  }

  // The start.

  async #start(): Promise<void> {
    const { db } = this.#parts;
    const loaded = await this.#again(() => this.#transaction('read', () => () => db.load()));
    const running = this.#runningOn(loaded);
    await this.#again(() => running.controller.start());
    this.#running = running;
    this.#sweep();
    this.#catchUp(running);
  }

  #runningOn(loaded: Loaded): Running {
    const { fleet, impacts } = replay(loaded.model, loaded.changes);
    const { db, name } = this.#parts;
    const read = (after: number) => db.changesAfter(after).slice(0, changesReadMax);
    const dispatcher = new Dispatcher({
      fleet,
      source: {
        read: (_account, after) => this.#transaction('read', () => () => read(after)),
        sequences: () => this.#transaction('read', () => () => [{ accountId, sequence: db.sequence }]),
      },
      clock: this.#clock,
      soon: (run) => this.#clock.after(0, run),
      counters: new DeliveryCounters(),
      log,
      subscribers: [{ onDelta: (delta) => this.#subscriber.onDelta(delta) }],
    });
    dispatcher.load(accountId, loaded.sequence);
    const instances = this.#parts.instanceIds.map((id) => instanceFacts(id, loaded));
    const sequences = new Map([[accountId, loaded.sequence]]);
    fillNodes(dispatcher.nodes, {
      fleet,
      table: dispatcher.table,
      impacts,
      loaded: { instances, sequences },
    });
    const leadership = new SharedLeadership({
      rows: {
        claim: (processId) => this.#transaction('read write', () => () => db.lead(processId)),
        release: async () => undefined,
      },
      clock: this.#clock,
      log,
      processId: name,
    });
    const controller = new FailoverController({
      rows: this.#rows(dispatcher),
      bus: {
        publish: (message) => this.#publish(message),
        subscribe: (listener) => {
          this.#subscribers.add(listener);
          return () => this.#subscribers.delete(listener);
        },
      },
      clock: this.#clock,
      nodes: {
        network: (id) => fleet.network(id),
        networks: () => fleet.networks(),
        node: (id) => dispatcher.nodes.get(id),
        sequenceOf: (account) => dispatcher.sequenceOf(account),
        caughtUp: (account, sequence) => dispatcher.caughtUp(account, sequence),
        subscribe: (subscriber) => {
          this.#subscriber = subscriber;
        },
      },
      leadership,
      processId: name,
      log,
    });
    this.#subscribers.add((message) => {
      if (message.kind === 'changed') dispatcher.changed(message.accountId, message.sequence);
    });
    return { dispatcher, controller, sendLimiter: new DocumentSendLimiter(this.#clock) };
  }

  /** Until it works, as the start of a platform does. */
  async #again<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work();
      } catch {
        await new Promise<void>((resolve) => this.#clock.after(150, resolve));
      }
    }
  }

  #catchUp(running: Running): void {
    this.#clock.after(catchUpMs, () => {
      running.dispatcher.catchUp().catch(() => undefined);
      this.#catchUp(running);
    });
  }

  /** Gives up streams on which nothing comes, and asks the others. */
  #sweep(): void {
    this.#clock.after(1_000, () => {
      for (const [instanceId, { session, line }] of this.#connected) {
        if (this.world.now - line.heard[1] > lineDeadMs) {
          this.#connected.delete(instanceId);
          session.terminate();
        } else line.send(1, { kind: 'ping', word: '' });
      }
      this.#sweep();
    });
  }

  readonly #reports: ReportSink = {
    arrived: () => undefined,
    keys: () => undefined,
    failed: () => undefined,
    problems: () => undefined,
    observed: () => undefined,
    applied: (node) => this.#store(node),
  };

  /** What a node has applied is stored a little later. */
  #store({ instanceId, applied }: NodeState): void {
    const { db } = this.#parts;
    if (applied === null) return;
    this.#clock.after(400, () => {
      this.#transaction('read write', () => () => {
        const known = db.applied.get(instanceId);
        if (known === undefined || known.revision <= applied.revision) db.applied.set(instanceId, applied);
      }).catch(() => undefined);
    });
  }

  // The bus.

  #publish(message: BusMessage): void {
    for (const listener of this.#subscribers) listener(message);
    const text = encodeEnvelope(this.name, message);
    for (const other of this.#parts.others()) {
      if (other !== this) this.world.datagram(this, other, () => other.#receive(text));
    }
  }

  #receive(text: string): void {
    this.world.promised();
    const envelope = decodeEnvelope(text);
    if (envelope === null) throw new Error('a process does not understand another one');
    for (const listener of this.#subscribers) listener(envelope.message);
  }

  #publishChange(numbered: NumberedChanges): void {
    const { sequence, changes } = numbered;
    this.#running?.dispatcher.changed(accountId, sequence, changes);
    this.#publish({ kind: 'changed', accountId, sequence });
  }

  // The database.

  #rows(dispatcher: Dispatcher): FailoverRows {
    const { db } = this.#parts;
    const read = <T>(what: () => T) => this.#transaction('read', () => what);
    return {
      all: () => read(() => [db.row]),
      byId: (ids) => read(() => (ids.includes(virtualIpId) ? [db.row] : [])),
      snapshot: () => read(() => ({ rows: [db.row], modes: autoApprove(), requests: [] })),
      modes: () => read(autoApprove),
      requestStatuses: async () => new Map(),
      withdrawRequest: async () => undefined,
      write: async (decision) => {
        const written = await this.#transaction('read write', () => this.#decided(decision));
        if (written.numbered !== null) {
          dispatcher.changed(accountId, written.numbered.sequence, written.numbered.changes);
          this.#publish({ kind: 'changed', accountId, sequence: written.numbered.sequence });
        }
        decision.committed(written.row);
      },
    };
  }

  /** Under the lock: what the commit will write. Throws when the decision is stale. */
  #decided(
    decision: Decision,
  ): () => { readonly row: VirtualIpRow; readonly numbered: NumberedChanges | null } {
    const { db } = this.#parts;
    const { effect, expected } = decision;
    const before = db.row;
    if (db.leader !== this.name) throw new Error('another process leads');
    if (before.epoch !== expected.epoch || before.current_holder_peer_id !== expected.holder) {
      throw new StaleDecision('it has moved meanwhile');
    }
    const at = this.#writing();
    const moved = (columns: MoveColumns) => () => ({ numbered: db.move(columns, at.now), row: db.row });
    const noted = (columns: MoveColumns) => () => {
      db.note(columns, at.now);
      return { numbered: null, row: db.row };
    };
    switch (effect.kind) {
      case 'revoke': {
        decision.confirm(at.sequence);
        const holder = before.current_holder_peer_id ?? '';
        const away = { ...effect, terms: decision.oldTerms(holder) };
        return moved(awayColumns(before, away, { ...at, holder, holderInstanceId: holder }));
      }
      case 'grant':
        decision.confirm(at.sequence);
        return moved(givenColumns(before, effect, at));
      case 'unassign':
        return moved(unassignedColumns(effect.detail, at.now));
      case 'complete':
        return noted(finishedColumns());
      case 'note_healthy':
        return noted(healthyColumns(before, effect.peerId));
      case 'set_phase':
        return noted({ state: effect.phase, state_detail: effect.detail });
      case 'request_approval':
      case 'withdraw_approval':
        throw new Error('no operator is asked here');
    }
  }

  #writing() {
    return { actor, now: new Date(this.wallMs), sequence: this.#parts.db.sequence + 1 };
  }

  #transaction<T>(mode: 'read' | 'read write', prepare: () => (() => T) | null): Promise<T> {
    return transaction({ process: this, db: this.#parts.db, mode }, prepare);
  }
}

function autoApprove(): Map<string, PolicyMode> {
  return new Map([[accountId, 'auto_approve']]);
}

function instanceFacts(id: string, loaded: Loaded): InstanceFacts {
  const applied = loaded.applied.get(id);
  return {
    id,
    account_id: accountId,
    hostname: id,
    applied_revision: applied?.revision ?? null,
    applied_hash: applied?.hash ?? null,
    last_heartbeat_at: null,
    offline_since: null,
    subsystems: [],
    capability: newestCapability,
    terminated_at: null,
  };
}

/** The platform's end of a line. */
function channelOf(line: Line): Channel {
  const send = (text: string) => line.send(1, { kind: 'text', text });
  return {
    backlogBytes: 0,
    send,
    sendLong: (pieces) => {
      let text = '';
      for (let piece = pieces.next(); piece.done !== true; piece = pieces.next()) text += piece.value;
      send(text);
    },
    ping: (word = '') => line.send(1, { kind: 'ping', word }),
    close: () => line.close(1),
    terminate: () => line.close(1),
    whenDrained: (run) => run(),
  };
}
