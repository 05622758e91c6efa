// Which prefixes a peer may be in front of.
import { ProductError } from '@powernode/core/errors';
import type { LanSubnet } from '@powernode/core/intent/subnet';
import { formatPrefix, overlaps, type Prefix, parsePrefix } from '@powernode/core/net/prefix';
import { subnetRefusal } from '@powernode/core/net/special-addresses';
import { takenBySubnet } from '@powernode/core/net/underlay';
import type { ActionContext } from '../../context.ts';
import { underlaysOf } from '../networks/underlay.ts';
import type { PeerRow } from '../rows.ts';

interface Fault {
  readonly path: string;
  readonly code: string;
  readonly message: string;
}

/** Refuses a list with every fault of it, before anything is written. */
export async function refuseUnfitSubnets(
  context: ActionContext,
  peer: PeerRow,
  subnets: readonly LanSubnet[],
): Promise<void> {
  const faults = subnets.flatMap((one, i) => faultsOfForm(one, `subnets.${i}`));
  faults.push(...repeated(subnets));
  if (faults.length > 0) throw refusal('validation_failed', faults);
  const blocks = await blocksOfAccount(context);
  const machines = await underlaysOf(context.trx, {
    accountId: context.accountId,
    networkId: peer.network_id,
  });
  const others = machines.filter(({ instanceId }) => instanceId !== peer.instance_id);
  for (const [i, { prefix: text, local_prefix: localText }] of subnets.entries()) {
    const path = `subnets.${i}.prefix`;
    const prefix = read(text);
    const local = localText === undefined ? null : read(localText);
    const pods = local === null ? undefined : blocks.find((one) => one.isPods && overlaps(one.prefix, local));
    if (pods !== undefined) {
      const message = `${localText} overlaps ${pods.what}`;
      faults.push({ path: `subnets.${i}.local_prefix`, code: 'overlap', message });
    }
    const block = blocks.find((one) => overlaps(one.prefix, prefix));
    if (block !== undefined) {
      faults.push({ path, code: 'overlap', message: `${text} overlaps ${block.what}` });
      continue;
    }
    for (const machine of others) {
      const taken = takenBySubnet(prefix, machine);
      if (taken === null) continue;
      const message = `${text} covers ${taken.at}, ${taken.what} of the instance "${machine.hostname}", which would lose it`;
      faults.push({ path, code: 'covers_underlay', message });
      break;
    }
  }
  if (faults.length > 0) throw refusal('conflict', faults);
}

function faultsOfForm({ prefix: text, local_prefix: localText }: LanSubnet, path: string): Fault[] {
  const prefix = read(text);
  const refused = subnetRefusal(prefix);
  if (refused !== null) {
    return [{ path: `${path}.prefix`, code: 'not_routable', message: `${text} is ${refused}` }];
  }
  if (localText === undefined) return [];
  const local = read(localText);
  const localRefused = subnetRefusal(local);
  if (localRefused !== null) {
    const message = `${localText} is ${localRefused}`;
    return [{ path: `${path}.local_prefix`, code: 'not_routable', message }];
  }
  if (local.family === prefix.family && local.length === prefix.length) return [];
  const message = `${localText} is not of the same family and length as ${text}: each address of one stands for one of the other`;
  return [{ path: `${path}.local_prefix`, code: 'other_size', message }];
}

function repeated(subnets: readonly LanSubnet[]): Fault[] {
  const faults: Fault[] = [];
  for (const [i, one] of subnets.entries()) {
    const local = read(one.local_prefix ?? one.prefix);
    for (const [j, other] of subnets.slice(0, i).entries()) {
      if (other.prefix === one.prefix) {
        const message = `${one.prefix} is in the list twice (subnets.${j})`;
        faults.push({ path: `subnets.${i}.prefix`, code: 'repeated', message });
      } else if (overlaps(read(other.local_prefix ?? other.prefix), local) && isMapped(one, other)) {
        const message = `${formatPrefix(local)} overlaps the local prefix of subnets.${j}: an address would stand for two`;
        faults.push({ path: `subnets.${i}.local_prefix`, code: 'overlap', message });
      } else if (overlaps(read(other.prefix), read(one.prefix)) && isMapped(one, other)) {
        const message = `${one.prefix} overlaps subnets.${j}: an address of both would stand for two of the LANs`;
        faults.push({ path: `subnets.${i}.prefix`, code: 'overlap', message });
      }
    }
  }
  return faults;
}

function isMapped(...subnets: readonly LanSubnet[]): boolean {
  return subnets.some((one) => one.local_prefix !== undefined && one.local_prefix !== one.prefix);
}

async function blocksOfAccount(
  context: ActionContext,
): Promise<{ readonly prefix: Prefix; readonly what: string; readonly isPods: boolean }[]> {
  const rows = await context.trx
    .selectFrom('networks')
    .select(['name', 'prefix', 'ipv4_prefix', 'pod_subnet_prefix'])
    .where('account_id', '=', context.accountId)
    .orderBy('id')
    .execute();
  return rows.flatMap((row) =>
    (['prefix', 'ipv4_prefix', 'pod_subnet_prefix'] as const).flatMap((column) => {
      const text = row[column];
      if (text === null) return [];
      const what = `${text}, the ${column} of network "${row.name}"`;
      return [{ prefix: read(text), what, isPods: column === 'pod_subnet_prefix' }];
    }),
  );
}

function read(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (prefix === null) throw new Error(`the prefix "${text}" cannot be read`);
  return prefix;
}

function refusal(code: 'validation_failed' | 'conflict', fields: readonly Fault[]): ProductError {
  const [first] = fields;
  return new ProductError(code, `${first?.path}: ${first?.message}. Give another prefix, or leave it out.`, {
    fields: [...fields],
  });
}
