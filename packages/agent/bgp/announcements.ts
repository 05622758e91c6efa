// What this machine announces to other peers: prefixes and anycast addresses by BGP, and which addresses that it holds are
// not to be sent to it now, because their health check fails.

import { nodeProblemDetailMax } from '@powernode/core/limits/node-stream';
import type { NodeDocument } from '@powernode/core/wire/node-document';
import type {
  BgpSessionObservation,
  Observed,
  VirtualIpHealthObservation,
} from '@powernode/core/wire/node-stream';
import { askService } from '../checks/ask.ts';
import { HealthChecks } from '../checks/health-checks.ts';
import type { BgpDecisions, NetworkDecisions } from '../plan/bgp-decisions.ts';
import type { FrrHealth } from '../subsystems/frr/health.ts';
import { Bgp, type BgpParts } from './bgp.ts';
import { DaemonWatch } from './daemon-watch.ts';

export interface AnnouncementsParts extends Omit<BgpParts, 'sessionsChanged' | 'withheld'> {
  /** Sessions, or the health of services, differ from before. */
  readonly changed: () => void;
  /** Addresses that are not to be sent here now; the whole list. */
  readonly withhold: (addresses: readonly string[]) => void;
}

export class Announcements implements BgpDecisions {
  readonly #bgp: Bgp;
  readonly #checks: HealthChecks;
  readonly #daemonWatch: DaemonWatch;

  constructor(parts: AnnouncementsParts) {
    const { clock, log, changed, withhold } = parts;
    this.#checks = new HealthChecks({
      clock,
      ask: askService(clock),
      turned: ({ address }, { health, lastError }) => {
        log.info({ address, health, lastError }, 'the service at a virtual IP');
        changed();
      },
      changed: () => {
        withhold(this.#checks.withheld);
        this.#bgp.withheldChanged();
      },
    });
    this.#daemonWatch = new DaemonWatch({ clock, frr: parts.frr, changed });
    this.#bgp = new Bgp({ ...parts, sessionsChanged: changed, withheld: () => this.#checks.withheld });
  }

  of(networkId: string): NetworkDecisions | null {
    return this.#bgp.of(networkId);
  }

  /** As the platform is told of them. */
  get observations(): {
    readonly bgpSessions: readonly BgpSessionObservation[];
    readonly virtualIpHealth: readonly VirtualIpHealthObservation[];
    readonly frr: FrrHealth | null;
    readonly routingDaemon: Observed['routing_daemon'] | null;
  } {
    const { seen } = this.#daemonWatch;
    const missing = this.#bgp.missing ?? (seen?.kind === 'missing' ? seen.detail : null);
    return {
      bgpSessions: this.#bgp.sessions,
      virtualIpHealth: this.#checks.observations,
      frr: this.#bgp.health,
      routingDaemon:
        seen === null && missing === null
          ? null
          : { missing: missing?.slice(0, nodeProblemDetailMax) ?? null },
    };
  }

  start(): void {
    void this.#daemonWatch.look();
  }

  /** A document that the machine is now, or as much of it as could be applied. */
  apply(document: NodeDocument): void {
    this.#checks.apply(document);
    this.#bgp.apply(document);
  }

  async stop(): Promise<void> {
    this.#checks.stop();
    this.#daemonWatch.stop();
    await this.#bgp.stop();
  }
}
