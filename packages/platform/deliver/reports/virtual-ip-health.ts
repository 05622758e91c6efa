// Health of the services behind virtual IPs, as their holders see it: kept as rows, with an event for each turn. Taken are
// checks that the node's document has, and only so many events in a minute.
import type { FleetIndex } from '@powernode/core/compile/fleet-index';
import type { AccountId } from '@powernode/core/ids';
import { healthEventsPerMinuteMax } from '@powernode/core/limits/anycast';
import { reportFlushMs } from '@powernode/core/limits/node-stream';
import type { Observed } from '@powernode/core/wire/node-stream';
import type { Transaction } from 'kysely';
import type { Logger } from 'pino';
import { type EventBus, publishEvents } from '../../events/event-bus.ts';
import { type EventDraft, writeEvents } from '../../events/write-events.ts';
import type { Store } from '../../store/open-store.ts';
import type { Database } from '../../store/tables.ts';
import { inAccount } from '../../store/tenancy.ts';
import type { Clock } from '../../trust/clock.ts';
import { makeEvent } from '../../trust/node-events.ts';
import type { NodeState } from '../nodes/node-state.ts';
import { EventBudget } from './event-budget.ts';
import { NodeBatch } from './node-batch.ts';
import { type HealthReport, writeHealth } from './virtual-ip-health-rows.ts';

export interface VirtualIpHealthParts {
  readonly store: Pick<Store, 'db'>;
  readonly bus: EventBus;
  readonly clock: Clock;
  readonly log: Logger;
  readonly fleet: Pick<FleetIndex, 'network' | 'networksOf'>;
}

type Said = NonNullable<Observed['virtual_ip_health']>[number];

export class VirtualIpHealth {
  readonly #parts: VirtualIpHealthParts;
  readonly #batch: NodeBatch;
  readonly #budget: EventBudget;
  /** The newest report of each virtual IP that is not written yet. */
  readonly #waiting = new WeakMap<NodeState, Map<string, HealthReport>>();

  constructor(parts: VirtualIpHealthParts) {
    this.#parts = parts;
    const { clock, log } = parts;
    this.#budget = new EventBudget(clock, healthEventsPerMinuteMax);
    this.#batch = new NodeBatch({
      clock,
      log,
      what: 'health of virtual IPs',
      delayMs: reportFlushMs,
      write: (accountId, nodes) => this.#write(accountId, nodes),
    });
  }

  observed(node: NodeState, said: Observed['virtual_ip_health']): void {
    if (said === undefined || said.length === 0) return;
    const waiting = this.#waiting.get(node) ?? new Map<string, HealthReport>();
    for (const one of said) {
      const report = this.#reportOf(node, one);
      if (report !== null) waiting.set(report.virtualIpId, report);
    }
    if (waiting.size === 0) return;
    this.#waiting.set(node, waiting);
    this.#batch.add(node);
  }

  flush(): Promise<void> {
    return this.#batch.flush();
  }

  /** null: the node holds no such address, or is asked to check nothing. That a check has ended is believed of any. */
  #reportOf(node: NodeState, said: Said): HealthReport | null {
    const { fleet, clock } = this.#parts;
    for (const network of fleet.networksOf(node.instanceId)) {
      const item = network.item(said.virtual_ip_id);
      if (item?.type !== 'virtual_ip') continue;
      const peer = network.peerOfInstance(node.instanceId);
      if (peer === undefined || !item.candidates.includes(peer.id)) return null;
      if (item.healthCheck === undefined && said.health !== null) return null;
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

  async #write(accountId: AccountId, nodes: readonly NodeState[]): Promise<void> {
    const { store, bus } = this.#parts;
    const taken = nodes.map((node) => ({ node, reports: [...(this.#waiting.get(node)?.values() ?? [])] }));
    const events = await inAccount(store, accountId, (trx) => this.#writeIn(trx, accountId, taken));
    for (const { node, reports } of taken) {
      const waiting = this.#waiting.get(node);
      // What came meanwhile is written next.
      for (const report of reports) {
        if (waiting?.get(report.virtualIpId) === report) waiting.delete(report.virtualIpId);
      }
    }
    publishEvents(bus, events);
  }

  async #writeIn(
    trx: Transaction<Database>,
    accountId: AccountId,
    taken: readonly { readonly node: NodeState; readonly reports: readonly HealthReport[] }[],
  ) {
    const turned = new Set(
      await writeHealth(
        trx,
        accountId,
        taken.flatMap(({ reports }) => reports),
      ),
    );
    const drafts = taken.flatMap(({ node, reports }) =>
      reports.filter((report) => turned.has(report)).flatMap((report) => this.#eventOf(node, report) ?? []),
    );
    return writeEvents(trx, drafts);
  }

  /** null: the node has caused enough events for now. */
  #eventOf(node: NodeState, report: HealthReport): EventDraft | null {
    const allowed = this.#budget.take(node);
    if (allowed === null) return null;
    const isFailing = report.health === 'failing';
    return makeEvent(this.#parts.clock, {
      accountId: node.accountId,
      kind: isFailing ? 'sdwan.virtual_ip.holder_failing' : 'sdwan.virtual_ip.holder_healthy',
      severity: isFailing ? 'warning' : 'info',
      instance: { id: node.instanceId, hostname: node.hostname },
      payload: {
        network_id: report.networkId,
        virtual_ip_id: report.virtualIpId,
        peer_id: report.peerId,
        since: report.since.toISOString(),
        reason: report.lastError,
        ...(allowed.unreported === 0 ? {} : { unreported_count: allowed.unreported }),
      },
    });
  }
}
