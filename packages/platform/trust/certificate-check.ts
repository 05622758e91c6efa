// Whether a certificate that the authority made still counts: the instance is there, not terminated, and this is
// its present certificate or the renewed one that it now uses for the first time.
import { sql, type Transaction } from 'kysely';
import type { Store } from '../store/open-store.ts';
import type { Database } from '../store/tables.ts';
import { inAccount } from '../store/tenancy.ts';
import type { InstanceIdentity } from './authority.ts';

export type CertificateVerdict = 'good' | 'revoked' | 'superseded' | 'unknown';

export type CheckCertificate = (identity: InstanceIdentity) => Promise<CertificateVerdict>;

export function createCertificateCheck(store: Pick<Store, 'db'>): CheckCertificate {
  return (identity) => inAccount(store, identity.accountId, (trx) => check(trx, identity));
}

async function check(trx: Transaction<Database>, identity: InstanceIdentity): Promise<CertificateVerdict> {
  const row = await trx
    .selectFrom('instances')
    .select(['certificate_serial', 'certificate_serial_next', 'terminated_at', 'status'])
    .where('id', '=', identity.instanceId)
    .executeTakeFirst();
  if (row === undefined) return 'unknown';
  if (row.terminated_at !== null || row.status === 'terminated') return 'revoked';
  if (row.certificate_serial === identity.serial) return 'good';
  if (row.certificate_serial_next !== identity.serial) return 'superseded';
  await trx
    .updateTable('instances')
    .set({
      certificate_serial: identity.serial,
      certificate_serial_next: null,
      certificate_expires_at: identity.expiresAt,
      certificate_changed_at: sql<Date>`now()`,
    })
    .where('id', '=', identity.instanceId)
    .where('certificate_serial_next', '=', identity.serial)
    .execute();
  return 'good';
}
