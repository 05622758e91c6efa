// The periodic audit of route policies and firewall rules: the leader looks through all accounts now and then, and soon
// after a change through the account that changed. Its policy is that of `system.sdwan_route_policy_audit`.
import { type PolicyMode, sensorCategories } from '@powernode/core/intent/autonomy';
import {
  auditAfterChangeMs,
  auditIntervalMs,
  findingEventsPerAuditMax,
} from '@powernode/core/limits/coordination';
import type { Logger } from 'pino';
import type { ActionContext } from '../../actions/context.ts';
import { policyMode } from '../../actions/gate/policies.ts';
import { inSystemTransaction, type SystemParts } from '../../coordination/system-actor.ts';
import { platformActor } from '../../events/write-events.ts';
import { inPlatform } from '../../store/tenancy.ts';
import type { Clock } from '../../trust/clock.ts';
import { type FindingRow, forgetOpenFindings, writeFindings } from './finding-rows.ts';
import { allFound, firewallFindings } from './found.ts';

export const auditCategory = 'system.sdwan_route_policy_audit';

export interface PeriodicAuditParts extends SystemParts {
  readonly clock: Clock;
  readonly log: Pick<Logger, 'warn'>;
  /** To have `run` called soon, where this process leads. */
  readonly wake: () => void;
}

export class PeriodicAudit {
  readonly #parts: PeriodicAuditParts;
  /** Accounts that changed since they were audited. */
  readonly #changed = new Set<string>();
  readonly #unsubscribe: () => void;
  #callOff: (() => void) | null = null;
  /** By a clock that nobody sets. */
  #allAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: PeriodicAuditParts) {
    this.#parts = parts;
    this.#unsubscribe = parts.bus.subscribe((message) => {
      if (message.kind === 'event' && isAudited(message.event.kind)) this.#soon(message.accountId);
    });
  }

  close(): void {
    this.#unsubscribe();
    this.#callOff?.();
    this.#callOff = null;
  }

  /** Every account when that is due, else those that changed. What fails in one account stops no other. */
  async run(stopping: AbortSignal): Promise<void> {
    const nowMs = this.#parts.clock.steady();
    const isAll = nowMs - this.#allAtMs >= auditIntervalMs;
    const accountIds = isAll ? await this.#allAccounts() : [...this.#changed];
    if (isAll) this.#allAtMs = nowMs;
    for (const accountId of accountIds) {
      if (stopping.aborted) return;
      this.#changed.delete(accountId);
      try {
        await this.#audit(accountId);
      } catch (error) {
        this.#parts.log.warn({ err: error, account_id: accountId }, 'an account could not be audited');
        this.#changed.add(accountId);
      }
    }
  }

  /** What follows within the pause is audited with it. */
  #soon(accountId: string): void {
    this.#changed.add(accountId);
    this.#callOff ??= this.#parts.clock.after(auditAfterChangeMs, () => {
      this.#callOff = null;
      this.#parts.wake();
    });
  }

  async #allAccounts(): Promise<string[]> {
    const rows = await inPlatform(this.#parts.store, (trx) =>
      trx.selectFrom('networks').select('account_id').distinct().orderBy('account_id').execute(),
    );
    return rows.map((row) => row.account_id);
  }

  async #audit(accountId: string): Promise<void> {
    const { services } = this.#parts;
    const networkIds = await inPlatform(this.#parts.store, async (trx) => {
      const rows = await trx
        .selectFrom('networks')
        .select('id')
        .where('account_id', '=', accountId)
        .execute();
      return rows.map(({ id }) => id);
    });
    const firewalls = await firewallFindings(services.deliverer, networkIds);
    const call = {
      accountId,
      action: 'periodic_audit',
      actor: platformActor,
      correlationId: services.newId(),
    } as const;
    await inSystemTransaction(this.#parts, call, async (context) => {
      const mode = await auditMode(context);
      if (mode === 'blocked' || mode === 'require_approval') return forgetOpenFindings(context);
      // None of them is deleted until its findings are written; those that are gone already have none.
      const there = await context.trx
        .selectFrom('networks')
        .select('id')
        .where('account_id', '=', accountId)
        .forKeyShare()
        .execute();
      const ids = new Set(there.map(({ id }) => id));
      const found = await allFound(context, new Map([...firewalls].filter(([id]) => ids.has(id))));
      const { began, recovered } = await writeFindings(context, found);
      reportTurns(context, mode, [
        ...recovered.map((row) => ({ row, isOver: true })),
        ...began.map((row) => ({ row, isOver: false })),
      ]);
    });
  }
}

const audited =
  /^sdwan\.(?:network|peer|route_policy|firewall_rule|virtual_ip|port_mapping|user_device|account_bgp)\.(?:created|updated|deleted|attached|detached|issued|revoked|tags_set|lan_subnets_updated|target_missing|hub_missing)$/;

/** What operators change, and not what nodes are seen to do, which is far more. */
function isAudited(kind: string): boolean {
  return kind === 'system.policy.set' || audited.test(kind);
}

/** An audit changes nothing that could be approved: where a person has to agree first, a person audits (see the docs). */
function auditMode({ trx, accountId }: ActionContext): Promise<PolicyMode> {
  const defaultMode = sensorCategories.find(({ name }) => name === auditCategory)?.defaultMode;
  if (defaultMode === undefined) throw new Error(`there is no category ${auditCategory}`);
  return policyMode(trx, { accountId, category: auditCategory, defaultMode });
}

function reportTurns(
  context: ActionContext,
  mode: PolicyMode,
  turns: readonly { readonly row: FindingRow; readonly isOver: boolean }[],
): void {
  const unreported = turns.length - findingEventsPerAuditMax;
  for (const [i, { row, isOver }] of turns.slice(0, findingEventsPerAuditMax).entries()) {
    const isLast = i === findingEventsPerAuditMax - 1 && unreported > 0;
    context.event(
      isOver ? 'sdwan.finding.recovered' : 'sdwan.finding.began',
      {
        finding: row.kind,
        network_id: row.network_id,
        object: row.object,
        by: row.cause,
        detail: row.detail,
        began_at: row.began_at.toISOString(),
        ...(mode === 'notify_and_proceed' ? { notify: true } : {}),
        ...(isLast ? { unreported_count: unreported } : {}),
      },
      isOver ? 'info' : row.severity,
    );
  }
}
