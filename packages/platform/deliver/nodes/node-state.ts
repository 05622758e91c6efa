// What is held in memory of one node: what it should have, what it said it has, and its stream if it has one.

import { addDigests } from '@powernode/core/compile/digest';
import type { Patch } from '@powernode/core/compile/patch';
import type { HoldMessage } from '@powernode/core/wire/node-stream';
import type { SubsystemRow } from '../../store/tables.ts';
import { mergeShared } from './frames.ts';
import { History, type Step } from './history.ts';

/** A document that a node named. */
export interface Held {
  readonly revision: number;
  readonly hash: string;
}

/** The part of a node's stream that delivery speaks to. */
export interface NodeStream {
  /** Whether it knows what the node holds, so that deltas can follow. */
  readonly ready: boolean;
  /** Sends what is pending, as far as the node's line takes it. */
  deliver(): void;
  /** Tells the node of keys that it need not offer any more. */
  spent(publicKeys: readonly string[]): void;
  /** Answers a `hold` of the node. */
  held(answer: Pick<HoldMessage, 'sequence' | 'leases'>): void;
  /** Calls when the node is known to have read what was sent, and all that it said before that was taken here. */
  whenAnswered(run: () => void): void;
  end(reason: 'revoked' | 'replaced' | 'closing'): void;
}

export interface NodeFacts {
  readonly instanceId: string;
  readonly accountId: string;
  readonly hostname: string;
  readonly desiredRevision: number;
  readonly digest: bigint;
  readonly applied: Held | null;
  readonly lastHeartbeatMs: number | null;
  readonly subsystems: readonly SubsystemRow[];
}

export class NodeState {
  readonly instanceId: string;
  readonly accountId: string;
  hostname: string;
  desiredRevision: number;
  digest: bigint;
  applied: Held | null;
  lastHeartbeatMs: number | null;
  subsystems: readonly SubsystemRow[];
  /** Those in the database. Lists are replaced and never changed, so that comparing references is enough. */
  storedSubsystems: readonly SubsystemRow[];
  stream: NodeStream | null = null;
  /** Where each of its prefix routes goes, as it last said; null: it has said nothing. */
  routes: Map<string, string> | null = null;
  /** Its instance was terminated: no stream any more. */
  ended = false;
  /** Has said in this process where it is. */
  placed = false;
  /** Its row was read; not so while a machine is only known by a change that reaches it. */
  named = true;
  readonly history = new History();
  #pending: Patch | null = null;

  constructor(facts: NodeFacts) {
    this.instanceId = facts.instanceId;
    this.accountId = facts.accountId;
    this.hostname = facts.hostname;
    this.desiredRevision = facts.desiredRevision;
    this.digest = facts.digest;
    this.applied = facts.applied;
    this.lastHeartbeatMs = facts.lastHeartbeatMs;
    this.subsystems = facts.subsystems;
    this.storedSubsystems = facts.subsystems;
  }

  /** A change has reached it. */
  reached(step: Step, sequence: number): void {
    this.digest = addDigests(this.digest, step.patch.digest);
    this.desiredRevision = sequence;
    this.history.push(step);
    if (this.stream?.ready !== true) return;
    this.#pending = this.#pending === null ? step.patch : mergeShared(this.#pending, step.patch);
  }

  name(hostname: string): void {
    this.hostname = hostname;
    this.named = true;
  }

  get hasPending(): boolean {
    return this.#pending !== null;
  }

  /** What was not sent yet, merged; it counts as sent from here on. */
  takePending(): Patch | null {
    const pending = this.#pending;
    this.#pending = null;
    return pending;
  }
}
