// A transaction of a process of the simulation on its database, over a connection that may be lost at any point.
import type { Database } from './database.ts';
import type { Member } from './world.ts';

export interface Connection {
  readonly process: Member;
  readonly db: Database;
  readonly mode: 'read' | 'read write';
}

/**
 * `prepare` runs under the account's lock (when it writes) and answers what the commit does, which is a while later; or
 * null for nothing. The answer may be lost when the commit is done, and the commit when the process ends or is cut off
 * before it.
 */
export function transaction<T>(
  { process, db, mode }: Connection,
  prepare: () => (() => T) | null,
): Promise<T> {
  const { world, life } = process;
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const answer = (run: () => void) => {
    world.promised();
    run();
  };
  const fail = (ms: number, error: unknown) => {
    process.after(ms, () => answer(() => reject(error)));
  };
  const isCut = () => world.isCut(process.name, db.name);
  const commit = (work: () => T, done: () => void) => {
    const isGone = life !== process.life || isCut();
    if (isGone && world.chance(0.5)) {
      done();
      return fail(200, new Error('the connection is lost'));
    }
    const value = work();
    done();
    if (isGone || world.chance(0.02)) return fail(300, new Error('the answer is lost'));
    process.after(world.random() * 8, () => {
      if (isCut()) fail(0, new Error('the answer is lost'));
      else answer(() => resolve(value));
    });
  };
  const begin = (done: () => void) => {
    if (life !== process.life) return done();
    try {
      const work = prepare();
      if (work === null) {
        done();
        return fail(world.random() * 8, new Error('there is nothing to do'));
      }
      if (mode === 'read') return commit(work, done);
      world.at(world.now + world.random() * 6, () => commit(work, done));
    } catch (error) {
      done();
      fail(world.random() * 8, error);
    }
  };
  process.after(world.random() * 8, () => {
    if (isCut()) return fail(200, new Error('the database is away'));
    if (mode === 'read') begin(() => undefined);
    else db.lock(begin);
  });
  return promise;
}
