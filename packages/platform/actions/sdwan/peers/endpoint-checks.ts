// Refuses endpoints at which no other machine can call a peer, and says what to give instead.
import { ProductError } from '@powernode/core/errors';
import { namedInErrorMax } from '@powernode/core/limits/overlay';
import { parseAddress } from '@powernode/core/net/address';
import type { Prefix } from '@powernode/core/net/prefix';
import { endpointRefusal, isPubliclyRoutable, prefixesFrom } from '@powernode/core/net/special-addresses';
import type { Trx } from '../../context.ts';
import type { InstanceRow } from '../rows.ts';

/** Every prefix of the account that is inside of tunnels: networks, their IPv4 prefixes and their pods. */
export async function overlayPrefixes(trx: Trx, accountId: string): Promise<Prefix[]> {
  const networks = await trx
    .selectFrom('networks')
    .select(['prefix', 'ipv4_prefix', 'pod_subnet_prefix'])
    .where('account_id', '=', accountId)
    .execute();
  return prefixesFrom(networks.flatMap((row) => [row.prefix, row.ipv4_prefix, row.pod_subnet_prefix]));
}

/** Addresses of a machine at which others may reach it, as it says itself: public ones first. */
function candidatesOf(instance: Pick<InstanceRow, 'addresses'>, overlays: readonly Prefix[]): string[] {
  const fit = instance.addresses.filter((text) => endpointRefusal(text, overlays) === null);
  const isPublic = (text: string) => {
    const address = parseAddress(text);
    return address !== null && isPubliclyRoutable(address);
  };
  return [...fit.filter(isPublic), ...fit.filter((text) => !isPublic(text))].slice(0, namedInErrorMax);
}

interface Checked {
  readonly instance: Pick<InstanceRow, 'hostname' | 'addresses' | 'observed_address'>;
  readonly overlays: readonly Prefix[];
}

/** `path`: the parameter that they were given by. */
export function refuseUnfitEndpoints(
  endpoints: readonly string[],
  of: Checked & { readonly path: 'endpoint_address' | 'endpoint_addresses' },
): void {
  for (const [at, text] of endpoints.entries()) {
    const refusal = endpointRefusal(text, of.overlays);
    if (refusal === null) continue;
    const path = of.path === 'endpoint_address' ? of.path : `${of.path}.${at}`;
    throw unfit(of, { path, code: refusal.code, message: `${text} is ${refusal.why}` });
  }
}

/** A hub without an endpoint of its own is met where the platform sees it: that has to be a place for others too. */
export function refuseUncallableHub(of: Checked): void {
  const { instance, overlays } = of;
  const { observed_address: observed, hostname } = instance;
  const refusal = observed === null ? null : endpointRefusal(observed, overlays);
  if (refusal === null) return;
  const message = `"${hostname}" reaches the platform from ${observed}, which is ${refusal.why}, so no other peer can reach it there`;
  throw unfit(of, { path: 'endpoint_address', code: 'endpoint_needed', message });
}

function unfit(
  { instance, overlays }: Checked,
  field: { readonly path: string; readonly code: string; readonly message: string },
): ProductError {
  const candidates = candidatesOf(instance, overlays);
  const instead =
    candidates.length === 0
      ? 'Give an address of the router in front of it, and forward a UDP port there.'
      : `Give an address that the other members reach. "${instance.hostname}" has ${candidates.join(', ')}.`;
  return new ProductError('validation_failed', `${field.path}: ${field.message}. ${instead}`, {
    fields: [{ ...field, message: `${field.message}. ${instead}` }],
    members: { candidates },
  });
}
