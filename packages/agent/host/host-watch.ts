// Looks at what else decides on this host about packets of overlays: after each document, when rules of others are
// deleted, and now and then. What it finds is told as problems; what is the agent's to repair is repaired, and the filters
// of others only when the machine's owner asked for it.
import { readdirSync } from 'node:fs';
import {
  agentHostLookMs,
  agentRulesetLookShareMax,
  agentRulesetMonitorAgainMs,
} from '@powernode/core/limits/agent';
import { isClusterInterface } from '@powernode/core/net/pod-slices';
import type { NodeDocument } from '@powernode/core/wire/node-document';
import type { Logger } from 'pino';
import type { FoundProblem } from '../observe/problems.ts';
import type { Clock } from '../ports/clock.ts';
import type { Run } from '../ports/run.ts';
import type { Settings } from '../ports/settings.ts';
import type { StateFolder } from '../state/folder.ts';
import { HostAcceptance } from './accept.ts';
import { outsideAddressesOf } from './behind.ts';
import { familiesOf, hostDrops, networksOf } from './drops.ts';
import { type HostFacts, hostProblems } from './findings.ts';
import { lookAtHostRules } from './host-rules.ts';
import { legacyTablesOf } from './legacy-tables.ts';

/** What the machine's owner said when the agent was started. */
export interface HostOptions {
  /** Bridges whose hosts may use the overlays. */
  readonly bridges: readonly string[];
  /** accept: the agent lets its own traffic through Docker, ufw and firewalld. */
  readonly hostFirewall: 'observe' | 'accept';
  /** Routes to prefixes behind peers are in the main table too, where routing daemons of the machine find them. */
  readonly exportRoutes: boolean;
}

export interface HostWatchParts {
  readonly run: Run;
  readonly clock: Clock;
  readonly settings: Settings;
  readonly folder: StateFolder;
  readonly log: Logger;
  readonly options: HostOptions;
  readonly document: () => NodeDocument;
  readonly found: (problems: readonly FoundProblem[]) => void;
}

export class HostWatch {
  readonly #parts: HostWatchParts;
  readonly #acceptance: HostAcceptance;
  #cancel: () => void = () => undefined;
  #looking: Promise<void> | null = null;
  /** Somebody wants a look that begins after this. */
  #isWanted = false;
  /** Not before: a node whose document changes all the time does not look all the time. */
  #earliestMs = Number.NEGATIVE_INFINITY;
  #stopped = false;

  constructor(parts: HostWatchParts) {
    this.#parts = parts;
    this.#acceptance = new HostAcceptance(parts);
  }

  /** Looks now, or as soon as it is time for another look. */
  look(): void {
    if (this.#stopped) return;
    this.#isWanted = true;
    if (this.#looking === null) this.#lookIn(this.#earliestMs - this.#parts.clock.monotonicMs());
  }

  #lookIn(delayMs: number): void {
    this.#cancel();
    if (delayMs <= 0) this.#begin();
    else this.#cancel = this.#parts.clock.after(delayMs, () => this.#begin());
  }

  #begin(): void {
    const { clock } = this.#parts;
    const startedAtMs = clock.monotonicMs();
    this.#isWanted = false;
    this.#looking = this.#lookOnce().finally(() => {
      this.#looking = null;
      if (this.#stopped) return;
      const nowMs = clock.monotonicMs();
      const pauseMs = Math.max(agentRulesetMonitorAgainMs, (nowMs - startedAtMs) / agentRulesetLookShareMax);
      this.#earliestMs = nowMs + pauseMs;
      this.#lookIn(this.#isWanted ? pauseMs : Math.max(pauseMs, agentHostLookMs));
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#looking;
  }

  async #lookOnce(): Promise<void> {
    const { log, options, found } = this.#parts;
    try {
      let facts = await this.#facts();
      const drops = options.hostFirewall === 'accept' ? hostDrops(facts) : [];
      if (drops.length > 0) {
        const worked = await this.#acceptance.accept(drops);
        for (const { program, args } of worked) {
          log.warn({ command: [program, ...args].join(' ') }, 'added an exception to the local firewall');
        }
        if (worked.length > 0) facts = await this.#facts();
      }
      found(hostProblems(facts));
    } catch (error) {
      // What cannot be looked at is not known to be wrong; the log says why.
      log.warn({ err: error }, 'the local firewall could not be inspected');
    }
  }

  async #facts(): Promise<HostFacts> {
    const { run, settings, document, options } = this.#parts;
    const current = document();
    const networks = networksOf(current, outsideAddressesOf());
    // Pods behind a cluster's bridge have addresses that the network routes to.
    const hasPods = current.all('pods').size > 0;
    const rules = networks.length === 0 ? new Map() : await lookAtHostRules(run);
    for (const network of networks)
      if (network.forwards && familiesOf(network).includes(4)) this.#forward(network);
    return {
      rules,
      networks,
      legacyTables: legacyTablesOf(),
      reversePathFilter: settings.read('net/ipv4/conf/all/rp_filter'),
      bridges: bridgesOf().filter((name) => !hasPods || !isClusterInterface(name)),
      statedBridges: options.bridges,
    };
  }

  /** The kernel forwards IPv4 by the interface that a packet came in on, and these interfaces are the agent's. */
  #forward({ interfaces }: HostFacts['networks'][number]): void {
    const { settings, log } = this.#parts;
    for (const { name } of interfaces) {
      const path = `net/ipv4/conf/${name}/forwarding`;
      if (settings.read(path) !== '0') continue;
      settings.write(path, '1');
      log.warn(
        { interface: name },
        'IPv4 forwarding was disabled on an overlay interface; the agent enabled it again',
      );
    }
  }
}

function bridgesOf(): string[] {
  try {
    return readdirSync('/sys/class/net').filter((name) => isBridge(name));
  } catch {
    return [];
  }
}

function isBridge(name: string): boolean {
  try {
    return readdirSync(`/sys/class/net/${name}/bridge`).length > 0;
  } catch {
    return false;
  }
}
