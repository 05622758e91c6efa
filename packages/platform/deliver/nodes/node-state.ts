// What is held in memory of one node: what it should have, what it said it has, and its stream if it has one.

import { addDigests, subtractDigests } from '@powernode/core/compile/digest';
import type { FleetIndex } from '@powernode/core/compile/fleet-index';
import { type CompiledEntry, isEmptyPatch, type Patch } from '@powernode/core/compile/patch';
import type { AccountId, InstanceId } from '@powernode/core/ids';
import { streamBeatMs } from '@powernode/core/limits/node-stream';
import { newestCapability } from '@powernode/core/wire/capability';
import type { EntryTable } from '@powernode/core/wire/document';
import type { NodeProblem } from '@powernode/core/wire/node-problems';
import type { LeaseRenewMessage } from '@powernode/core/wire/node-stream';
import type { SubsystemRow } from '../../store/tables.ts';
import type { StreamBudget } from '../stream/budget.ts';
import { mergeShared } from './frames.ts';
import { History, ownStep, type Step } from './history.ts';
import { ServedEntries } from './served-entries.ts';

/** A document that a node named. */
export interface Held {
  readonly revision: number;
  readonly hash: string;
}

/** The part of a node's stream that delivery speaks to. */
export interface NodeStream {
  /** Whether it knows what the node holds, so that deltas can follow. */
  readonly ready: boolean;
  /** Sends what is pending, as far as the send buffer of the stream has room. */
  deliver(): void;
  /** Notifies the node of keys that it must not offer any more. */
  retireKeys(publicKeys: readonly string[]): void;
  /** Asks the node to apply once more what it took back. */
  retry(): void;
  /** Answers a `lease_renew` of the node. */
  acknowledgeLeases(answer: Pick<LeaseRenewMessage, 'sequence' | 'leases'>): void;
  /** Calls when the node is known to have read what was sent, and all that it said before that was processed here. */
  whenAnswered(run: () => void): void;
  end(reason: 'revoked' | 'replaced' | 'closing'): void;
}

/** What follows from a node's capability is read from this. */
export interface ServedFrom {
  readonly fleet: Pick<FleetIndex, 'compile' | 'digest'>;
  readonly table: EntryTable;
  /** Of the account's newest change. */
  sequenceOf(accountId: AccountId): number;
}

export interface NodeFacts {
  readonly instanceId: InstanceId;
  readonly accountId: AccountId;
  readonly hostname: string;
  readonly desiredRevision: number;
  readonly digest: bigint;
  readonly applied: Held | null;
  readonly lastHeartbeatMs: number | null;
  readonly subsystems: readonly SubsystemRow[];
}

export class NodeState {
  readonly instanceId: InstanceId;
  readonly accountId: AccountId;
  hostname: string;
  desiredRevision: number;
  digest: bigint;
  applied: Held | null;
  lastHeartbeatMs: number | null;
  subsystems: readonly SubsystemRow[];
  /** Those in the database. Lists are replaced and never changed, so that comparing references is enough. */
  storedSubsystems: readonly SubsystemRow[];
  stream: NodeStream | null = null;
  /** What it said in this process is wrong with it, and that it is not given everything. */
  problems: readonly NodeProblem[] = [];
  /** Where each of its prefix routes goes, as it last said; null: it has said nothing. */
  routes: Map<string, string> | null = null;
  /** What its streams may cost still; made with the first one in this process. */
  budget: StreamBudget | null = null;
  /** It was over it, and not within it for long since then. */
  wasLimited = false;
  /** When a second machine with its identity was refused last, by a clock that never jumps; null: none lately. */
  duplicateMs: number | null = null;
  /** Its instance was terminated: no stream any more. */
  ended = false;
  /** An event has reported it offline, and none online again; at the time its row was read. */
  offlineReported = false;
  /** How many things were repaired there since this process knows it. */
  repaired = 0;
  /** How often it says on its stream that it runs. */
  beatMs = streamBeatMs;
  #isHeard = false;
  /** Has said in this process where it is. */
  placed = false;
  /** Its row was read; not so while a machine is only known by a change that reaches it. */
  named = true;
  history = new History();
  /** What both sides spoke when it said hello last. */
  capability = newestCapability;
  /** The same as the other processes of the platform know it. */
  publishedCapability = newestCapability;
  /** null: it knows every kind of entry. */
  #served: ServedEntries | null = null;
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
  reached(change: Step, sequence: number): void {
    const step = this.#given(change);
    if (step === null) return;
    this.digest = addDigests(this.digest, step.patch.digest);
    this.desiredRevision = sequence;
    this.history.push(step);
    if (this.stream?.ready !== true) return;
    this.#pending = this.#pending === null ? step.patch : mergeShared(this.#pending, step.patch);
  }

  /** From here on it speaks this capability, and is given the entries that it knows. */
  speaks(capability: number, from: ServedFrom): void {
    if (capability === this.capability) return;
    this.capability = capability;
    const knowsAll = capability >= from.table.newest;
    if (knowsAll && this.knowsAll) return;
    const hadAll = this.isGivenAll;
    const document = from.fleet.compile(this.instanceId);
    this.#served = knowsAll ? null : new ServedEntries({ capability, table: from.table }, document);
    const withheld = this.#served?.withheldDigest ?? 0n;
    this.digest = subtractDigests(BigInt(`0x${from.fleet.digest(this.instanceId)}`), withheld);
    this.desiredRevision = from.sequenceOf(this.accountId);
    // The way to what it has now led through entries that it is given from here on, or is not given any more.
    if (!hadAll || !this.isGivenAll) this.history = new History();
  }

  /** Of its document, what it is not given. */
  get withheldKeys(): Iterable<string> {
    return this.#served?.withheldKeys ?? [];
  }

  /** It speaks a capability that has all kinds of entries. */
  get knowsAll(): boolean {
    return this.#served === null;
  }

  /** It is given its whole document. */
  get isGivenAll(): boolean {
    return this.#served === null || this.#served.withholdsNothing;
  }

  /** Of a compiled document, what it is given. */
  given(document: readonly CompiledEntry[]): readonly CompiledEntry[] {
    const served = this.#served;
    return served === null ? document : document.filter((entry) => served.knows(entry));
  }

  /** null: nothing of it is for this node. */
  #given(step: Step): Step | null {
    const patch = this.#served?.take(step.patch) ?? step.patch;
    if (patch === step.patch) return step;
    return isEmptyPatch(patch) ? null : ownStep(patch);
  }

  /** Anything came on its stream. */
  heard(nowMs: number): void {
    this.lastHeartbeatMs = nowMs;
    this.#isHeard = true;
  }

  /** Whether any frame came since the last call. */
  consumeHeard(): boolean {
    const isHeard = this.#isHeard;
    this.#isHeard = false;
    return isHeard;
  }

  name(hostname: string): void {
    this.hostname = hostname;
    this.named = true;
  }

  get hasPending(): boolean {
    return this.#pending !== null;
  }

  /** Removes and returns what was not sent yet, merged. */
  drainPending(): Patch | null {
    const pending = this.#pending;
    this.#pending = null;
    return pending;
  }
}
