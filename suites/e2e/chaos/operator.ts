// An operator who does not give up: every change carries an Idempotency-Key and is sent again, with the same key,
// until the platform has either acknowledged or refused it, whoever is dead meanwhile.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import {
  type ActionDefinition,
  type OutputOf,
  outputOf,
  type ParametersOf,
} from '@powernode/core/actions/define';
import { pageSizeMax } from '@powernode/core/limits/requests';

export type Outcome<A extends ActionDefinition> =
  | { readonly kind: 'acknowledged'; readonly answer: OutputOf<A> }
  | { readonly kind: 'refused'; readonly code: string; readonly detail: string };

/** What a change that collides with another one may be told. Anything else is a mistake, here or in the platform. */
const refusals: ReadonlySet<string> = new Set([
  'not_found',
  'conflict',
  'already_exists',
  'revision_conflict',
  'no_unused_key',
]);

/** Between two tries while nobody answers. */
const againMs = 50;
/** One try: longer than the platform waits for its database, which it then says. */
const answerMs = 30_000;

interface Reply {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

export class Operator {
  readonly #url: string;
  readonly #token: string;
  readonly tries = { lost: 0, unavailable: 0, limited: 0 };
  readonly refused = new Map<string, number>();
  #givenUp = false;

  constructor(at: { readonly url: string; readonly token: string }) {
    this.#url = at.url;
    this.#token = at.token;
  }

  /** Nobody will answer any more: what waits for an answer fails. */
  giveUp(): void {
    this.#givenUp = true;
  }

  /** Returns when the platform has decided. */
  async change<A extends ActionDefinition>(action: A, parameters: ParametersOf<A>): Promise<Outcome<A>> {
    const reply = await this.#insist(action.name, parameters, randomUUID());
    if (reply.status === 200 || reply.status === 201) {
      return { kind: 'acknowledged', answer: parsed(action, reply.body) };
    }
    const [code, detail] = [String(reply.body['code']), String(reply.body['detail'])];
    if (!refusals.has(code))
      throw new Error(`${action.name} was answered ${reply.status} ${code}: ${detail}`);
    this.refused.set(code, (this.refused.get(code) ?? 0) + 1);
    return { kind: 'refused', code, detail };
  }

  async read<A extends ActionDefinition>(action: A, parameters: ParametersOf<A>): Promise<OutputOf<A>> {
    const reply = await this.#insist(action.name, parameters, null);
    if (reply.status === 200) return parsed(action, reply.body);
    throw new Error(`${action.name} was answered ${reply.status}: ${JSON.stringify(reply.body)}`);
  }

  /** All rows of a list, page after page. */
  async readAll<A extends ActionDefinition, T>(action: A, rowsOf: (page: OutputOf<A>) => T[]): Promise<T[]> {
    const rows: T[] = [];
    for (let at = {}; ; ) {
      const reply = await this.#insist(action.name, { limit: pageSizeMax, ...at }, null);
      if (reply.status !== 200) throw new Error(`${action.name} was answered ${JSON.stringify(reply)}`);
      rows.push(...rowsOf(parsed(action, reply.body)));
      const cursor = reply.body['next_cursor'];
      if (cursor === null) return rows;
      at = { cursor };
    }
  }

  async #insist(action: string, parameters: unknown, key: string | null): Promise<Reply> {
    for (;;) {
      if (this.#givenUp) throw new Error(`${action} was given up`);
      const reply = await this.#send(action, parameters, key);
      if (reply === null) this.tries.lost++;
      else if (reply.status === 503) this.tries.unavailable++;
      else if (reply.status === 429) this.tries.limited++;
      else return reply;
      await pause(againMs);
    }
  }

  /** null: no answer, or only a part of one. */
  async #send(action: string, parameters: unknown, key: string | null): Promise<Reply | null> {
    const headers = {
      'content-type': 'application/json',
      authorization: `Bearer ${this.#token}`,
      ...(key === null ? {} : { 'idempotency-key': key }),
    };
    try {
      const response = await fetch(`${this.#url}/api/v1/actions/${action}`, {
        method: 'POST',
        headers,
        body: JSON.stringify(parameters),
        signal: AbortSignal.timeout(answerMs),
      });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    } catch {
      return null;
    }
  }
}

function parsed<A extends ActionDefinition>(action: A, body: Record<string, unknown>): OutputOf<A> {
  return outputOf(action).parse(body) as OutputOf<A>;
}
