// Hears the nodes on the streams of this process, and by hearsay those of the others: keeps sights of them, brings
// questions of holders to whoever leads, and asks hubs whether they stand by their word.
import { formatDigest } from '@powernode/core/compile/digest';
import { hearsayBeatMs, hearsayExpiryMs } from '@powernode/core/limits';
import type { Hello, HoldMessage, PathsMessage } from '@powernode/core/wire/node-stream';
import type { NodeState, NodeStream } from '../../deliver/nodes/node-state.ts';
import type { EventBus } from '../../events/event-bus.ts';
import type { Clock } from '../../trust/clock.ts';
import type { Hearsay } from './hearsay.ts';
import type { Sights } from './sights.ts';

type Leases = HoldMessage['leases'];

export interface EarParts {
  readonly processId: string;
  readonly sights: Sights;
  readonly bus: EventBus;
  readonly clock: Clock;
  /** Whether there may be other processes. */
  readonly isShared: boolean;
  /** The newest change of the account that the fleet in memory has taken. */
  readonly sequenceOf: (accountId: string) => number;
  /** Which of these the node still holds, when this process leads; null: it does not. */
  readonly holds: (instanceId: string, leases: Leases) => Leases | null;
  /** Whether the other processes have to know of the node. */
  readonly matters: (instanceId: string) => boolean;
}

interface Heard {
  readonly name: string;
  readonly stream: NodeStream;
}

export class Ear {
  readonly #parts: EarParts;
  /** By machine. */
  readonly #streams = new Map<string, Heard>();
  readonly #asked = new Map<string, (alive: boolean | null) => void>();
  #count = 0;
  #closed = false;
  #callOff: () => void = () => undefined;
  readonly #unsubscribe: () => void;

  constructor(parts: EarParts) {
    this.#parts = parts;
    this.#unsubscribe = parts.bus.subscribe((message) => {
      if (message.kind === 'hearsay') this.#hear(message.hearsay);
    });
    if (parts.isShared) this.#beat();
  }

  close(): void {
    this.#closed = true;
    this.#callOff();
    this.#unsubscribe();
  }

  arrived(node: NodeState, stream: NodeStream, { held, applied }: Pick<Hello, 'held' | 'applied'>): void {
    const { processId, sights, sequenceOf } = this.#parts;
    const name = `${processId}/${++this.#count}`;
    this.#streams.set(node.instanceId, { name, stream });
    // What it is, and is to stay, is what all changes until now make of it, whichever of them brought that.
    const isNewest = applied?.hash === held?.hash && applied?.hash === formatDigest(node.digest);
    const revision = Math.max(applied?.revision ?? 0, isNewest ? sequenceOf(node.accountId) : 0);
    sights.see(processId, {
      instanceId: node.instanceId,
      stream: name,
      applied: applied === null ? null : { hash: applied.hash, revision },
      words: [],
    });
    this.#spread(node.instanceId);
  }

  left(node: NodeState, stream: NodeStream): void {
    const { processId, sights } = this.#parts;
    const { instanceId } = node;
    const heard = this.#streams.get(instanceId);
    if (heard?.stream !== stream) return;
    this.#streams.delete(instanceId);
    sights.left(processId, instanceId, heard.name);
    if (this.#isTold(instanceId)) {
      this.#say({ about: 'left', from: processId, instanceId, stream: heard.name });
    }
  }

  applied(node: NodeState, stream: NodeStream): void {
    const heard = this.#streams.get(node.instanceId);
    if (heard?.stream !== stream) return;
    const { processId, sights } = this.#parts;
    const known = sights.applied(node.instanceId);
    // What was known of it at its hello is not less.
    if (known !== null && known.revision > (node.applied?.revision ?? 0)) return;
    sights.see(processId, {
      instanceId: node.instanceId,
      stream: heard.name,
      applied: node.applied,
      words: [],
    });
    this.#spread(node.instanceId);
  }

  paths(node: NodeState, stream: NodeStream, { peers }: PathsMessage): void {
    if (this.#streams.get(node.instanceId)?.stream !== stream) return;
    const { processId, sights } = this.#parts;
    for (const { peer_id: peerId, alive } of peers) sights.say(processId, node.instanceId, { peerId, alive });
    this.#spread(node.instanceId);
  }

  hold(node: NodeState, stream: NodeStream, { sequence, leases }: HoldMessage): void {
    const { instanceId } = node;
    const heard = this.#streams.get(instanceId);
    if (heard?.stream !== stream) return;
    const held = this.#parts.holds(instanceId, leases);
    if (held !== null) return stream.held({ sequence, leases: held });
    const { processId, isShared } = this.#parts;
    if (isShared)
      this.#say({ about: 'hold', from: processId, instanceId, stream: heard.name, sequence, leases });
  }

  /**
   * Asks the hub whether it stands by its word on the peer. Calls with that word once the hub is known to have been
   * there after this moment; never, when it is not.
   */
  ask(instanceId: string, peerId: string, answered: (alive: boolean | null) => void): void {
    const { processId, sights, clock } = this.#parts;
    for (const { process, stream } of sights.streamsOf(instanceId)) {
      if (process === processId) {
        this.#askHere({ instanceId, stream, peerId }, answered);
        continue;
      }
      const question = `${processId}/${++this.#count}`;
      this.#asked.set(question, answered);
      clock.after(hearsayExpiryMs, () => this.#asked.delete(question));
      this.#say({ about: 'question', to: process, from: processId, question, instanceId, stream, peerId });
    }
  }

  #askHere(
    of: { readonly instanceId: string; readonly stream: string; readonly peerId: string },
    answered: (alive: boolean | null) => void,
  ): void {
    const heard = this.#streams.get(of.instanceId);
    if (heard === undefined || heard.name !== of.stream) return;
    heard.stream.whenAnswered(() => {
      if (this.#streams.get(of.instanceId) !== heard) return;
      answered(this.#wordOf(of.instanceId, of.peerId));
    });
  }

  #wordOf(instanceId: string, peerId: string): boolean | null {
    const { processId, sights } = this.#parts;
    const words = sights.hearing(processId, instanceId)?.words ?? [];
    return words.find((word) => word.peerId === peerId)?.alive ?? null;
  }

  #hear(said: Hearsay): void {
    const { processId, sights } = this.#parts;
    if ('from' in said && said.from === processId) return;
    if ('to' in said && said.to !== processId) return;
    switch (said.about) {
      case 'all':
        return sights.only(said.from, said.hearings);
      case 'node':
        return sights.see(said.from, said.hearing);
      case 'left':
        return sights.left(said.from, said.instanceId, said.stream);
      case 'hold': {
        const { instanceId, stream, sequence } = said;
        const leases = this.#parts.holds(instanceId, said.leases);
        if (leases !== null)
          this.#say({ about: 'held', to: said.from, instanceId, stream, sequence, leases });
        return;
      }
      case 'held': {
        const heard = this.#streams.get(said.instanceId);
        if (heard?.name === said.stream) heard.stream.held({ sequence: said.sequence, leases: said.leases });
        return;
      }
      case 'question':
        return this.#askHere(said, (alive) =>
          this.#say({ about: 'answer', to: said.from, question: said.question, alive }),
        );
      case 'answer': {
        this.#asked.get(said.question)?.(said.alive);
        this.#asked.delete(said.question);
      }
    }
  }

  #beat(): void {
    const { sights, processId, clock } = this.#parts;
    sights.expire(processId);
    const hearings = sights
      .instancesOf(processId)
      .filter((instanceId) => this.#parts.matters(instanceId))
      .flatMap((instanceId) => sights.hearing(processId, instanceId) ?? []);
    this.#say({ about: 'all', from: processId, hearings });
    this.#callOff = clock.after(hearsayBeatMs, () => this.#beat());
  }

  #isTold(instanceId: string): boolean {
    return this.#parts.isShared && this.#parts.matters(instanceId);
  }

  #spread(instanceId: string): void {
    if (!this.#isTold(instanceId)) return;
    const { sights, processId } = this.#parts;
    const hearing = sights.hearing(processId, instanceId);
    if (hearing !== null) this.#say({ about: 'node', from: processId, hearing });
  }

  #say(hearsay: Hearsay): void {
    if (!this.#closed) this.#parts.bus.publish({ kind: 'hearsay', hearsay });
  }
}
