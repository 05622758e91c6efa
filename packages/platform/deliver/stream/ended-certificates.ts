// Which machines' certificates stopped counting lately: their streams end also where no other process said so.
import type { AccountId, InstanceId } from '@powernode/core/ids';
import { clockSkewMs } from '@powernode/core/limits/node-stream';
import type { Store } from '../../store/open-store.ts';
import { inPlatform } from '../../store/tenancy.ts';
import type { Clock } from '../../trust/clock.ts';

export interface EndedCertificate {
  readonly accountId: AccountId;
  readonly instanceId: InstanceId;
  readonly isTerminated: boolean;
  /** Those that count. */
  readonly serials: readonly string[];
}

export class EndedCertificates {
  readonly #store: Pick<Store, 'db'>;
  readonly #clock: Pick<Clock, 'now' | 'steady'>;
  /** The last look, by the wall clock, which stamps what ends, and by one that nobody sets. */
  #seen: { readonly wallMs: number; readonly steadyMs: number };

  constructor(store: Pick<Store, 'db'>, clock: Pick<Clock, 'now' | 'steady'>) {
    this.#store = store;
    this.#clock = clock;
    this.#seen = { wallMs: clock.now(), steadyMs: clock.steady() };
  }

  /** Those since the last look; some may have been answered before. */
  async look(): Promise<readonly EndedCertificate[]> {
    const at = { wallMs: this.#clock.now(), steadyMs: this.#clock.steady() };
    // Where the wall clock was set back meanwhile, what has ended since is stamped as if that was before the last look.
    const sinceMs = Math.min(this.#seen.wallMs, at.wallMs - (at.steadyMs - this.#seen.steadyMs));
    const ended = await endedSince(this.#store, new Date(sinceMs - clockSkewMs));
    this.#seen = at;
    return ended;
  }
}

async function endedSince(store: Pick<Store, 'db'>, since: Date): Promise<readonly EndedCertificate[]> {
  const rows = await inPlatform(store, (trx) =>
    trx
      .selectFrom('instances')
      .select(['id', 'account_id', 'terminated_at', 'certificate_serial', 'certificate_serial_next'])
      .where((eb) => eb.or([eb('terminated_at', '>', since), eb('certificate_changed_at', '>', since)]))
      .execute(),
  );
  return rows.map((row) => ({
    accountId: row.account_id,
    instanceId: row.id,
    isTerminated: row.terminated_at !== null,
    serials: [row.certificate_serial, row.certificate_serial_next].filter((serial) => serial !== null),
  }));
}
