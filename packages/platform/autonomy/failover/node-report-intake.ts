// Receives node reports: directly from streams of this process, and via the bus from other processes. Keeps them as
// observations, forwards lease renewals to the process that leads, and asks hubs whether their reports still stand.

import { formatDigest } from '@powernode/core/compile/digest';
import type { AccountId, InstanceId, PeerId } from '@powernode/core/ids';
import { gossipExpiryMs } from '@powernode/core/limits/gossip';
import type { Hello, LeaseRenewMessage, Observed, PathsMessage } from '@powernode/core/wire/node-stream';
import { Gossip, onEveryBeat, Questions } from '../../coordination/gossip.ts';
import type { NodeState, NodeStream } from '../../deliver/nodes/node-state.ts';
import type { EventBus } from '../../events/event-bus.ts';
import type { FailoverGossip } from '../../events/failover-gossip.ts';
import type { Clock } from '../../trust/clock.ts';
import type { NodeObservations } from './node-observations.ts';
import { isAbreast } from './outstanding-leases.ts';

type Leases = LeaseRenewMessage['leases'];

export interface IntakeParts {
  readonly processId: string;
  readonly observations: NodeObservations;
  readonly bus: Pick<EventBus, 'publish' | 'subscribe'>;
  readonly clock: Clock;
  /** Whether there may be other processes. */
  readonly isShared: boolean;
  /** The newest change of the account that was applied to the fleet in memory. */
  readonly sequenceOf: (accountId: AccountId) => number;
  /** Which of these the node still holds, when this process leads; null: it does not. */
  readonly renewed: (instanceId: InstanceId, leases: Leases) => Leases | null;
  /** Whether the other processes have to know of the node. */
  readonly isRelevant: (instanceId: InstanceId) => boolean;
}

interface Connected {
  readonly name: string;
  readonly stream: NodeStream;
}

export class NodeReportIntake {
  readonly #parts: IntakeParts;
  /** By machine. */
  readonly #streams = new Map<string, Connected>();
  readonly #gossip: Gossip<FailoverGossip>;
  readonly #questions: Questions<boolean | null>;
  #count = 0;
  readonly #endBeats: () => void;

  constructor(parts: IntakeParts) {
    this.#parts = parts;
    const { processId, bus, clock, isShared } = parts;
    this.#questions = new Questions(processId, clock);
    this.#gossip = new Gossip({
      processId,
      bus,
      pack: (gossip) => ({ kind: 'failover', gossip }),
      unpack: (message) => (message.kind === 'failover' ? message.gossip : null),
      received: (message) => this.#receive(message),
    });
    this.#endBeats = isShared ? onEveryBeat(clock, () => this.#beat()) : () => undefined;
  }

  close(): void {
    this.#endBeats();
    this.#questions.close();
    this.#gossip.close();
  }

  arrived(node: NodeState, stream: NodeStream, { held, applied }: Pick<Hello, 'held' | 'applied'>): void {
    const { processId, observations, sequenceOf } = this.#parts;
    const name = `${processId}/${++this.#count}`;
    this.#streams.set(node.instanceId, { name, stream });
    // What it is, and is to stay, is what all changes until now make of it, whichever of them brought that.
    const isNewest = applied?.hash === held?.hash && applied?.hash === formatDigest(node.digest);
    const revision = Math.max(applied?.revision ?? 0, isNewest ? sequenceOf(node.accountId) : 0);
    observations.see(processId, {
      instanceId: node.instanceId,
      stream: name,
      applied: applied === null ? null : { hash: applied.hash, revision },
      words: [],
    });
    this.#spread(node.instanceId);
  }

  left(node: NodeState, stream: NodeStream): void {
    const { processId, observations } = this.#parts;
    const { instanceId } = node;
    const connected = this.#streams.get(instanceId);
    if (connected?.stream !== stream) return;
    this.#streams.delete(instanceId);
    observations.left(processId, instanceId, connected.name);
    if (this.#isShared(instanceId)) {
      this.#say({ about: 'left', from: processId, instanceId, stream: connected.name });
    }
  }

  applied(node: NodeState, stream: NodeStream): void {
    const connected = this.#streams.get(node.instanceId);
    if (connected?.stream !== stream) return;
    const { processId, observations, sequenceOf } = this.#parts;
    const known = observations.applied(node.instanceId);
    // As at its hello: what all changes until now make of it, though the last of them made nothing of it.
    const isNewest = node.applied !== null && isAbreast(node, node.applied);
    const revision = Math.max(node.applied?.revision ?? 0, isNewest ? sequenceOf(node.accountId) : 0);
    // What was known of it at its hello is not less.
    if (known !== null && known.revision > revision) return;
    observations.see(processId, {
      instanceId: node.instanceId,
      stream: connected.name,
      applied: node.applied === null ? null : { hash: node.applied.hash, revision },
      words: [],
    });
    this.#spread(node.instanceId);
  }

  paths(node: NodeState, stream: NodeStream, { peers }: PathsMessage): void {
    if (this.#streams.get(node.instanceId)?.stream !== stream) return;
    const { processId, observations } = this.#parts;
    for (const { peer_id: peerId, alive } of peers)
      observations.say(processId, node.instanceId, { peerId, alive });
    this.#spread(node.instanceId);
  }

  checked(node: NodeState, stream: NodeStream, found: NonNullable<Observed['virtual_ip_health']>): void {
    if (this.#streams.get(node.instanceId)?.stream !== stream) return;
    const { processId, observations } = this.#parts;
    for (const { virtual_ip_id: virtualIpId, health, last_error: lastError } of found) {
      const check = health === null ? null : { health, lastError };
      observations.check(processId, node.instanceId, { virtualIpId, check });
    }
    this.#spread(node.instanceId);
  }

  renewLeases(node: NodeState, stream: NodeStream, { sequence, leases }: LeaseRenewMessage): void {
    const { instanceId } = node;
    const connected = this.#streams.get(instanceId);
    if (connected?.stream !== stream) return;
    const held = this.#parts.renewed(instanceId, leases);
    if (held !== null) return stream.acknowledgeLeases({ sequence, leases: held });
    const { processId, isShared } = this.#parts;
    if (isShared)
      this.#say({ about: 'hold', from: processId, instanceId, stream: connected.name, sequence, leases });
  }

  /**
   * Asks the hub to confirm its report on the peer. Calls with that report once the hub is known to have been connected
   * after this moment; never, when it is not.
   */
  ask(instanceId: InstanceId, peerId: PeerId, answered: (alive: boolean | null) => void): void {
    const { processId, observations } = this.#parts;
    for (const { process, stream } of observations.streamsOf(instanceId)) {
      if (process === processId) {
        this.#askHere({ instanceId, stream, peerId }, answered);
        continue;
      }
      this.#questions.ask({
        about: instanceId,
        withinMs: gossipExpiryMs,
        ask: (question) =>
          this.#say({
            about: 'question',
            to: process,
            from: processId,
            question,
            instanceId,
            stream,
            peerId,
          }),
        answered,
      });
    }
  }

  #askHere(
    of: { readonly instanceId: InstanceId; readonly stream: string; readonly peerId: PeerId },
    answered: (alive: boolean | null) => void,
  ): void {
    const connected = this.#streams.get(of.instanceId);
    if (connected === undefined || connected.name !== of.stream) return;
    connected.stream.whenAnswered(() => {
      if (this.#streams.get(of.instanceId) !== connected) return;
      answered(this.#reportOf(of.instanceId, of.peerId));
    });
  }

  #reportOf(instanceId: InstanceId, peerId: PeerId): boolean | null {
    const { processId, observations } = this.#parts;
    const words = observations.report(processId, instanceId)?.words ?? [];
    return words.find((word) => word.peerId === peerId)?.alive ?? null;
  }

  #receive(said: FailoverGossip): void {
    const { observations } = this.#parts;
    switch (said.about) {
      case 'all':
        return observations.only(said.from, said.reports);
      case 'node':
        return observations.see(said.from, said.report);
      case 'left':
        return observations.left(said.from, said.instanceId, said.stream);
      case 'hold': {
        const { instanceId, stream, sequence } = said;
        const leases = this.#parts.renewed(instanceId, said.leases);
        if (leases !== null)
          this.#say({ about: 'held', to: said.from, instanceId, stream, sequence, leases });
        return;
      }
      case 'held': {
        const connected = this.#streams.get(said.instanceId);
        if (connected?.name === said.stream)
          connected.stream.acknowledgeLeases({ sequence: said.sequence, leases: said.leases });
        return;
      }
      case 'question':
        return this.#askHere(said, (alive) =>
          this.#say({ about: 'answer', to: said.from, question: said.question, alive }),
        );
      case 'answer':
        return this.#questions.answer(said.question, said.alive);
    }
  }

  #beat(): void {
    const { observations, processId } = this.#parts;
    observations.expire(processId);
    const reports = observations
      .instancesOf(processId)
      .filter((instanceId) => this.#parts.isRelevant(instanceId))
      .flatMap((instanceId) => observations.report(processId, instanceId) ?? []);
    this.#say({ about: 'all', from: processId, reports });
  }

  #isShared(instanceId: InstanceId): boolean {
    return this.#parts.isShared && this.#parts.isRelevant(instanceId);
  }

  #spread(instanceId: InstanceId): void {
    if (!this.#isShared(instanceId)) return;
    const { observations, processId } = this.#parts;
    const report = observations.report(processId, instanceId);
    if (report !== null) this.#say({ about: 'node', from: processId, report });
  }

  #say(gossip: FailoverGossip): void {
    this.#gossip.publish(gossip);
  }
}
