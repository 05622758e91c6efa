// Commit-confirm: keeps what a change of the document replaced until the node is known to have come through it, and
// goes back to that when the change cut the node off (decision 10). The document itself is kept as the platform wants
// it, so that later changes, revocations above all, go on.
import type { Before, Reverted } from '@powernode/core/compile/take-back';
import { effectiveEntries, isReverted, rollBack } from '@powernode/core/confirm/roll-back';
import { ProductError } from '@powernode/core/errors';
import {
  confirmBackMs,
  confirmLookMs,
  confirmLostMs,
  confirmSilentMs,
  confirmStartMs,
} from '@powernode/core/limits/agent';
import { parseEndpoint, withoutLength } from '@powernode/core/net/address';
import { type EntryValue, entryKey, sentEntryKey } from '@powernode/core/wire/document';
import type { DeltaMessage, DocumentMessage } from '@powernode/core/wire/node-stream';
import type { Logger } from 'pino';
import type { NodeStream } from '../link/stream.ts';
import type { FoundProblem } from '../observe/problems.ts';
import type { PathHealth } from '../plan/health.ts';
import type { PathIndex } from '../plan/path-index.ts';
import { type Clock, timestamp } from '../ports/clock.ts';
import { isHeard } from '../probe/path-state.ts';
import type { Accepted, Held } from '../state/current-document.ts';
import type { StateFolder } from '../state/folder.ts';
import { beforeOf } from './before.ts';
import type { Outside, Overlays } from './path.ts';
import { isIntent, rolledBackProblems } from './rolled-back.ts';
import { type HubSighting, type Loss, type PathFinding, Trial, type TrialStep } from './trial.ts';
import { type RolledBack, readTrial, type TrialState, writeTrial } from './trial-file.ts';

export interface GuardParts {
  readonly clock: Clock;
  /** Where the machine's packets really go. */
  readonly outside: Outside;
  readonly folder: StateFolder;
  readonly log: Logger;
  readonly stream: Pick<NodeStream, 'isOpen' | 'heardAtMs' | 'remote' | 'ping' | 'restart'>;
  readonly paths: { readonly health: PathHealth; readonly isAnyHeard: boolean };
  readonly index: PathIndex;
  /** The document as the platform wants it. */
  readonly held: () => Held | null;
  /** Entries under these keys are to be applied anew. */
  readonly apply: (held: Held, keys: ReadonlySet<string>) => void;
  readonly report: (problems: readonly FoundProblem[]) => void;
}

export class ChangeGuard {
  readonly #parts: GuardParts;
  readonly #trial = new Trial();
  #remote: TrialState['remote'];
  #isRetry: boolean;
  /** When the oldest change on trial came, by the wall clock. */
  #sinceMs: number;
  #rolledBack: RolledBack | null;
  #rolledBackAtMs = 0;
  #cancel: () => void = () => undefined;
  #isLooking = false;
  #stopped = false;

  constructor(parts: GuardParts) {
    this.#parts = parts;
    const { steps, sinceMs, isRetry, remote, rolledBack } = readTrial(parts.folder);
    this.#sinceMs = sinceMs;
    this.#remote = remote;
    this.#isRetry = isRetry;
    this.#rolledBack = rolledBack;
    this.#kept = steps;
  }

  /** Steps of the run before, until this one has begun. */
  #kept: readonly TrialStep[];

  /** Goes on where the agent before ended. To be called when the document of before was given to the machine. */
  start(): void {
    const { clock } = this.#parts;
    const nowMs = clock.monotonicMs();
    this.#rolledBackAtMs = nowMs;
    // What was lost before the agent was killed has been lost since; it gets the time to connect all the same.
    const agoMs = Math.min(Math.max(0, clock.nowMs() - this.#sinceMs), confirmLostMs - confirmStartMs);
    const heardHubs = [...this.#parts.index.interfaces.values()].flatMap((one) =>
      one.purpose === 'transit' ? [one.network_id] : [],
    );
    for (const step of this.#kept) this.#trial.begin(step, { nowMs: nowMs - agoMs, heardHubs });
    this.#trial.notHeard(nowMs);
    this.#kept = [];
    this.#report();
    this.#lookLater();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  /** What the machine is to be: the document without what was taken back. */
  effective(held: Held): Held {
    const entries = effectiveEntries(held.entries, this.#reverted);
    return entries === held.entries ? held : { ...held, entries };
  }

  /** Keys whose entries are not applied as the document has them, or were not. */
  get keys(): ReadonlySet<string> {
    return new Set(this.#reverted.map(({ key }) => key));
  }

  /** Accepts a change. What there is before it is kept first, and durably. */
  around(message: DocumentMessage | DeltaMessage, accept: () => Accepted): Accepted {
    const step = this.#expect(message);
    let accepted: Accepted | null = null;
    try {
      accepted = accept();
      return accepted;
    } finally {
      if (accepted?.kind !== 'changed' && step !== null) {
        this.#trial.cancel(step);
        this.#keep();
      }
    }
  }

  #expect(message: DocumentMessage | DeltaMessage): TrialStep | null {
    const held = this.#parts.held();
    const before = beforeOf(held === null ? new Map() : this.effective(held).entries, message);
    if (before.size === 0) return null;
    const step = { revision: message.revision, before };
    const { clock, stream } = this.#parts;
    this.#remote = stream.remote ?? this.#remote;
    if (!this.#trial.isOpen) this.#sinceMs = clock.nowMs();
    this.#trial.begin(step, { nowMs: clock.monotonicMs(), heardHubs: this.#heardHubs(message) });
    this.#keep();
    return step;
  }

  /** There is another document. `keys` of before, and those of the change, are to be applied. */
  accepted(held: Held): void {
    this.#reconsider(held);
    this.#report();
    this.#lookLater();
  }

  /** The machine is equal to this document. */
  applied(revision: number): void {
    this.#trial.applied(revision, this.#parts.clock.monotonicMs());
  }

  /** Nothing is on trial and nothing is held back any more, whatever there was: the machine leaves its overlays. */
  forget(): void {
    this.#trial.end();
    this.#rolledBack = null;
    this.#isRetry = false;
    this.#keep();
    this.#report();
  }

  /** Applies what was taken back once more, on trial again. false: nothing was. */
  retry(): boolean {
    const held = this.#parts.held();
    if (held === null || this.#rolledBack === null) return false;
    const effective = this.effective(held).entries;
    const { keys } = this;
    const before = new Map([...keys].map((key) => [key, effective.get(key) ?? null]));
    this.#parts.log.warn({ revision: held.revision }, 'what was taken back is tried again');
    this.#rolledBack = null;
    this.#isRetry = true;
    const step = { revision: held.revision, before };
    const { clock } = this.#parts;
    if (!this.#trial.isOpen) this.#sinceMs = clock.nowMs();
    this.#trial.begin(step, { nowMs: clock.monotonicMs(), heardHubs: this.#heardNetworks() });
    this.#keep();
    this.#report();
    this.#parts.apply(held, keys);
    this.#lookLater();
    return true;
  }

  /**
   * What was taken back is given up where the document wants something else, and altogether when that is a part which
   * only an operator changes: then the rest of it, which may have done no harm, is tried again.
   */
  #reconsider(held: Held): void {
    if (this.#rolledBack === null) return;
    const active = this.#reverted.filter((one) => isReverted(one, held.entries));
    const lapsed = this.#reverted.filter((one) => !active.includes(one));
    if (active.length > 0 && !lapsed.some((one) => isIntent(one))) return;
    const { clock, log } = this.#parts;
    log.info({ revision: held.revision }, 'the network wants something else than what was taken back');
    if (active.length > 0) {
      const effective = effectiveEntries(held.entries, active);
      const before = new Map(active.map(({ key }) => [key, effective.get(key) ?? null]));
      const heardHubs = this.#heardNetworks();
      this.#trial.begin({ revision: held.revision, before }, { nowMs: clock.monotonicMs(), heardHubs });
    }
    this.#rolledBack = null;
    this.#keep();
  }

  get #reverted(): readonly Reverted[] {
    return this.#rolledBack?.reverted ?? [];
  }

  get #isBusy(): boolean {
    return this.#trial.isOpen || this.#rolledBack?.isProven === false;
  }

  #lookLater(): void {
    if (this.#isLooking || this.#stopped || !this.#isBusy) return;
    this.#cancel();
    const { clock } = this.#parts;
    const dueMs = this.#trial.isOpen
      ? this.#trial.goodAtMs + confirmLostMs - clock.monotonicMs()
      : confirmLookMs;
    this.#cancel = clock.after(Math.max(1, Math.min(confirmLookMs, dueMs)), () => void this.#look());
  }

  async #look(): Promise<void> {
    this.#isLooking = true;
    try {
      await this.#decide();
    } catch (error) {
      this.#parts.log.error({ err: error }, 'the change on trial could not be evaluated; it is tried again');
    } finally {
      this.#isLooking = false;
      this.#lookLater();
    }
  }

  async #decide(): Promise<void> {
    const { clock, stream, paths, log } = this.#parts;
    if (!this.#trial.isOpen) return this.#prove();
    const silentMs = clock.monotonicMs() - Math.max(stream.heardAtMs, this.#trial.goodAtMs);
    this.#askPlatform();
    const path = silentMs >= confirmSilentMs ? await this.#pathToPlatform() : null;
    const hubs = await this.#hubs();
    if (this.#stopped || !this.#trial.isOpen) return;
    const { heardAtMs } = stream;
    const nowMs = clock.monotonicMs();
    const decision = this.#trial.decide({ nowMs, heardAtMs, path, isOutsideHeard: paths.isAnyHeard, hubs });
    if (decision.kind === 'roll_back') return this.#rollBack(decision.loss);
    if (decision.kind === 'wait') return;
    log.debug({ steps: decision.steps }, 'changes confirmed');
    if (!this.#trial.isOpen) this.#isRetry = false;
    this.#keep();
  }

  /** What was taken back was the cause when the path came back soon after. Else it is tried once more. */
  #prove(): void {
    const rolledBack = this.#rolledBack;
    if (rolledBack === null || rolledBack.isProven) return;
    const { clock, stream } = this.#parts;
    this.#askPlatform();
    const { networkId } = rolledBack;
    const sinceMs = clock.monotonicMs() - this.#rolledBackAtMs;
    const isBack =
      networkId === null ? stream.heardAtMs > this.#rolledBackAtMs : this.#heardNetworks().has(networkId);
    const backMs = networkId === null ? stream.heardAtMs - this.#rolledBackAtMs : sinceMs;
    if (isBack && (backMs <= confirmBackMs || rolledBack.isRetried)) {
      this.#rolledBack = { ...rolledBack, isProven: true };
      return this.#keep();
    }
    if (isBack) {
      this.retry();
      return;
    }
    // The platform is there, and no hub came back: it was not the change, and the platform alone decides about it now.
    const isPlatformHeard = clock.monotonicMs() - stream.heardAtMs < confirmSilentMs;
    if (networkId !== null && sinceMs > confirmBackMs && stream.isOpen && isPlatformHeard) this.retry();
  }

  #rollBack(loss: Loss): void {
    const held = this.#parts.held();
    const { clock, stream, log } = this.#parts;
    const fresh = held === null ? [] : rollBack(this.#trial.before, held.entries);
    this.#trial.end();
    if (held === null || fresh.length === 0) {
      log.warn({ loss }, 'the path was lost after a change, and there is nothing to go back to');
      return this.#keep();
    }
    const touched = new Set(fresh.map(({ key }) => key));
    const earlier = this.#reverted.filter((one) => !touched.has(one.key) && isReverted(one, held.entries));
    const lost = loss.kind === 'platform' ? 'the platform' : 'every hub of a network';
    this.#rolledBack = {
      revision: held.revision,
      at: timestamp(clock.nowMs()),
      lost,
      networkId: loss.kind === 'hubs' ? loss.networkId : null,
      reverted: [...earlier, ...fresh],
      isProven: false,
      isRetried: this.#isRetry,
    };
    this.#isRetry = false;
    this.#rolledBackAtMs = clock.monotonicMs();
    log.error(
      { revision: held.revision, lost, keys: [...touched] },
      'a change cut this machine off: taken back',
    );
    this.#keep();
    this.#report();
    this.#parts.apply(held, this.keys);
    if (loss.kind === 'platform') stream.restart();
  }

  #askPlatform(): void {
    const { clock, stream } = this.#parts;
    if (stream.isOpen && clock.monotonicMs() - stream.heardAtMs >= confirmLookMs) stream.ping();
  }

  async #pathToPlatform(): Promise<PathFinding> {
    const remote = this.#parts.stream.remote ?? this.#remote;
    return remote === null ? 'silent' : this.#parts.outside.pathTo(remote, this.#overlays());
  }

  #overlays(): Overlays {
    const addresses = new Set<string>();
    const { index } = this.#parts;
    for (const one of index.interfaces.values()) {
      for (const address of [...one.addresses, ...one.probe_addresses]) addresses.add(withoutLength(address));
    }
    for (const one of index.virtualIps) {
      for (const address of one.addresses) addresses.add(withoutLength(address));
    }
    return {
      isOurs: (name) => index.interfaces.has(name),
      hasAddress: (address) => addresses.has(address),
    };
  }

  async #hubs(): Promise<ReadonlyMap<string, HubSighting>> {
    const found = new Map<string, HubSighting>();
    const heard = this.#heardNetworks();
    const { before } = this.#trial;
    const overlays = this.#overlays();
    for (const { name, network_id: networkId } of this.#transits()) {
      const known = found.get(networkId);
      if (heard.has(networkId) || known?.isSuspect === true) {
        found.set(networkId, { isHeard: heard.has(networkId), isSuspect: known?.isSuspect ?? false });
        continue;
      }
      const peer = this.#parts.index.transitPeer(name);
      const endpoint = parseEndpoint(peer?.endpoint ?? '');
      const isSuspect =
        touches(before, name) ||
        (endpoint !== null && (await this.#parts.outside.isCaptured(textOf(peer?.endpoint ?? ''), overlays)));
      found.set(networkId, { isHeard: false, isSuspect });
    }
    return found;
  }

  #transits() {
    return [...this.#parts.index.interfaces.values()].filter(({ purpose }) => purpose === 'transit');
  }

  /** Networks of which a hub is heard now. */
  #heardNetworks(): Set<string> {
    const { index, paths } = this.#parts;
    const found = new Set<string>();
    for (const { name, network_id: networkId } of this.#transits()) {
      const peer = index.transitPeer(name);
      if (peer === undefined) continue;
      const tunnel = { interface: name, publicKey: peer.public_key };
      if (isHeard(paths.health.of(tunnel))) found.add(networkId);
    }
    return found;
  }

  /** The same, by tunnels that the coming document still has: who takes a hub away means to lose it. */
  #heardHubs(message: DocumentMessage | DeltaMessage): Set<string> {
    const { index, paths } = this.#parts;
    const gone = new Set(message.kind === 'delta' ? message.remove : []);
    const present = message.kind === 'document' ? new Set(message.entries.map(sentEntryKey)) : null;
    const found = new Set<string>();
    for (const { name, network_id: networkId } of this.#transits()) {
      const peer = index.transitPeer(name);
      if (peer === undefined || !isHeard(paths.health.of({ interface: name, publicKey: peer.public_key })))
        continue;
      const key = entryKey(peer);
      if (present === null ? !gone.has(key) : present.has(key)) found.add(networkId);
    }
    return found;
  }

  /** A disk that is full must not keep a change, or the way back from one, from the machine. */
  #keep(): void {
    const { folder, log } = this.#parts;
    try {
      const { steps } = this.#trial;
      writeTrial(folder, {
        steps,
        sinceMs: this.#sinceMs,
        isRetry: this.#isRetry,
        remote: this.#remote,
        rolledBack: this.#rolledBack,
      });
    } catch (error) {
      if (!(error instanceof ProductError)) throw error;
      log.error(
        { err: error },
        'what a change replaced could not be stored: a restart would not go back to it',
      );
    }
  }

  #report(): void {
    const held = this.#parts.held();
    const entries = held?.entries ?? new Map<string, EntryValue>();
    this.#parts.report(this.#rolledBack === null ? [] : rolledBackProblems(this.#rolledBack, entries));
  }
}

/** Whether a change touched an interface or a tunnel on it. */
function touches(before: Before, name: string): boolean {
  if (before.has(`interface/${name}`)) return true;
  for (const key of before.keys()) if (key.startsWith(`peer/${name}/`)) return true;
  return false;
}

/** The address of an endpoint, without brackets and port. */
function textOf(endpoint: string): string {
  return endpoint.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
}
