// The names of what sides of rules mean, and whether that is still there.
import type { Selector } from '@powernode/core/compile/model';
import { sql } from 'kysely';
import type { ActionContext } from '../../context.ts';
import type { RuleRow } from './model.ts';

export interface Label {
  readonly label: string;
  /** false: it names nobody. */
  readonly resolves: boolean;
}

type Sides = Pick<RuleRow, 'network_id' | 'selector' | 'destination'>;

/** Looks up everything that these rules name, in a few queries. */
export async function labelsOf(context: ActionContext, rows: readonly Sides[]): Promise<Labels> {
  const sides = rows.flatMap((row) => [row.selector, row.destination]);
  const names = new Map<string, string>();
  for (const noun of context.services.nouns) {
    const ids = idsOf(sides, noun.kind);
    if (ids.length === 0 || noun.names === undefined) continue;
    for (const [id, name] of await noun.names(context, ids)) names.set(id, name);
  }
  return new Labels(names, await tagsInUse(context, rows));
}

export class Labels {
  readonly #names: ReadonlyMap<string, string>;
  readonly #tags: ReadonlySet<string>;

  constructor(names: ReadonlyMap<string, string>, tags: ReadonlySet<string>) {
    this.#names = names;
    this.#tags = tags;
  }

  of(side: Selector, networkId: string): Label {
    switch (side.kind) {
      case 'all':
        return { label: 'all', resolves: true };
      case 'cidr':
        return { label: side.cidr, resolves: true };
      case 'tag':
        return { label: side.tag, resolves: this.#tags.has(`${networkId} ${side.tag}`) };
      default: {
        const name = this.#names.get(side.id);
        return {
          label: name ?? `${side.kind.replace('_', ' ')} that was deleted`,
          resolves: name !== undefined,
        };
      }
    }
  }
}

function idsOf(sides: readonly Selector[], kind: string): string[] {
  return [...new Set(sides.flatMap((side) => (side.kind === kind && 'id' in side ? side.id : [])))];
}

/** Those of the named tags that a peer or a device of the rule's network has, as `network tag`. */
async function tagsInUse(context: ActionContext, rows: readonly Sides[]): Promise<Set<string>> {
  const named = new Map<string, { network_id: string; tag: string }>();
  for (const { network_id, selector, destination } of rows) {
    for (const side of [selector, destination]) {
      if (side.kind === 'tag') named.set(`${network_id} ${side.tag}`, { network_id, tag: side.tag });
    }
  }
  if (named.size === 0) return new Set();
  const { rows: used } = await sql<{ network_id: string; tag: string }>`
    select v.network_id, v.tag
    from jsonb_to_recordset(${JSON.stringify([...named.values()])}::jsonb) as v(network_id uuid, tag text)
    where exists (
      select from peers p
      where p.account_id = ${context.accountId} and p.network_id = v.network_id and p.tags ? v.tag
    ) or exists (
      select from user_devices d
      where d.account_id = ${context.accountId} and d.network_id = v.network_id
        and d.revoked_at is null and d.tags ? v.tag
    )
  `.execute(context.trx);
  return new Set(used.map((row) => `${row.network_id} ${row.tag}`));
}
