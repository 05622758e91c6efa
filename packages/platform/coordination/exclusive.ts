// Work that only one process at a time may do: the name is locked by a session of the database for as long as it lasts, and
// free again at the very moment when that process dies. Also where a process that was paused still takes itself for the
// leader.
import { sql } from 'kysely';
import type { Store } from '../store/open-store.ts';

/** "pwjb" in ASCII, the same for ever. Beside it stands the name. */
const lockClass = 0x70776a62;

/** False: another process holds the lock of that name, and nothing was run. */
export function exclusively(
  store: Pick<Store, 'db'>,
  name: string,
  work: () => Promise<void>,
): Promise<boolean> {
  return store.db.connection().execute(async (db) => {
    const { rows } = await sql<{ isHeld: boolean }>`
      select pg_try_advisory_lock(${lockClass}::int, hashtext(${name})) as "isHeld"
    `.execute(db);
    if (rows[0]?.isHeld !== true) return false;
    try {
      await work();
      return true;
    } finally {
      // Should the session be broken, the lock went with it.
      await sql`select pg_advisory_unlock(${lockClass}::int, hashtext(${name}))`
        .execute(db)
        .catch(() => undefined);
    }
  });
}
