// The running agent: the stream, the document on disk, the keys and the machine, put together. Each of them is
// somewhere else; here is only who tells whom.
import { usableEntries } from '@powernode/core/compile/usable';
import { unusedKeysMax, unusedKeysTarget } from '@powernode/core/limits/trust';
import { NodeDocument } from '@powernode/core/wire/node-document';
import type { Logger } from 'pino';
import { KernelMachine } from './apply/kernel-machine.ts';
import { Reconciler } from './apply/reconciler.ts';
import type { Target } from './apply/target.ts';
import { Announcements } from './bgp/announcements.ts';
import { systemFrr } from './bgp/frr.ts';
import { ChangeGuard } from './confirm/guard.ts';
import { systemOutside } from './confirm/path.ts';
import { Rematch } from './connections/rematch.ts';
import { type HostOptions, HostWatch } from './host/host-watch.ts';
import { tlsOf } from './link/authority.ts';
import type { Random } from './link/backoff.ts';
import { CopyGuard } from './link/copy-guard.ts';
import { helloOf } from './link/hello.ts';
import { Renewal } from './link/renew.ts';
import { NodeStream, type StreamMessage } from './link/stream.ts';
import { addressesAndFamilies, outsideAddresses } from './observe/addresses.ts';
import { ApplyFailures } from './observe/apply-failures.ts';
import type { Drift } from './observe/drift.ts';
import { Monitor } from './observe/monitor.ts';
import { Outage } from './observe/outage.ts';
import { Probing } from './observe/probing.ts';
import { NodeProblems, unsupportedProblems } from './observe/problems.ts';
import { Reporter, type Situation } from './observe/reporter.ts';
import { RulesetMonitor } from './observe/ruleset-monitor.ts';
import { type AgentStatus, statusOf } from './observe/status.ts';
import { Surroundings } from './observe/surroundings.ts';
import { type Clock, timestamp } from './ports/clock.ts';
import type { Run } from './ports/run.ts';
import type { Settings } from './ports/settings.ts';
import type { StartProber } from './probe/prober.ts';
import { type Accepted, CurrentDocument, type Held } from './state/current-document.ts';
import type { StateFolder } from './state/folder.ts';
import { type Identity, writeIdentity } from './state/identity.ts';
import { KeyKeeper } from './state/key-keeper.ts';
import { KeyStore } from './state/keys.ts';
import { UnstoredState } from './state/unstored.ts';
import type { Problem } from './subsystems/problem.ts';

export interface AgentParts {
  readonly folder: StateFolder;
  readonly identity: Identity;
  readonly run: Run;
  readonly clock: Clock;
  readonly settings: Settings;
  readonly random: Random;
  readonly log: Logger;
  readonly startProber: StartProber;
  /** Drawn for this process. */
  readonly runId: string;
  readonly host: HostOptions;
}

export class Agent {
  readonly #parts: AgentParts;
  readonly #held: CurrentDocument;
  readonly #keys: KeyKeeper;
  readonly #machine: KernelMachine;
  readonly #reconciler: Reconciler;
  readonly #stream: NodeStream;
  readonly #probing: Probing;
  readonly #reporter = new Reporter();
  readonly #renewal: Renewal;
  readonly #copyGuard: CopyGuard;
  readonly #monitor: Monitor;
  readonly #rulesetMonitor: RulesetMonitor;
  readonly #rematch: Rematch;
  readonly #nodeProblems: NodeProblems;
  readonly #unstored: UnstoredState;
  readonly #hostWatch: HostWatch;
  readonly #surroundings: Surroundings;
  readonly #guard: ChangeGuard;
  readonly #failures: ApplyFailures;
  readonly #outage: Outage;
  readonly #announcements: Announcements;
  #identity: Identity;
  #reportedAddresses = '';
  #awaitsDocument = false;
  /** The machine was last given less than the document that is held. */
  #wasReduced = false;
  #unusedKeysTarget = unusedKeysTarget;
  #revoked: (() => void) | null = null;

  // oxlint-disable-next-line max-lines-per-function -- its parts refer to each other, so one place makes them all
  constructor(parts: AgentParts) {
    this.#parts = parts;
    this.#identity = parts.identity;
    const { clock, folder, log } = parts;
    const store = new KeyStore(folder);
    this.#held = new CurrentDocument(folder);
    this.#keys = new KeyKeeper({ store, clock });
    this.#nodeProblems = new NodeProblems({
      clock,
      isOpen: () => this.#stream.isOpen,
      send: (problems) => this.#stream.send({ kind: 'problems', problems: [...problems] }),
    });
    this.#unstored = new UnstoredState({ clock, log, problems: this.#nodeProblems });
    this.#machine = new KernelMachine({
      ...parts,
      store: (what, write) => this.#unstored.attempt(what, write),
      ...parts.host,
      keys: store,
      interfaceEnded: (name, why) => {
        log.warn({ interface: name, why }, 'a userspace WireGuard ended');
        this.#reconciler.auditSoon();
      },
      rulesLoading: () => {
        this.#rulesetMonitor.writing();
        this.#probing.rulesLoading();
      },
      rulesLoaded: () => {
        this.#rulesetMonitor.written();
        this.#probing.rulesLoaded();
      },
    });
    this.#outage = new Outage(log);
    this.#announcements = new Announcements({
      ...parts,
      frr: systemFrr(parts),
      decided: () => this.#reconciler.bgpDecided(),
      changed: () => this.#reportState(),
      withhold: (addresses) => this.#probing.withhold(addresses),
      problems: (found) => this.#nodeProblems.set('bgp', found),
    });
    this.#reconciler = new Reconciler({
      bgp: this.#announcements,
      machine: this.#machine,
      clock,
      mtuCaps: () => this.#probing.mtuCaps,
      events: {
        applied: (target) => this.#applied(target),
        failed: (target, problems) => this.#failed(target, problems),
        drifted: (drift) => this.#drifted(drift),
        looked: () => this.#report(),
        switched: () => this.#reportState(),
        programmingError: (error) => this.#failures.programmingError(error),
      },
    });
    this.#stream = new NodeStream({
      clock,
      random: parts.random,
      target: () => ({ url: new URL(this.#identity.node_url), tls: tlsOf(this.#identity) }),
      events: {
        opened: () => this.#greet(),
        message: (message) => this.#take(message),
        passedOver: (kind) =>
          log.debug({ kind }, 'the platform said something that this agent does not know'),
        lost: (why, againMs) => this.#outage.lost(why, { url: this.#identity.node_url, againMs }),
        duplicate: () => this.#copyGuard.refused(),
        revoked: () => this.#leaveOverlays(),
      },
    });
    this.#probing = new Probing({
      startProber: parts.startProber,
      stream: this.#stream,
      clock,
      log,
      news: (news) => this.#reconciler.probed(news),
      restarted: () => this.#reconciler.forgetProbes(),
      problems: this.#nodeProblems,
      mtuChanged: (names) => this.#reconciler.mtuChanged(names),
    });
    this.#copyGuard = new CopyGuard({
      log,
      current: () => this.#held.current,
      put: (held) => this.#apply(held, 'all'),
    });
    this.#renewal = new Renewal({
      clock,
      identity: () => this.#identity,
      renewed: (identity) => {
        this.#store('the certificate', identity);
        log.info('the certificate was renewed');
      },
      failed: (error) => log.warn({ err: error }, 'the certificate could not be renewed; it is tried again'),
    });
    this.#surroundings = new Surroundings({
      run: parts.run,
      clock,
      reconciler: this.#reconciler,
      platform: () => this.#stream.remote?.address ?? null,
      changed: () => this.#reportState(),
    });
    this.#rulesetMonitor = new RulesetMonitor({
      run: parts.run,
      clock,
      ownDeleted: () => {
        log.info('rules of the table were deleted: they are read back');
        this.#reconciler.rulesDeleted();
      },
      otherDeleted: () => this.#hostWatch.look(),
    });
    this.#hostWatch = new HostWatch({
      ...parts,
      options: parts.host,
      document: () => NodeDocument.of(this.#held.current?.entries ?? new Map()),
      found: (problems) => this.#nodeProblems.set('host', problems),
    });
    this.#rematch = new Rematch({ ...parts, problems: this.#nodeProblems });
    this.#failures = new ApplyFailures({ stream: this.#stream, nodeProblems: this.#nodeProblems, log });
    this.#guard = new ChangeGuard({
      ...parts,
      outside: systemOutside(parts.run),
      stream: this.#stream,
      paths: this.#reconciler.paths,
      index: this.#reconciler.index,
      held: () => this.#held.current,
      apply: (held, keys) => this.#apply(held, keys),
      report: (problems) => this.#nodeProblems.set('guard', problems),
    });
    this.#monitor = new Monitor({ run: parts.run, clock, touched: () => this.#reconciler.auditSoon() });
  }

  /** Applies what is on disk at once and connects. */
  start(): void {
    const held = this.#held.current;
    this.#unstored.attempt('keys', () => void this.#keys.tend(held, this.#unusedKeysTarget));
    this.#storeDocument();
    if (held !== null) {
      if (!this.#held.wasApplied()) this.#reconciler.invalidateEndpoints(held);
      this.#apply(held, 'all');
    }
    this.#guard.start();
    this.#monitor.start();
    // What the platform must not cover stands in the first hello.
    void this.#surroundings.look().then(() => this.#stream.open());
    this.#announcements.start();
    this.#rulesetMonitor.start();
    this.#renewal.start();
  }

  /** Lets go of everything but the machine, which goes on as it is. */
  async stop(): Promise<void> {
    this.#guard.stop();
    this.#monitor.stop();
    this.#surroundings.stop();
    this.#rulesetMonitor.stop();
    this.#renewal.stop();
    this.#stream.close();
    this.#keys.stop();
    this.#nodeProblems.stop();
    this.#unstored.stop();
    await this.#hostWatch.stop();
    await this.#announcements.stop();
    await this.#reconciler.stop();
    await this.#rematch.stop();
    await this.#probing.stop();
  }

  /** Resolves when the platform has sent this machine away and its overlays are gone. */
  revoked(): Promise<void> {
    return new Promise((resolve) => {
      this.#revoked = resolve;
    });
  }

  /** Tries once more what was taken back. false: there is no such thing. */
  retry(): boolean {
    return this.#guard.retry();
  }

  async status(): Promise<AgentStatus> {
    return statusOf({
      ...this.#situation(),
      paths: await this.#probing.report(),
      identity: this.#identity,
      held: this.#held.current,
      applied: this.#reconciler.applied,
      leases: this.#probing.leases,
      problems: this.#nodeProblems.all,
      drift: this.#reporter.recentDrift,
      connected: this.#stream.isOpen,
      lostReason: this.#outage.why,
      pid: process.pid,
    });
  }

  #store(what: string, identity: Identity): void {
    this.#identity = identity;
    this.#unstored.attempt(what, () => writeIdentity(this.#parts.folder, identity));
  }

  #greet(): void {
    const held = this.#held.current;
    this.#awaitsDocument = false;
    this.#failures.greet();
    this.#reportedAddresses = outsideAddresses().join();
    this.#outage.over();
    const facts = {
      run: this.#parts.runId,
      hostname: this.#identity.hostname,
      ...addressesAndFamilies(),
      underlay: this.#surroundings.underlay,
      unused_keys: this.#keys.unused().slice(0, unusedKeysMax),
    };
    this.#stream.send(helloOf(facts, { held, applied: this.#reconciler.applied }));
    this.#parts.log.info({ revision: held?.revision ?? null, url: this.#identity.node_url }, 'connected');
    this.#nodeProblems.greet();
    this.#reconciler.retryDirectPaths();
    this.#probing.greet();
    this.#reporter.startAnew(this.#surroundings.underlay);
    this.#report();
  }

  #take(message: StreamMessage): void {
    switch (message.kind) {
      case 'welcome':
        this.#copyGuard.accepted();
        this.#unusedKeysTarget = Math.min(message.unused_keys_target, unusedKeysMax);
        return this.#publishKeys();
      case 'document':
        this.#awaitsDocument = false;
        return this.#accepted(this.#guard.around(message, () => this.#held.acceptDocument(message)));
      case 'delta':
        // Sent before the platform knew that it has to send everything.
        if (this.#awaitsDocument) return;
        return this.#accepted(this.#guard.around(message, () => this.#held.applyDelta(message)));
      case 'current':
        if (this.#awaitsDocument) return;
        return this.#accepted(this.#held.acceptCurrent(message));
      case 'keys_retired':
        this.#unstored.attempt('retired keys', () => this.#keys.spend(message.public_keys));
        return this.#publishKeys();
      case 'lease_ack':
        return this.#probing.leaseAcknowledged(message);
      case 'retry':
        return void this.retry();
    }
  }

  #accepted(accepted: Accepted): void {
    if (accepted.kind !== 'resync') this.#stream.settled();
    switch (accepted.kind) {
      case 'same':
        return;
      case 'resync':
        this.#parts.log.warn({ why: accepted.why }, 'the document is asked for as a whole');
        this.#awaitsDocument = true;
        return this.#stream.send({ kind: 'resync' });
      case 'changed': {
        const keys = accepted.keys === 'all' ? 'all' : new Set([...accepted.keys, ...this.#guard.keys]);
        this.#guard.accepted(accepted.held);
        // A document that the disk does not take is applied all the same, above all one that takes a right away.
        this.#apply(accepted.held, keys);
        return this.#storeDocument();
      }
    }
  }

  #apply(held: Held, keys: ReadonlySet<string> | 'all'): void {
    const wanted = { ...held, entries: usableEntries(this.#guard.effective(held).entries) };
    // Entries that are the same as before may count now, when interfaces are others.
    const isReduced = wanted.entries !== held.entries;
    const touched = isReduced || this.#wasReduced ? 'all' : keys;
    this.#wasReduced = isReduced;
    this.#reconciler.apply(wanted, touched);
    this.#nodeProblems.set('endpoints', this.#reconciler.refusedEndpoints);
    this.#nodeProblems.set('document', unsupportedProblems(this.#held.unsupported));
    this.#probing.apply(this.#reconciler.index, touched);
  }

  #applied(target: Target): void {
    this.#failures.over();
    this.#guard.applied(target.revision);
    this.#hostWatch.look();
    this.#stream.send({ kind: 'applied', revision: target.revision, hash: target.hash });
    this.#unstored.attempt('what is applied', () => this.#held.noteApplied(target));
    this.#rematch.applied(target.document);
    this.#announcements.apply(target.document);
    this.#surroundings.applied();
    this.#parts.log.info({ revision: target.revision, entries: target.entries.size }, 'applied');
    this.#publishKeys();
    this.#keys.retireLater(() =>
      this.#reconciler.applied?.hash === this.#held.current?.hash ? this.#held.current : null,
    );
    this.#reportState();
    if (this.#identity.revoked_at !== null) this.#revoked?.();
  }

  #failed(target: Target, problems: readonly Problem[]): void {
    this.#failures.failed(target, problems);
    this.#announcements.apply(target.document);
    this.#reportState();
    this.#publishKeys();
  }

  #drifted(drift: readonly Drift[]): void {
    this.#reporter.addDrift(drift);
    for (const { key, detail } of drift.slice(0, 20))
      this.#parts.log.warn({ key, detail }, 'drift, which is repaired');
  }

  /** Keys that a document took are replaced by fresh ones. */
  #publishKeys(): void {
    this.#unstored.attempt('keys', () => {
      const made = this.#keys.tend(this.#held.current, this.#unusedKeysTarget);
      if (made.length > 0) this.#stream.send({ kind: 'keys', unused_keys: made });
    });
  }

  #storeDocument(): void {
    if (this.#held.isUnstored) this.#unstored.attempt('the document', () => this.#held.store());
  }

  #reportState(): void {
    if (!this.#stream.isOpen) return;
    for (const frame of this.#reporter.reportState(this.#situation())) this.#stream.send(frame);
  }

  #situation(): Situation {
    return {
      underlay: this.#surroundings.underlay,
      podSlices: this.#surroundings.podSlices,
      ...this.#announcements.observations,
      observed: this.#reconciler.observed,
      entries: this.#held.current?.entries ?? new Map(),
      choices: this.#reconciler.choices,
      isDirect: (route) => this.#reconciler.index.isDirectRoute(route),
      ruleCounts: this.#machine.ruleCounts,
      health: this.#machine.health(this.#failures.problems),
      nowMs: this.#parts.clock.nowMs(),
    };
  }

  /** After a look at the machine, and at the beginning of a stream. */
  #report(): void {
    if (!this.#stream.isOpen) return;
    for (const frame of this.#reporter.report(this.#situation())) this.#stream.send(frame);
    // Addresses are told in the hello, so a machine that moved says hello again.
    if (outsideAddresses().join() !== this.#reportedAddresses) this.#stream.reopen();
  }

  /** The right to be in the overlays is gone, so they go too; what the machine keeps is the fact. */
  #leaveOverlays(): void {
    this.#parts.log.error('the platform revoked this machine: its overlays are taken down');
    this.#renewal.stop();
    this.#outage.set('this instance was revoked');
    const revokedAt = timestamp(this.#parts.clock.nowMs());
    this.#store('that this instance was revoked', { ...this.#identity, revoked_at: revokedAt });
    this.#guard.forget();
    this.#apply(this.#held.clear(), 'all');
    this.#storeDocument();
  }
}
