// What a bootstrap page may do with the secret of an access grant, and nothing else: ask what it is for, and use it.
import { hash } from 'node:crypto';
import { definitionOf } from '@powernode/core/actions/catalogue';
import { ProductError } from '@powernode/core/errors';
import type { EndpointFamily } from '@powernode/core/intent/user-device';
import { type Family, parseAddress } from '@powernode/core/net/address';
import { classifyAddress } from '@powernode/core/net/special-addresses';
import { type BootstrapDevice, type BootstrapGrant, configFileName } from '@powernode/core/wire/bootstrap';
import type { Logger } from 'pino';
import type { MakerLoss } from '../../../access/maker-rights.ts';
import { accessGrantLosses } from '../../../access/maker-rights.ts';
import { inSystemTransaction, type SystemParts } from '../../../coordination/system-actor.ts';
import { inPlatform } from '../../../store/tenancy.ts';
import { GuessLimit } from '../../../trust/guess-limit.ts';
import { bootstrapTokenDigest } from '../../../trust/tokens.ts';
import type { ActionContext } from '../../context.ts';
import { refuseUnfitKey } from '../../gate/idempotency.ts';
import { policyMode } from '../../gate/policies.ts';
import { networkRow } from '../rows.ts';
import { lockGrant } from './access-grants.ts';
import { chosenFamily, endpointWarning, type KnownFamily } from './config.ts';
import { issueDevice, refuseUnusable, refuseUnusableNow } from './issue.ts';
import type { AccessGrantRow } from './present-access-grant.ts';
import { showUserDeviceWithConfig } from './present-user-device.ts';

/** What comes from outside, where nobody is signed in. */
export interface Attempt {
  readonly token: string;
  /** Address of the client, for limiting guesses. */
  readonly source: string;
}

export interface Bootstrap {
  readonly inspect: (attempt: Attempt) => Promise<BootstrapGrant>;
  readonly issue: (
    attempt: Attempt & {
      readonly publicKey: string;
      readonly name: string | null;
      /** Left out: as the request comes. */
      readonly endpointFamily?: EndpointFamily | undefined;
      /** The same again, with the same key: the answer to the first was lost, and is given again. */
      readonly idempotencyKey: string | undefined;
      readonly correlationId: string;
    },
  ) => Promise<BootstrapDevice>;
}

export interface BootstrapParts extends SystemParts {
  /** Milliseconds of a clock that nobody sets. */
  readonly steady: () => number;
  readonly log: Logger;
}

export function createBootstrap(parts: BootstrapParts): Bootstrap {
  const guesses = new GuessLimit(parts.steady);
  const find = (attempt: Attempt) => findGrant(parts, { attempt, guesses });
  return {
    async inspect(attempt) {
      const { grant, loss, networkName } = await find(attempt);
      refuseUnusable(grant, parts.services.now(), loss);
      return {
        device_name_hint: grant.device_name_hint,
        network_name: networkName,
        expires_at: grant.expires_at.toISOString(),
      };
    },

    async issue(attempt) {
      if (attempt.idempotencyKey !== undefined) refuseUnfitKey(attempt.idempotencyKey);
      const { grant } = await find(attempt);
      const { row, network, shown, isNew } = await inSystemTransaction(
        parts,
        {
          accountId: grant.account_id,
          action: 'bootstrap_device',
          actor: { kind: 'platform', id: null, name: `bootstrap page of "${grant.device_name_hint}"` },
          correlationId: attempt.correlationId,
        },
        (context) => use(context, { grantId: grant.id, attempt }),
      );
      const about = { accountId: row.account_id, accessGrantId: grant.id, userDeviceId: row.id };
      parts.log.info(about, isNew ? 'a device was let in' : 'a device was told its configuration again');
      return {
        name: row.name,
        network_name: network.name,
        host_address: row.host_address,
        ipv4_address: row.ipv4_address,
        config: shown.config,
        endpoint_warning: endpointWarning(shown, knownFamily(attempt)),
        file_name: configFileName(network.name),
      };
    },
  };
}

/** The grant is read again under the account's lock: of two that come at once the second finds it used. */
async function use(
  context: ActionContext,
  of: {
    readonly grantId: string;
    readonly attempt: Pick<
      Parameters<Bootstrap['issue']>[0],
      'publicKey' | 'name' | 'idempotencyKey' | 'source' | 'endpointFamily'
    >;
  },
) {
  await context.lock();
  const grant = await lockGrant(context, of.grantId);
  const { publicKey, name, idempotencyKey } = of.attempt;
  const digest = idempotencyKey === undefined ? null : hash('sha256', idempotencyKey);
  const earlier = digest === null ? null : await reportedBefore(context, { grant, publicKey, digest });
  if (earlier !== null) return { ...earlier, isNew: false };
  await refuseUnusableNow(context, grant);
  await refuseByPolicy(context);
  const known = knownFamily(of.attempt);
  const issued = await issueDevice(context, { grant, publicKey, name, deviceId: null, known });
  await context.trx
    .updateTable('access_grants')
    .set({ idempotency_digest: digest })
    .where('id', '=', grant.id)
    .execute();
  return { ...issued, isNew: true };
}

/**
 * What the page that has used this grant is told when it asks again: the answer may have been lost on its way, and
 * without it the key is let in and nobody has its configuration. null: it is not that page.
 */
async function reportedBefore(
  context: ActionContext,
  of: { readonly grant: AccessGrantRow; readonly publicKey: string; readonly digest: string },
) {
  const { grant, publicKey } = of;
  if (grant.idempotency_digest !== of.digest || grant.expires_at <= context.now) return null;
  const row = await context.trx
    .selectFrom('user_devices')
    .selectAll()
    .where('access_grant_id', '=', grant.id)
    .where('public_key', '=', publicKey)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  if (row === undefined) return null;
  const network = await networkRow(context, row.network_id);
  return { row, network, shown: await showUserDeviceWithConfig(context, row) };
}

/** What the page was told to use, or what its request comes over. */
function knownFamily(attempt: {
  readonly source: string;
  readonly endpointFamily?: EndpointFamily | undefined;
}): KnownFamily {
  if (attempt.endpointFamily !== undefined) return chosenFamily(attempt.endpointFamily);
  return { family: familyOfSource(attempt.source), isChosen: false };
}

/** Of the address that a request came from. One of this machine is that of a proxy, which says nothing of the device. */
function familyOfSource(source: string): Family | null {
  const address = parseAddress(source.replace(/^::ffff:(?=\d+\.)/, ''));
  if (address === null || classifyAddress(address) === 'loopback') return null;
  return address.family;
}

/** Nobody is there to wait for an approval, so a policy that asks for one shuts the page. */
async function refuseByPolicy(context: ActionContext): Promise<void> {
  const { category } = definitionOf('issueUserDevice');
  if (category === null) return;
  const mode = await policyMode(context.trx, {
    accountId: context.accountId,
    category: category.name,
    defaultMode: category.defaultMode,
  });
  if (mode === 'auto_approve' || mode === 'notify_and_proceed') return;
  throw new ProductError(
    'policy_blocked',
    'On this platform an operator has to issue devices. Generate a key pair on the device (wg genkey) and send its public key to the person who sent you this link.',
  );
}

/** A secret that is wrong and one that never was are alike. */
async function findGrant(
  parts: BootstrapParts,
  { attempt, guesses }: { readonly attempt: Attempt; readonly guesses: GuessLimit },
): Promise<{ readonly grant: AccessGrantRow; readonly loss: MakerLoss; readonly networkName: string }> {
  const digest = bootstrapTokenDigest(attempt.token);
  const found =
    digest === null
      ? undefined
      : await inPlatform(parts.store, async (trx) => {
          const grant = await trx
            .selectFrom('access_grants')
            .innerJoin('networks', 'networks.id', 'access_grants.network_id')
            .selectAll('access_grants')
            .select('networks.name as network_name')
            .where('digest', '=', digest)
            .executeTakeFirst();
          if (grant === undefined) return undefined;
          const lossOf = await accessGrantLosses(trx, [grant], parts.services.now());
          return { grant, loss: lossOf(grant), networkName: grant.network_name };
        });
  if (found === undefined) {
    guesses.failed(attempt.source);
    guesses.check(attempt.source);
    throw new ProductError('not_found', 'This link is not valid. Request a new one.');
  }
  return found;
}
