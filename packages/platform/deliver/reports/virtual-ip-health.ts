// Health of the services behind virtual IPs, as their holders see it: kept as rows, with an event for each turn. Taken are
// checks that the node's document has.
import type { FleetIndex } from '@powernode/core/compile/fleet-index';
import { healthEventsPerMinuteMax } from '@powernode/core/limits/anycast';
import type { Observed } from '@powernode/core/wire/node-stream';
import type { NodeState } from '../nodes/node-state.ts';
import { ObjectReports, type ReportedTurn, type ReportTools } from './object-reports.ts';
import { type HealthReport, writeHealth } from './virtual-ip-health-rows.ts';

export interface VirtualIpHealthParts extends ReportTools {
  readonly fleet: Pick<FleetIndex, 'network' | 'networksOf'>;
}

type Said = NonNullable<Observed['virtual_ip_health']>[number];

export class VirtualIpHealth {
  readonly #parts: VirtualIpHealthParts;
  readonly #reports: ObjectReports<HealthReport>;

  constructor(parts: VirtualIpHealthParts) {
    this.#parts = parts;
    this.#reports = new ObjectReports({
      ...parts,
      what: 'health of virtual IPs',
      eventsPerMinuteMax: healthEventsPerMinuteMax,
      keyOf: ({ virtualIpId }) => virtualIpId,
      write: async (trx, accountId, reports) => (await writeHealth(trx, accountId, reports)).map(turnOf),
    });
  }

  observed(node: NodeState, said: Observed['virtual_ip_health']): void {
    this.#reports.take(node, said?.flatMap((one) => this.#reportOf(node, one) ?? []) ?? []);
  }

  flush(): Promise<void> {
    return this.#reports.flush();
  }

  /** null: the node holds no such address, or is asked to check nothing. That a check has ended is believed of any. */
  #reportOf(node: NodeState, said: Said): HealthReport | null {
    const { fleet, clock } = this.#parts;
    for (const network of fleet.networksOf(node.instanceId)) {
      const item = network.item(said.virtual_ip_id);
      if (item?.type !== 'virtual_ip') continue;
      const peer = network.peerOfInstance(node.instanceId);
      if (peer === undefined || !item.candidates.includes(peer.id)) return null;
      const isAsked = item.healthCheck !== undefined && (item.anycast || item.holder === peer.id);
      if (!isAsked && said.health !== null) return null;
      const now = clock.now();
      return {
        virtualIpId: item.id,
        networkId: item.networkId,
        peerId: peer.id,
        health: said.health,
        since: new Date(Math.min(Date.parse(said.since), now)),
        lastError: said.last_error,
        observedAt: new Date(now),
      };
    }
    return null;
  }
}

function turnOf(report: HealthReport): ReportedTurn<HealthReport> {
  const isFailing = report.health === 'failing';
  return {
    report,
    kind: isFailing ? 'sdwan.virtual_ip.holder_failing' : 'sdwan.virtual_ip.holder_healthy',
    severity: isFailing ? 'warning' : 'info',
    payload: {
      network_id: report.networkId,
      virtual_ip_id: report.virtualIpId,
      peer_id: report.peerId,
      since: report.since.toISOString(),
      reason: report.lastError,
    },
  };
}
