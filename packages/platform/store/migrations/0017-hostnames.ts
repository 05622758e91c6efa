// Machines that joined before names were checked: their names become hostnames, and what they were called before is in
// no row that a surface shows. A text that a machine has chosen is read by people and by models.
import { canonicalAddress } from '@powernode/core/net/address';
import { asHostname, isHostname, numberedHostname } from '@powernode/core/net/hostname';
import { type Kysely, sql } from 'kysely';
import type { Migration } from '../migrate.ts';

export const hostnames: Migration = {
  number: 17,
  name: 'hostnames',
  sql: '',
  run: async (db) => {
    const { rows } = await sql<Machine>`select id, account_id, hostname from instances order by id`.execute(
      db,
    );
    const taken = new Set(rows.map((one) => keyOf(one, one.hostname)));
    const former: Renamed[] = [];
    for (const machine of rows) {
      if (isHostname(machine.hostname)) continue;
      const hostname = freeName(machine, taken);
      taken.add(keyOf(machine, hostname));
      former.push({ accountId: machine.account_id, from: machine.hostname, to: hostname });
      await sql`update instances set hostname = ${hostname}, updated_at = now(), revision = revision + 1 where id = ${machine.id}`.execute(
        db,
      );
    }
    former.push(...(await renameHints(db)));
    // The longest first: one may be a part of another.
    for (const renamed of former.sort((a, b) => b.from.length - a.from.length)) await forget(db, renamed);
  },
};

interface Machine {
  readonly id: string;
  readonly account_id: string;
  readonly hostname: string;
}

interface Renamed {
  readonly accountId: string;
  readonly from: string;
  readonly to: string;
}

function keyOf({ account_id }: Machine, hostname: string): string {
  return `${account_id} ${hostname.toLowerCase()}`;
}

function freeName(machine: Machine, taken: ReadonlySet<string>): string {
  const name = asHostname(machine.hostname);
  if (!taken.has(keyOf(machine, name))) return name;
  for (let number = 2; ; number++) {
    const numbered = numberedHostname(name, number);
    if (!taken.has(keyOf(machine, numbered))) return numbered;
  }
}

/** What join tokens call machines that are to come. */
async function renameHints(db: Kysely<unknown>): Promise<Renamed[]> {
  const { rows } = await sql<{ id: string; account_id: string; name_hint: string }>`
    select id, account_id, name_hint from join_tokens where name_hint is not null
  `.execute(db);
  const odd = rows.filter(({ name_hint: hint }) => !isHostname(hint));
  for (const { id, name_hint: hint } of odd) {
    await sql`update join_tokens set name_hint = ${asHostname(hint)} where id = ${id}`.execute(db);
  }
  return odd.map((one) => ({
    accountId: one.account_id,
    from: one.name_hint,
    to: asHostname(one.name_hint),
  }));
}

/** Columns that sentences about machines, or their names, are copied to. */
const copies = {
  json: [
    ['events', 'actor'],
    ['events', 'payload'],
    ['approvals', 'input'],
    ['approvals', 'plan'],
    ['approvals', 'result'],
    ['approvals', 'error'],
    ['virtual_ips', 'transition'],
  ],
  text: [
    ['approvals', 'summary'],
    ['peers', 'ipv4_refused'],
    ['peers', 'role_because'],
    ['virtual_ips', 'state_detail'],
    ['virtual_ip_transitions', 'actor'],
    ['virtual_ip_transitions', 'detail'],
  ],
} as const;

/** Shorter texts may be a part of something else by chance, and hold no instructions. */
const sentenceLengthMin = 12;

async function forget(db: Kysely<unknown>, { accountId, from, to }: Renamed): Promise<void> {
  const isSentence = from.length >= sentenceLengthMin && canonicalAddress(from) === null;
  const [before, after] = [JSON.stringify(from), JSON.stringify(to)];
  for (const [table, column] of copies.json) {
    // Inside of a longer string a name stands without its quotes; a value of its own has them.
    const [old, now] = isSentence ? [before.slice(1, -1), after.slice(1, -1)] : [`: ${before}`, `: ${after}`];
    const text = sql`${sql.ref(column)}::text`;
    await sql`
      update ${sql.table(table)} set ${sql.ref(column)} = replace(${text}, ${old}, ${now})::jsonb
      where account_id = ${accountId} and position(${old} in ${text}) > 0
    `.execute(db);
  }
  for (const [table, column] of copies.text) {
    const field = sql.ref(column);
    const isIn = isSentence ? sql`position(${from} in ${field}) > 0` : sql`${field} = ${from}`;
    await sql`
      update ${sql.table(table)} set ${field} = replace(${field}, ${from}, ${to})
      where account_id = ${accountId} and ${isIn}
    `.execute(db);
  }
}
