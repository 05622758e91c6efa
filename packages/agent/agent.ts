// The running agent: the stream, the document on disk, the keys and the machine, put together. Each of them is
// somewhere else; here is only who tells whom.
import { ProductError } from '@powernode/core/errors';
import { unusedKeysMax, unusedKeysTarget } from '@powernode/core/limits';
import { nodeProtocol, type PlatformMessage } from '@powernode/core/wire/node-stream';
import type { Logger } from 'pino';
import { Machine } from './apply/machine.ts';
import { type Drift, Reconciler } from './apply/reconciler.ts';
import type { Problem } from './apply/sink.ts';
import { platformTls } from './link/authority.ts';
import type { Random } from './link/backoff.ts';
import { Renewal } from './link/renew.ts';
import { NodeStream } from './link/stream.ts';
import { outsideAddresses } from './observe/addresses.ts';
import { Monitor } from './observe/monitor.ts';
import { Reporter, type Situation } from './observe/reporter.ts';
import { type AgentStatus, statusOf } from './observe/status.ts';
import { type Clock, timestamp } from './ports/clock.ts';
import type { Run } from './ports/run.ts';
import type { Settings } from './ports/settings.ts';
import type { StartProber } from './probe/prober.ts';
import { Probing } from './probe/probing.ts';
import type { StateFolder } from './state/folder.ts';
import { type Held, HeldDocument, type Taken } from './state/held.ts';
import { type Identity, writeIdentity } from './state/identity.ts';
import { KeyKeeper } from './state/key-keeper.ts';
import { KeyStore } from './state/keys.ts';
import { agentVersion } from './version.ts';

export interface AgentParts {
  readonly folder: StateFolder;
  readonly identity: Identity;
  readonly run: Run;
  readonly clock: Clock;
  readonly settings: Settings;
  readonly random: Random;
  readonly log: Logger;
  readonly startProber: StartProber;
}

export class Agent {
  readonly #parts: AgentParts;
  readonly #held: HeldDocument;
  readonly #keys: KeyKeeper;
  readonly #machine: Machine;
  readonly #reconciler: Reconciler;
  readonly #stream: NodeStream;
  readonly #probing: Probing;
  readonly #reporter = new Reporter();
  readonly #renewal: Renewal;
  readonly #monitor: Monitor;
  #identity: Identity;
  #problems: readonly Problem[] = [];
  #lostReason: string | null = null;
  #toldFailure = '';
  #toldAddresses = '';
  #awaitsDocument = false;
  #unusedKeysTarget = unusedKeysTarget;
  #revoked: (() => void) | null = null;

  constructor(parts: AgentParts) {
    this.#parts = parts;
    this.#identity = parts.identity;
    const { clock, folder, log } = parts;
    const store = new KeyStore(folder);
    this.#held = new HeldDocument(folder);
    this.#keys = new KeyKeeper({ store, clock });
    const interfaceEnded = (name: string, why: string) => {
      log.warn({ interface: name, why }, 'a userspace WireGuard ended');
      this.#reconciler.auditSoon();
    };
    this.#machine = new Machine({
      ...parts,
      keys: store,
      interfaceEnded,
      rulesLoading: () => this.#probing.rulesLoading(),
      rulesLoaded: () => this.#probing.rulesLoaded(),
    });
    this.#reconciler = new Reconciler({
      machine: this.#machine,
      clock,
      events: {
        applied: (held) => this.#applied(held),
        failed: (held, problems) => this.#failed(held, problems),
        drifted: (drift) => this.#drifted(drift),
        looked: () => this.#report(),
        switched: () => this.#reportState(),
      },
    });
    this.#stream = new NodeStream({
      clock,
      random: parts.random,
      target: () => ({ url: new URL(this.#identity.node_url), tls: this.#tls() }),
      events: {
        opened: () => this.#greet(),
        message: (message) => this.#take(message),
        lost: (why, againMs) => this.#lost(why, againMs),
        revoked: () => this.#leaveOverlays(),
      },
    });
    this.#probing = new Probing({
      startProber: parts.startProber,
      stream: this.#stream,
      log,
      news: (news) => this.#reconciler.probed(news),
      restarted: () => this.#reconciler.forgetProbes(),
    });
    this.#renewal = new Renewal({
      clock,
      identity: () => this.#identity,
      renewed: (identity) => {
        this.#store(identity);
        log.info('the certificate was renewed');
      },
      failed: (error) => log.warn({ err: error }, 'the certificate could not be renewed; it is tried again'),
    });
    this.#monitor = new Monitor({ run: parts.run, clock, touched: () => this.#reconciler.auditSoon() });
  }

  /** Applies what is on disk at once and connects. */
  start(): void {
    const held = this.#held.current;
    this.#safely('keys', () => this.#keys.tend(held, this.#unusedKeysTarget));
    if (held !== null) {
      if (!this.#held.wasApplied()) this.#reconciler.distrustEndpoints(held);
      this.#apply(held, 'all');
    }
    this.#monitor.start();
    this.#stream.open();
    this.#renewal.start();
  }

  /** Lets go of everything but the machine, which goes on as it is. */
  async stop(): Promise<void> {
    this.#monitor.stop();
    this.#renewal.stop();
    this.#stream.close();
    this.#keys.stop();
    await this.#reconciler.stop();
    await this.#probing.stop();
  }

  /** Resolves when the platform has sent this machine away and its overlays are gone. */
  revoked(): Promise<void> {
    return new Promise((resolve) => {
      this.#revoked = resolve;
    });
  }

  async status(): Promise<AgentStatus> {
    const paths = await this.#probing.report();
    return statusOf({
      identity: this.#identity,
      held: this.#held.current,
      applied: this.#reconciler.applied,
      seen: this.#reconciler.seen,
      choices: this.#reconciler.choices,
      paths,
      leases: this.#probing.leases,
      nowMs: this.#parts.clock.nowMs(),
      problems: this.#problems,
      drift: this.#reporter.recentDrift,
      connected: this.#stream.isOpen,
      lostReason: this.#lostReason,
      pid: process.pid,
    });
  }

  #tls() {
    const { certificate_pem, key_pem, authority_pem, platform_id } = this.#identity;
    const own = { certificatePem: certificate_pem, keyPem: key_pem };
    return platformTls(own, { authorityPem: authority_pem, platformId: platform_id });
  }

  #store(identity: Identity): void {
    writeIdentity(this.#parts.folder, identity);
    this.#identity = identity;
  }

  #greet(): void {
    const held = this.#held.current;
    const applied = this.#reconciler.applied;
    const addresses = outsideAddresses();
    this.#awaitsDocument = false;
    this.#toldFailure = '';
    this.#toldAddresses = addresses.join();
    this.#lostReason = null;
    this.#stream.send({
      kind: 'hello',
      protocol: nodeProtocol,
      agent_version: agentVersion,
      hostname: this.#identity.hostname,
      held: held === null ? null : { revision: held.revision, hash: held.hash },
      applied: applied === null ? null : { revision: applied.revision, hash: applied.hash },
      addresses,
      unused_keys: this.#keys.unused().slice(0, unusedKeysMax),
    });
    this.#parts.log.info({ revision: held?.revision ?? null, url: this.#identity.node_url }, 'connected');
    this.#probing.greet();
    this.#reporter.startAnew();
    this.#report();
  }

  #take(message: PlatformMessage): void {
    try {
      this.#handle(message);
    } catch (error) {
      if (!(error instanceof ProductError)) throw error;
      // The disk is full or broken. What cannot be kept is not applied; the stream begins anew from what is kept.
      this.#parts.log.error(
        { err: error, kind: message.kind },
        'a message of the platform could not be kept',
      );
      const revision = 'revision' in message ? message.revision : 0;
      this.#stream.send({ kind: 'failed', revision, message: error.detail });
      this.#stream.reopen();
    }
  }

  #handle(message: PlatformMessage): void {
    switch (message.kind) {
      case 'welcome':
        this.#unusedKeysTarget = Math.min(message.unused_keys_target, unusedKeysMax);
        return this.#publishKeys();
      case 'document':
        this.#awaitsDocument = false;
        return this.#taken(this.#held.takeDocument(message));
      case 'delta':
        // Sent before the platform knew that it has to send everything.
        if (this.#awaitsDocument) return;
        return this.#taken(this.#held.takeDelta(message));
      case 'current':
        if (this.#awaitsDocument) return;
        return this.#taken(this.#held.takeCurrent(message));
      case 'spent':
        this.#keys.spend(message.public_keys);
        return this.#publishKeys();
      case 'held':
        return this.#probing.held(message);
    }
  }

  #taken(taken: Taken): void {
    if (taken.kind !== 'resync') this.#stream.settled();
    switch (taken.kind) {
      case 'same':
        return;
      case 'resync':
        this.#parts.log.warn({ why: taken.why }, 'the document is asked for as a whole');
        this.#awaitsDocument = true;
        return this.#stream.send({ kind: 'resync' });
      case 'changed':
        return this.#apply(taken.held, taken.keys);
    }
  }

  #apply(held: Held, keys: ReadonlySet<string> | 'all'): void {
    this.#reconciler.take(held, keys);
    this.#probing.take(this.#reconciler.index, keys);
  }

  #applied(held: Held): void {
    this.#problems = [];
    this.#toldFailure = '';
    this.#stream.send({ kind: 'applied', revision: held.revision, hash: held.hash });
    this.#safely('applied', () => this.#held.noteApplied(held));
    this.#parts.log.info({ revision: held.revision, entries: held.entries.size }, 'applied');
    this.#publishKeys();
    this.#keys.retireLater(() =>
      this.#reconciler.applied === this.#held.current ? this.#held.current : null,
    );
    this.#reportState();
    if (this.#identity.revoked_at !== null) this.#revoked?.();
  }

  #failed(held: Held, problems: readonly Problem[]): void {
    this.#problems = problems;
    const message = [...new Set(problems.map((problem) => problem.detail))].join(' ').slice(0, 2000);
    const failure = `${held.revision} ${message}`;
    this.#reportState();
    if (failure === this.#toldFailure) return;
    this.#toldFailure = failure;
    this.#stream.send({ kind: 'failed', revision: held.revision, message });
    this.#parts.log.warn({ revision: held.revision, problems }, 'not applied; it is tried again');
    this.#publishKeys();
  }

  #drifted(drift: readonly Drift[]): void {
    this.#reporter.addDrift(drift);
    for (const one of drift.slice(0, 20)) {
      this.#parts.log.warn({ key: one.key, detail: one.detail }, 'drift, which is mended');
    }
  }

  #lost(why: string, againMs: number): void {
    // Said once for each outage, and not for each try.
    if (this.#lostReason === null) {
      const url = this.#identity.node_url;
      this.#parts.log.warn({ why, url }, 'the platform is not connected; the machine goes on as it is');
    }
    this.#parts.log.debug({ why, againMs }, 'connecting again');
    this.#lostReason = why;
  }

  /** Keys that a document took are replaced by fresh ones. */
  #publishKeys(): void {
    this.#safely('keys', () => {
      const made = this.#keys.tend(this.#held.current, this.#unusedKeysTarget);
      if (made.length > 0) this.#stream.send({ kind: 'keys', unused_keys: made });
    });
  }

  /** For what the machine can do without: a disk that is full must not take the overlay down. */
  #safely(what: string, write: () => void): void {
    try {
      write();
    } catch (error) {
      if (!(error instanceof ProductError)) throw error;
      this.#parts.log.error({ err: error, what }, 'the state directory could not be written');
    }
  }

  #reportState(): void {
    if (!this.#stream.isOpen) return;
    for (const frame of this.#reporter.reportState(this.#situation())) this.#stream.send(frame);
  }

  #situation(): Situation {
    return {
      seen: this.#reconciler.seen,
      entries: this.#held.current?.entries ?? new Map(),
      choices: this.#reconciler.choices,
      isDirect: (route) => this.#reconciler.index.isDirectRoute(route),
      problems: this.#problems,
      ruleCounts: this.#machine.ruleCounts,
      flavour: this.#machine.flavour,
      nowMs: this.#parts.clock.nowMs(),
    };
  }

  /** After a look at the machine, and at the beginning of a stream. */
  #report(): void {
    if (!this.#stream.isOpen) return;
    for (const frame of this.#reporter.report(this.#situation())) this.#stream.send(frame);
    // Addresses are told in the hello, so a machine that moved says hello again.
    if (outsideAddresses().join() !== this.#toldAddresses) this.#stream.reopen();
  }

  /** The right to be in the overlays is gone, so they go too; what the machine keeps is the fact. */
  #leaveOverlays(): void {
    this.#parts.log.error('the platform revoked this machine: its overlays are taken down');
    this.#renewal.stop();
    this.#lostReason = 'this machine was revoked';
    this.#store({ ...this.#identity, revoked_at: timestamp(this.#parts.clock.nowMs()) });
    this.#apply(this.#held.clear(), 'all');
  }
}
