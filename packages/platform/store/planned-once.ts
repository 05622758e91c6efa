// Statements that a session plans once. The planner takes 5 to 12 ms for one of ours that looks at many tables under their
// policies of tenancy, and running it takes one. The driver prepares a statement that has a name, and the server keeps
// its plan (PostgreSQL, PREPARE). A statement is named by a comment in its text, since queries are built elsewhere.
import { type RawBuilder, sql } from 'kysely';
import pg from 'pg';

const comment = /\/\* planned once: ([a-z][a-z_]*) \*\//;
/** A comment stands before everything that differs. */
const lookedAt = 80;

/**
 * To be put first in a statement, or in front of its columns (`modifyFront`). Its text has to be the same whenever it has
 * this name, so that lists are parameters (`= any(…)`), and there are as many names as places that use this.
 */
export function plannedOnce(name: string): RawBuilder<unknown> {
  if (!/^[a-z][a-z_]*$/.test(name)) throw new TypeError(`${JSON.stringify(name)} is no name of a statement`);
  return sql.raw(`/* planned once: ${name} */`);
}

/** A session in which such statements are prepared. */
export class PreparingClient extends pg.Client {
  constructor(config?: string | pg.ClientConfig) {
    super(config);
    const query = this.query.bind(this) as (...args: unknown[]) => unknown;
    const named = (text: unknown, ...rest: unknown[]): unknown => {
      const name = typeof text === 'string' ? comment.exec(text.slice(0, lookedAt))?.[1] : undefined;
      if (name === undefined) return query(text, ...rest);
      const [values, ...others] = rest;
      return query({ name, text, values }, ...others);
    };
    Object.assign(this, { query: named });
  }
}
