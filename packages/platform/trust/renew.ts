// Renewal of a machine's certificate, over a connection that the present one authenticates. The present one stays
// good until the new one is used for the first time, so that an answer that gets lost locks nobody out.
import { ProductError } from '@powernode/core/errors';
import { type RenewResponse, renewRequest } from '@powernode/core/wire/enrolment';
import type { Store } from '../store/open-store.ts';
import { inAccount } from '../store/tenancy.ts';
import { type Authority, type InstanceIdentity, publicKeyOfRequest } from './authority.ts';
import { parseRequest } from './enrol.ts';

export interface RenewalOptions {
  readonly store: Pick<Store, 'db'>;
  readonly authority: Authority;
}

/** `identity`: as the connection proved it, and already found in order (certificate-check.ts). */
export type Renew = (renewal: {
  readonly identity: InstanceIdentity;
  readonly body: unknown;
}) => Promise<RenewResponse>;

export function createRenewal({ store, authority }: RenewalOptions): Renew {
  return async ({ identity, body }) => {
    const { csr_pem } = parseRequest(renewRequest, body);
    const { accountId, instanceId } = identity;
    const publicKey = await publicKeyOfRequest(csr_pem);
    const certificate = await authority.issueInstanceCertificate({ accountId, instanceId, publicKey });
    const updated = await inAccount(store, accountId, (trx) =>
      trx
        .updateTable('instances')
        .set({ certificate_serial_next: certificate.serial })
        .where('id', '=', instanceId)
        .where('terminated_at', 'is', null)
        .where('certificate_serial', '=', identity.serial)
        .returning('id')
        .executeTakeFirst(),
    );
    if (updated === undefined) {
      throw new ProductError(
        'permission_denied',
        'This certificate is no longer valid. If the instance is still in the fleet, join it again.',
      );
    }
    return { certificate_pem: certificate.pem, authority_pem: authority.certificatePem };
  };
}
