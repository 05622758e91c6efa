// The sides of a rule, from what a caller gave to what is stored: every object that is named is one of the rule's own
// network.
import type { Selector } from '@powernode/core/compile/model';
import { ProductError } from '@powernode/core/errors';
import type { SelectorInput } from '@powernode/core/intent/firewall';
import { familyOf } from '@powernode/core/net/address';
import type { ActionContext } from '../../context.ts';

/** Where an object is named: a parameter of the call. */
export type SideName = 'selector' | 'source' | 'destination';

/** Refuses what is not there, or in another network; another account's objects are not there. */
export async function readSelector(
  context: ActionContext,
  given: SelectorInput,
  at: { readonly networkId: string; readonly side: SideName },
): Promise<Selector> {
  switch (given.kind) {
    case 'all':
      return { kind: 'all' };
    case 'tag':
      return { kind: 'tag', tag: needed(given.tag) };
    case 'cidr':
      return { kind: 'cidr', cidr: needed(given.cidr) };
    case 'peer':
    case 'user_device':
    case 'virtual_ip':
    case 'federation_peer': {
      const id = needed(given[`${given.kind}_id`]);
      await requireObject(context, { ...at, kind: given.kind, id });
      return { kind: given.kind, id };
    }
  }
}

/** The schema demands the member that belongs to the kind. */
function needed(value: string | undefined): string {
  if (value === undefined) throw new Error('a selector without its member has passed its schema');
  return value;
}

interface Wanted {
  readonly networkId: string;
  readonly side: SideName;
  readonly kind: keyof typeof tables | 'federation_peer';
  readonly id: string;
}

const tables = { peer: 'peers', user_device: 'user_devices', virtual_ip: 'virtual_ips' } as const;
const nouns = {
  peer: 'peer',
  user_device: 'user device',
  virtual_ip: 'virtual IP',
  federation_peer: 'federation peer',
} as const;

/** Refuses an object that is not there or in another network. */
export async function requireObject(context: ActionContext, wanted: Wanted): Promise<void> {
  const { networkId, side, kind, id } = wanted;
  const path = `${side}.${kind}_id`;
  // Partners are joined by federation, and there is none yet.
  const found = kind === 'federation_peer' ? null : await networkOf(context, { table: tables[kind], id });
  if (found === null) {
    const message = `there is no ${nouns[kind]} ${id}`;
    throw new ProductError('not_found', `${path}: ${message}. List the existing ones first.`, {
      fields: [{ path, code: 'not_found', message }],
    });
  }
  if (found === networkId) return;
  const message = `the ${nouns[kind]} is in another network`;
  throw new ProductError('validation_failed', `${path}: ${message}. Choose one in this network.`, {
    fields: [{ path, code: 'other_network', message }],
  });
}

async function networkOf(
  context: ActionContext,
  of: { readonly table: (typeof tables)[keyof typeof tables]; readonly id: string },
): Promise<string | null> {
  const row = await context.trx
    .selectFrom(of.table)
    .select('network_id')
    .where('id', '=', of.id)
    .where('account_id', '=', context.accountId)
    .executeTakeFirst();
  return row?.network_id ?? null;
}

/** No packet goes from one family to the other, so such a rule could never say anything. */
export function refuseTwoFamilies(sides: {
  readonly selector: Selector;
  readonly destination: Selector;
}): void {
  const { selector, destination } = sides;
  if (selector.kind !== 'cidr' || destination.kind !== 'cidr') return;
  if (familyOf(selector.cidr) === familyOf(destination.cidr)) return;
  const message = `no packet goes from ${selector.cidr} to ${destination.cidr}`;
  throw new ProductError(
    'validation_failed',
    `destination.cidr: ${message}. Create one rule per address family.`,
    {
      fields: [{ path: 'destination.cidr', code: 'other_family', message }],
    },
  );
}
