// BGP on this machine: FRR's daemons for the networks of the document that use iBGP. It is a part beside the subsystems,
// because daemons and sessions live on while turns of applying come and go. Documents are followed as they are applied; what
// BGP decides is asked for by the selection of paths. Routes in the kernel are the agent's alone.
import { ProductError } from '@powernode/core/errors';
import { bgpReportMs, frrApplyAgainMs, frrMissingAgainMs } from '@powernode/core/limits/agent';
import { configText } from '@powernode/core/routing/config-lines';
import { bfddConfig } from '@powernode/core/routing/render';
import { NodeDocument } from '@powernode/core/wire/node-document';
import type { BgpSessionObservation } from '@powernode/core/wire/node-stream';
import type { Logger } from 'pino';
import type { FoundProblem } from '../observe/problems.ts';
import type { BgpDecisions, NetworkDecisions } from '../plan/bgp-decisions.ts';
import type { Clock } from '../ports/clock.ts';
import { FrrConfig } from '../subsystems/frr/apply.ts';
import { type DaemonSpec, nameOf } from '../subsystems/frr/daemon-specs.ts';
import { type FrrHealth, frrHealth, leafOf } from '../subsystems/frr/health.ts';
import { Vty } from '../subsystems/frr/vty.ts';
import { ConfigFiles, type ConfigFilesParts } from './config-files.ts';
import { Deaths } from './deaths.ts';
import { Debounce } from './debounce.ts';
import type { Frr, FrrFound } from './frr.ts';
import { Lingering } from './lingering.ts';
import { BgpNetwork, frrDiff, refusalText } from './network.ts';
import { SessionResets, type SessionResetsParts } from './resets.ts';
import { sessionsOf } from './sessions.ts';
import { type WantedBgp, wantedBgp } from './wanted-bgp.ts';

export interface BgpParts {
  readonly clock: Clock;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  readonly frr: Frr;
  readonly folder: SessionResetsParts['folder'] & ConfigFilesParts['folder'];
  /** Best paths differ, or BGP decides elsewhere than before. */
  readonly decided: () => void;
  readonly sessionsChanged: () => void;
  /** Addresses of this machine that are not announced now. */
  readonly withheld?: () => readonly string[];
  readonly problems: (found: readonly FoundProblem[]) => void;
}

export class Bgp implements BgpDecisions {
  readonly #parts: BgpParts;
  readonly #networks = new Map<string, BgpNetwork>();
  readonly #lingering: Lingering;
  readonly #debounce: Debounce;
  readonly #deaths = new Deaths();
  readonly #resets: SessionResets;
  readonly #files: ConfigFiles;
  /** What was reported last. */
  #problems: readonly FoundProblem[] = [];
  #document = NodeDocument.empty;
  #found: FrrFound | null = null;
  #bfd: { readonly vty: Vty; readonly config: FrrConfig } | null = null;
  #bfdRefusal: string | null = null;
  #last: Promise<void> = Promise.resolve();
  #again: (() => void) | null = null;
  #cancelReport: (() => void) | null = null;
  #stopped = false;

  constructor(parts: BgpParts) {
    const { clock } = parts;
    this.#parts = parts;
    this.#resets = new SessionResets(parts);
    this.#files = new ConfigFiles(parts);
    this.#lingering = new Lingering(clock);
    this.#debounce = new Debounce(clock, () => this.#turnSoon());
  }

  of(networkId: string): NetworkDecisions | null {
    return this.#networks.get(networkId)?.decisions ?? null;
  }

  /** Sessions of the document that was applied last. */
  get sessions(): BgpSessionObservation[] {
    return sessionsOf(
      this.#document,
      (id) => this.#networks.get(id),
      (networkId, peerId) => this.#resets.done(networkId, peerId),
    );
  }

  /** How FRR is; null: no network of this machine speaks BGP. */
  get health(): FrrHealth | null {
    const networks = [...this.#document.all('bgp').keys()].map((id) => leafOf(this.#document, id));
    if (networks.length === 0) return null;
    const version = this.#found?.kind === 'usable' ? this.#found.version : null;
    return frrHealth({ problems: this.#problems, version, networks });
  }

  /**
   * Why FRR cannot be used on this machine; null: it can, or no network asks for it. A bgpd that dies is a problem of its
   * network alone.
   */
  get missing(): string | null {
    if (this.#document.all('bgp').size === 0) return null;
    return this.#found?.kind === 'missing' ? this.#found.detail : null;
  }

  /** A document that the machine is now, or as much of it as could be applied. */
  apply(document: NodeDocument): void {
    if (document === this.#document || this.#stopped) return;
    this.#document = document;
    this.#debounce.begin();
  }

  /** `withheld` is another list: what is announced follows at once. */
  withheldChanged(): void {
    if (this.#document.all('bgp').size > 0 && !this.#stopped) this.#debounce.now();
  }

  /** The agent ends: daemons and sessions go on, unless the document has none of them any more. */
  async stop(): Promise<void> {
    const isPending = this.#debounce.cancel();
    this.#again?.();
    this.#cancelReport?.();
    if (isPending && this.#document.all('bgp').size === 0) this.#turnSoon();
    this.#stopped = true;
    await this.#last;
    for (const network of this.#networks.values()) network.stop();
    this.#bfd?.vty.close();
    if (this.#found?.kind === 'usable') this.#found.daemons.leave();
  }

  #turnSoon(): void {
    this.#last = this.#last.then(() => this.#turn());
  }

  async #turn(): Promise<void> {
    const { log, clock } = this.#parts;
    this.#again?.();
    this.#again = null;
    const withheld = this.#parts.withheld?.() ?? [];
    const wanted = this.#lingering.with(wantedBgp(this.#document, withheld), this.#document);
    try {
      const problems = await this.#become(wanted);
      const bgpOf = new Set(this.#document.all('bgp').keys());
      const deaths = this.#deaths.lately(clock.monotonicMs()).flatMap(({ network, detail }) => {
        const ids = network === null ? [...bgpOf] : [network].filter((id) => bgpOf.has(id));
        return ids.map((networkId) => missing(networkId, detail));
      });
      this.#problems = [...problems, ...deaths].filter(({ networkId = '' }) => bgpOf.has(networkId));
      this.#parts.problems(this.#problems);
      const { nextMs } = this.#lingering;
      if (nextMs !== null) this.#turnAgain(nextMs);
      else if (this.#problems.some(({ code }) => code === 'routing_daemon_missing'))
        this.#turnAgain(frrMissingAgainMs);
    } catch (error) {
      log.error({ err: error }, 'the agent met an error of its own; routes stay as they are');
      this.#turnAgain(frrApplyAgainMs);
    }
    this.#reportSoon();
  }

  /** The first time counts: whatever is due later finds out in that turn. */
  #turnAgain(afterMs: number): void {
    if (this.#again !== null || this.#stopped) return;
    this.#again = this.#parts.clock.after(afterMs, () => this.#turnSoon());
  }

  async #become(wanted: readonly WantedBgp[]): Promise<FoundProblem[]> {
    const { frr } = this.#parts;
    this.#files.keepOnly(wanted.map(({ network }) => network));
    if (wanted.length === 0) {
      this.#found = null;
      await this.#endAll();
      return [];
    }
    if (this.#found?.kind !== 'usable') {
      this.#found = await frr.find({
        started: (spec) => this.started(spec),
        failed: (spec, why) => this.failed(spec, why),
        othersChanged: () => this.#debounce.now(),
      });
    } else {
      const inTheWay = this.#found.inTheWay();
      // The machine's own FRR goes first.
      if (inTheWay !== null) {
        this.#found = { kind: 'missing', detail: inTheWay };
        await this.#endAll();
      }
    }
    if (this.#found.kind === 'missing') {
      const { detail } = this.#found;
      return wanted.map(({ network }) => missing(network, detail));
    }
    const { daemons, places } = this.#found;
    this.#forget((id) => !wanted.some(({ network }) => network === id));
    const problems: FoundProblem[] = [];
    await daemons.keep(wanted).catch((error: unknown) => {
      if (!(error instanceof ProductError)) throw error;
      problems.push(...wanted.map(({ network }) => missing(network, error.detail)));
    });
    await this.#reach(() => this.#configureBfd(places.vtyOf('bfdd', null)));
    for (const one of wanted) {
      const vtyPath = places.vtyOf('bgpd', one.network);
      await this.#reach(async () => {
        problems.push(...(await this.#configure(one, vtyPath)));
      });
    }
    return problems;
  }

  async #endAll(): Promise<void> {
    this.#forget(() => true);
    this.#bfd?.vty.close();
    this.#bfd = null;
    await this.#parts.frr.remove();
  }

  /** A daemon that was there a moment ago and is being started again keeps nobody else from being configured. */
  async #reach(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof ProductError)) throw error;
      this.#parts.log.warn({ err: error }, 'a daemon of FRR could not be configured; it is tried again');
      this.#turnAgain(frrApplyAgainMs);
    }
  }

  async #configureBfd(vtyPath: string): Promise<void> {
    if (this.#bfd === null) {
      const vty = new Vty({ path: vtyPath, daemon: 'bfdd', clock: this.#parts.clock });
      this.#bfd = { vty, config: new FrrConfig(vty, frrDiff) };
    }
    const text = configText(bfddConfig);
    const applied = await this.#bfd.config.apply(text);
    if (applied.kind !== 'refused') this.#files.accepted('bfdd', null, text);
    this.#bfdRefusal = applied.kind === 'refused' ? refusalText(applied) : null;
  }

  async #configure(wanted: WantedBgp, vtyPath: string): Promise<FoundProblem[]> {
    const { clock, log, decided } = this.#parts;
    const { network } = wanted;
    const known = this.#networks.get(network);
    const bgp =
      known ??
      new BgpNetwork({
        ...{ network, vtyPath, clock, decided },
        sessionsChanged: () => this.#reportSoon(),
      });
    this.#networks.set(network, bgp);
    const applied = await bgp.apply(wanted);
    if (applied.kind === 'applied') log.info({ network, commands: applied.commands }, 'bgpd was configured');
    if (applied.kind !== 'refused') {
      this.#files.accepted('bgpd', network, wanted.text);
      await this.#clearSessions(network, bgp);
    }
    const refusals = [this.#bfdRefusal, applied.kind === 'refused' ? refusalText(applied) : null];
    return refusals.flatMap((detail) =>
      detail === null ? [] : { code: 'routing_daemon_refused' as const, detail, networkId: network },
    );
  }

  /** Those that the document asks for and that were not cleared yet. */
  async #clearSessions(network: string, bgp: BgpNetwork): Promise<void> {
    for (const reset of this.#resets.due(this.#document, network)) {
      const how = await bgp.clear(reset.host_address);
      if (how === null) continue;
      this.#resets.remember(reset);
      this.#parts.log.info({ network, neighbor: reset.host_address, how }, 'a BGP session was cleared');
    }
  }

  #forget(isGone: (networkId: string) => boolean): void {
    for (const [id, network] of this.#networks) {
      if (!isGone(id)) continue;
      network.stop();
      this.#networks.delete(id);
      this.#parts.decided();
    }
  }

  /** A daemon answers that has no configuration yet. */
  started(spec: DaemonSpec): void {
    this.#parts.log.info({ daemon: nameOf(spec) }, 'a daemon of FRR was started');
    this.#debounce.now();
  }

  failed(spec: DaemonSpec, why: string): void {
    this.#parts.log.warn({ daemon: nameOf(spec), why }, 'a daemon of FRR ended; it is started again');
    this.#deaths.add(spec, why, this.#parts.clock.monotonicMs());
  }

  /** With what else changes meanwhile. */
  #reportSoon(): void {
    if (this.#cancelReport !== null || this.#stopped) return;
    this.#cancelReport = this.#parts.clock.after(bgpReportMs, () => {
      this.#cancelReport = null;
      this.#parts.sessionsChanged();
    });
  }
}

function missing(networkId: string, detail: string): FoundProblem {
  return { code: 'routing_daemon_missing', detail, networkId };
}
