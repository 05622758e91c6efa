// What depends on an object that goes, and what becomes of it: notes of the plan, one sentence each, so that nobody
// learns of it from what has stopped working.
import type { Selector } from '@powernode/core/compile/model';
import { addressQuarantineMs } from '@powernode/core/limits';
import type { ActionContext } from '../context.ts';
import type { PeerRow } from './rows.ts';
import { candidateIds, type VirtualIpRow } from './virtual-ips/model.ts';

export interface Going {
  readonly peers?: readonly PeerRow[];
  readonly virtualIps?: readonly Pick<VirtualIpRow, 'id' | 'name' | 'network_id'>[];
  readonly devices?: readonly { readonly id: string; readonly name: string; readonly network_id: string }[];
  /** false: it is the same again when it comes back in time. */
  readonly isForGood: boolean;
}

interface Gone {
  readonly id: string;
  readonly name: string;
  readonly networkId: string;
  readonly kind: 'peer' | 'virtual_ip' | 'user_device';
}

const days = addressQuarantineMs / (24 * 60 * 60 * 1000);

export async function noteDependents(context: ActionContext, going: Going): Promise<void> {
  const gone = await named(context, going);
  if (gone.length === 0) return;
  const networks = [...new Set(gone.map((one) => one.networkId))];
  const byId = new Map(gone.map((one) => [one.id, one]));
  const back = going.isForGood ? '' : ` until it is back, within ${days} days`;
  await noteRules(context, { networks, byId, back });
  await noteVirtualIps(context, { networks, byId });
  await noteMappings(context, { networks, byId, back });
  await noteDevices(context, { networks, byId });
}

/** A network takes with it all that is in it. */
export async function noteContents(context: ActionContext, networkId: string): Promise<void> {
  for (const { inNetwork } of context.services.nouns) {
    if (inNetwork === undefined) continue;
    const { called, ending = '' } = inNetwork;
    const count = await inNetwork.count(context, networkId);
    if (count === 0) continue;
    const objects = count === 1 ? `One ${called} goes` : `${count} ${called}s go`;
    context.note('dependent', `${objects} with the network${ending}.`);
  }
}

async function named(context: ActionContext, going: Going): Promise<Gone[]> {
  const peers = going.peers ?? [];
  const machines =
    peers.length === 0
      ? []
      : await context.trx
          .selectFrom('instances')
          .select(['id', 'hostname'])
          .where('account_id', '=', context.accountId)
          .where(
            'id',
            'in',
            peers.map((peer) => peer.instance_id),
          )
          .execute();
  const hostnames = new Map(machines.map((machine) => [machine.id, machine.hostname]));
  return [
    ...peers.map((peer) => ({
      id: peer.id,
      name: hostnames.get(peer.instance_id) ?? peer.id,
      networkId: peer.network_id,
      kind: 'peer' as const,
    })),
    ...(going.virtualIps ?? []).map(({ id, name, network_id }) => ({
      id,
      name,
      networkId: network_id,
      kind: 'virtual_ip' as const,
    })),
    ...(going.devices ?? []).map(({ id, name, network_id }) => ({
      id,
      name,
      networkId: network_id,
      kind: 'user_device' as const,
    })),
  ];
}

interface Looking {
  readonly networks: readonly string[];
  readonly byId: ReadonlyMap<string, Gone>;
}

async function noteRules(context: ActionContext, of: Looking & { readonly back: string }): Promise<void> {
  const rules = await context.trx
    .selectFrom('firewall_rules')
    .select(['id', 'name', 'action', 'selector', 'destination', 'enabled'])
    .where('account_id', '=', context.accountId)
    .where('network_id', 'in', [...of.networks])
    .orderBy('id')
    .execute();
  for (const rule of rules) {
    const side = [rule.selector, rule.destination].map((one) => goneSide(one, of.byId)).find(Boolean);
    if (side === undefined || side === null || !rule.enabled) continue;
    const name =
      rule.name === null ? `The ${rule.action} rule ${rule.id}` : `The ${rule.action} rule "${rule.name}"`;
    context.note('dependent', `${name} names ${side.name}: it matches nothing${of.back}.`);
  }
}

function goneSide(side: Selector, byId: Looking['byId']): Gone | null {
  return 'id' in side ? (byId.get(side.id) ?? null) : null;
}

async function noteVirtualIps(context: ActionContext, of: Looking): Promise<void> {
  const rows: VirtualIpRow[] = await context.trx
    .selectFrom('virtual_ips')
    .selectAll()
    .where('account_id', '=', context.accountId)
    .where('network_id', 'in', [...of.networks])
    .orderBy('id')
    .execute();
  for (const row of rows) {
    const candidates = candidateIds(row);
    const leaving = candidates.flatMap((id) => of.byId.get(id) ?? []);
    const [first] = leaving;
    if (first === undefined) continue;
    const left = candidates.length - leaving.length;
    const holds = row.current_holder_peer_id !== null && of.byId.has(row.current_holder_peer_id);
    const then =
      left === 0 ? 'no candidate is left' : `${left} other candidate${left === 1 ? '' : 's'} can hold it`;
    const what = holds ? 'is taken from' : 'loses the candidate';
    context.note(
      'dependent',
      `The virtual IP "${row.name}" (${row.address}) ${what} ${first.name}; ${then}.`,
    );
  }
}

async function noteMappings(context: ActionContext, of: Looking & { readonly back: string }): Promise<void> {
  const rows = await context.trx
    .selectFrom('port_mappings')
    .selectAll()
    .where('account_id', '=', context.accountId)
    .where('network_id', 'in', [...of.networks])
    .orderBy('id')
    .execute();
  for (const row of rows) {
    const door = `The port mapping ${row.external_address} ${row.protocol} ${row.external_port}`;
    const hub = of.byId.get(row.hub_peer_id);
    const target = [row.internal_peer_id, row.internal_virtual_ip_id].flatMap((id) =>
      id === null ? [] : (of.byId.get(id) ?? []),
    )[0];
    if (hub !== undefined) context.note('dependent', `${door} is at ${hub.name}: it is closed${of.back}.`);
    else if (target !== undefined) {
      context.note('dependent', `${door} targets ${target.name}: it loses its target${of.back}.`);
    }
  }
}

async function noteDevices(context: ActionContext, of: Looking): Promise<void> {
  const rows = await context.trx
    .selectFrom('user_devices')
    .select(['name', 'hub_peer_id'])
    .where('account_id', '=', context.accountId)
    .where('network_id', 'in', [...of.networks])
    .where('revoked_at', 'is', null)
    .orderBy('id')
    .execute();
  for (const row of rows) {
    const hub = of.byId.get(row.hub_peer_id);
    if (hub === undefined) continue;
    context.note(
      'dependent',
      `The device "${row.name}" calls ${hub.name}: it is disconnected and has to be reissued.`,
    );
  }
}
