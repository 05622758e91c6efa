// Test support: stands for a platform in a process of its own. Opens the store of the directory it is given,
// writes rows one after the other, and prints each number once the database has acknowledged it.

import { sql } from 'kysely';
import { pino } from 'pino';
import { openStore } from '../open-store.ts';
import { inPlatform } from '../tenancy.ts';
import { ledger } from './ledger.fixture.ts';

const [dataDir = ''] = process.argv.slice(2);
const store = await openStore({
  dataDir,
  databaseUrl: null,
  log: pino({ level: 'silent' }),
  migrations: [ledger],
});
await store.announce('http://127.0.0.1:7070');
process.stdout.write('open\n');
for (let number = 1; ; number++) {
  await inPlatform(store, (trx) => sql`insert into ledger (number) values (${number})`.execute(trx));
  process.stdout.write(`${number}\n`);
}
