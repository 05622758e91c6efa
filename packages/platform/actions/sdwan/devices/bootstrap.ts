// What a bootstrap page may do with the secret of an access grant, and nothing else: ask what it is for, and use it.
import { definitionOf } from '@powernode/core/actions/catalogue';
import { ProductError } from '@powernode/core/errors';
import { type BootstrapDevice, type BootstrapGrant, configFileName } from '@powernode/core/wire/bootstrap';
import type { Logger } from 'pino';
import { inPlatform } from '../../../store/tenancy.ts';
import { GuessLimit } from '../../../trust/guess-limit.ts';
import { bootstrapTokenDigest } from '../../../trust/tokens.ts';
import type { ActionContext } from '../../context.ts';
import { type OwnParts, ofItsOwnAccord } from '../../gate/of-its-own.ts';
import { policyMode } from '../../gate/policies.ts';
import { lockGrant } from './access-grants.ts';
import { issueDevice, refuseUnusable } from './issue.ts';
import type { AccessGrantRow } from './present-access-grant.ts';

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
      readonly correlationId: string;
    },
  ) => Promise<BootstrapDevice>;
}

export interface BootstrapParts extends OwnParts {
  readonly log: Logger;
}

export function createBootstrap(parts: BootstrapParts): Bootstrap {
  const guesses = new GuessLimit({ now: () => parts.services.now().getTime() });
  const find = (attempt: Attempt) => findGrant(parts, { attempt, guesses });
  return {
    async inspect(attempt) {
      const { grant, networkName } = await find(attempt);
      refuseUnusable(grant, parts.services.now());
      return {
        device_name_hint: grant.device_name_hint,
        network_name: networkName,
        expires_at: grant.expires_at.toISOString(),
      };
    },

    async issue(attempt) {
      const { grant } = await find(attempt);
      const { row, network, shown } = await ofItsOwnAccord(
        parts,
        {
          accountId: grant.account_id,
          actor: { kind: 'platform', id: null, name: `bootstrap page of "${grant.device_name_hint}"` },
          correlationId: attempt.correlationId,
        },
        (context) => use(context, { grantId: grant.id, attempt }),
      );
      parts.log.info(
        { accountId: row.account_id, accessGrantId: grant.id, userDeviceId: row.id },
        'a device was let in',
      );
      return {
        name: row.name,
        network_name: network.name,
        host_address: row.host_address,
        ipv4_address: row.ipv4_address,
        config: shown.config,
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
    readonly attempt: { readonly publicKey: string; readonly name: string | null };
  },
) {
  await context.lock();
  const grant = await lockGrant(context, of.grantId);
  refuseUnusable(grant, context.now);
  await refuseByPolicy(context);
  const { publicKey, name } = of.attempt;
  return issueDevice(context, { grant, publicKey, name, deviceId: null });
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
    'Here an operator has to issue devices. Make a key pair on the device (wg genkey) and give its public key to whoever sent you this link.',
  );
}

/** A secret that is wrong and one that never was are alike. */
async function findGrant(
  parts: BootstrapParts,
  { attempt, guesses }: { readonly attempt: Attempt; readonly guesses: GuessLimit },
): Promise<{ readonly grant: AccessGrantRow; readonly networkName: string }> {
  guesses.check(attempt.source);
  const digest = bootstrapTokenDigest(attempt.token);
  const found =
    digest === null
      ? undefined
      : await inPlatform(parts.store, (trx) =>
          trx
            .selectFrom('access_grants')
            .innerJoin('networks', 'networks.id', 'access_grants.network_id')
            .selectAll('access_grants')
            .select('networks.name as network_name')
            .where('digest', '=', digest)
            .executeTakeFirst(),
        );
  if (found === undefined) {
    guesses.failed(attempt.source);
    throw new ProductError('not_found', 'This link is not valid. Ask for a new one.');
  }
  return { grant: found, networkName: found.network_name };
}
