// What route policies of a network are checked against, from its rows: also within a change that is not committed yet.

import { localPreferenceDefault } from '@powernode/core/limits/routing';
import { withLength } from '@powernode/core/net/address';
import { type AuditedPolicies, auditPolicies, type PolicyFinding } from '@powernode/core/routing/audit';
import { subnetsOf } from '@powernode/core/routing/from-entries';
import type { Policy, Subnet } from '@powernode/core/routing/model';
import { referenceFaults, resolved } from '@powernode/core/routing/references';
import type { ActionContext } from '../../context.ts';
import { accountAsNumber } from '../networks/model.ts';
import { networkRow } from '../rows.ts';
import { failingHolders } from '../virtual-ips/holders.ts';
import { candidateIds } from '../virtual-ips/model.ts';
import type { RoutePolicyRow } from './model.ts';

export interface RoutingFacts extends AuditedPolicies {
  readonly asNumber: number;
  readonly rows: readonly RoutePolicyRow[];
  /** By the id of the peer, its IPv6 address. */
  readonly addresses: ReadonlyMap<string, string>;
  /** Addresses of peers without FRR, which announce nothing. */
  readonly withoutBgp: ReadonlySet<string>;
}

/** A policy as nodes have it. */
export function policyOf(
  row: Pick<RoutePolicyRow, 'id' | 'direction' | 'statements'>,
  addresses: ReadonlyMap<string, string>,
): Policy {
  const statements = resolved(row.statements, (peerId) => addresses.get(peerId) ?? null);
  return { route_policy_id: row.id, direction: row.direction, statements };
}

export async function routingFacts(context: ActionContext, networkId: string): Promise<RoutingFacts> {
  const { trx, accountId } = context;
  const rows = await trx
    .selectFrom('route_policies')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('network_id', '=', networkId)
    .orderBy('id')
    .execute();
  const peers = await trx
    .selectFrom('peers')
    .select(['id', 'host_address', 'routing_daemon_missing'])
    .where('account_id', '=', accountId)
    .where('network_id', '=', networkId)
    .execute();
  const addresses = new Map(peers.map((peer) => [peer.id, peer.host_address]));
  const withoutBgp = new Set(
    peers.filter((peer) => peer.routing_daemon_missing).map((peer) => peer.host_address),
  );
  const { routing_mode: mode } = await networkRow(context, networkId);
  const lost = (address: string) => (mode === 'ibgp' && withoutBgp.has(address) ? { withdrawn: noBgpd } : {});
  const announced = await trx
    .selectFrom('subnet_advertisements')
    .select(['prefix', 'peer_id', 'preference'])
    .where('account_id', '=', accountId)
    .where('network_id', '=', networkId)
    .where('withdrawn_at', 'is', null)
    .orderBy('id')
    .execute();
  return {
    asNumber: await accountAsNumber(trx, accountId),
    rows,
    addresses,
    withoutBgp: mode === 'ibgp' ? withoutBgp : new Set<string>(),
    peers: new Set(addresses.values()),
    policies: rows.map((row) => policyOf(row, addresses)),
    subnets: [
      ...subnetsOf(
        announced.flatMap(({ prefix, preference, peer_id: peerId }) => {
          const address = addresses.get(peerId);
          return address === undefined ? [] : [{ prefix, preference, next_hop: address, ...lost(address) }];
        }),
      ),
      ...(await anycastSubnets(context, networkId, addresses)).map((subnet) => ({
        ...subnet,
        announcers: subnet.announcers.map((one) => ({ ...lost(one.next_hop), ...one })),
      })),
    ],
  };
}

/** The id of a peer by its address. */
export function peersByAddress({ addresses }: Pick<RoutingFacts, 'addresses'>): ReadonlyMap<string, string> {
  return new Map(Array.from(addresses, ([id, address]) => [address, id]));
}

/** Without the words of the holder's agent, which are not the platform's own. */
const unhealthy =
  'Its holder does not announce it, because its health check fails (system_sdwan_get_virtual_ip says why).';

/** Why a peer without FRR is no path of BGP. */
export const noBgpd =
  'Its peer has no FRR, so it is no path of BGP: other peers have a static route to it, by its preference.';

/** Anycast addresses with their holders. */
async function anycastSubnets(
  context: ActionContext,
  networkId: string,
  addresses: ReadonlyMap<string, string>,
): Promise<Subnet[]> {
  const rows = await context.trx
    .selectFrom('virtual_ips')
    .select(['id', 'address', 'ipv4_address', 'primary_holder_peer_id', 'failover_holder_peer_ids'])
    .where('account_id', '=', context.accountId)
    .where('network_id', '=', networkId)
    .where('anycast', '=', true)
    .orderBy('id')
    .execute();
  if (rows.length === 0) return [];
  const failing = await failingHolders(context, networkId);
  return rows.flatMap((row) => {
    const announcers = candidateIds(row).flatMap((peerId) => {
      const address = addresses.get(peerId);
      if (address === undefined) return [];
      const failure = failing.find((one) => one.virtualIpId === row.id && one.peerId === peerId);
      const preference = localPreferenceDefault;
      return [{ next_hop: address, preference, ...(failure === undefined ? {} : { withdrawn: unhealthy }) }];
    });
    return [row.address, row.ipv4_address].flatMap((one) =>
      one === null ? [] : [{ prefix: withLength(one), announcers, virtualIpId: row.id }],
    );
  });
}

/** By the member of a statement that names what is not there any more. */
const danglingDetails: Readonly<Record<string, string>> = {
  'match.peer': 'The peer that it matches is no longer in the network, so it matches nothing.',
  'set.next_hop':
    'The next hop that it sets is the address of no peer in the network any more, so no path that it permits can be used.',
  'set.prepend': 'It prepends the AS number of the account, so every peer takes the path for a loop.',
};

function placeOf({ object }: Pick<PolicyFinding, 'object'>): string {
  return `${object.id} ${object.seq}`;
}

/** What an audit finds; statements of peers that are gone are part of no policy, and found here. */
export function findingsOf(facts: RoutingFacts): PolicyFinding[] {
  const known = { as_number: facts.asNumber, peers: facts.addresses };
  const dangling = facts.rows.flatMap(({ id, statements }) =>
    statements.flatMap((statement): PolicyFinding[] => {
      const [fault] = referenceFaults([statement], known);
      if (fault === undefined) return [];
      const object = { type: 'route_policy', id, seq: statement.seq } as const;
      const member = fault.path.slice('statements.0.'.length);
      const detail = danglingDetails[member] ?? `${member} ${fault.message}.`;
      return [{ kind: 'dead', severity: 'warning', object, by: null, detail }];
    }),
  );
  const found = new Set(dangling.map(placeOf));
  // One that nothing can come of is found once.
  const others = auditPolicies(facts).filter((one) => one.kind !== 'dead' || !found.has(placeOf(one)));
  return [...dangling, ...others];
}
