// The operators' HTTP API of a lab's platform, called as any script would: POST /api/v1/actions/<action>.
import {
  type ActionDefinition,
  type OutputOf,
  outputOf,
  type ParametersOf,
} from '@powernode/core/actions/define';
import { ProductError } from '@powernode/core/errors';
import { labStepMs } from '@powernode/core/limits';
import { z } from 'zod';
import { adminToken, operatorUrl, type PlatformPlace } from './platform.ts';

/** Answers with what the action promises; `object` takes it out of an answer that may also be a plan. */
export type Call = <A extends ActionDefinition>(
  action: A,
  parameters: ParametersOf<A>,
) => Promise<OutputOf<A>>;

const problem = z.looseObject({
  detail: z.string(),
  code: z.string(),
  errors: z.array(z.looseObject({ path: z.string(), message: z.string() })).optional(),
});

/** An answer that says no. `code` is the product's, so that a caller can tell a passing state from a mistake. */
export class RefusedError extends ProductError {
  readonly refusal: string;
  constructor(refusal: string, detail: string) {
    super('command_failed', detail);
    this.name = 'RefusedError';
    this.refusal = refusal;
  }
}

export async function connect(place: PlatformPlace): Promise<Call> {
  const token = await adminToken(place);
  return async <A extends ActionDefinition>(action: A, parameters: ParametersOf<A>): Promise<OutputOf<A>> => {
    const answer = await post(
      { url: `${operatorUrl(place)}/api/v1/actions/${action.name}`, token },
      parameters,
    );
    if (answer.status === 200 || answer.status === 201) {
      const checked = z.looseObject(outputOf(action).shape).safeParse(answer.body);
      if (checked.success) return checked.data as OutputOf<A>;
      throw new ProductError(
        'protocol_mismatch',
        `${action.name} answered something else than it promises: ${z.prettifyError(checked.error)}`,
      );
    }
    throw refused(action.name, answer);
  };
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

async function post(to: { url: string; token: string }, parameters: unknown): Promise<Answer> {
  const response = await fetch(to.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${to.token}`,
      // A connection that is kept may be closed by the other side just as a request goes out on it, which happens
      // when the machine is starved for longer than the two differ about.
      connection: 'close',
    },
    body: JSON.stringify(parameters),
    signal: AbortSignal.timeout(labStepMs),
  }).catch((cause: unknown) => {
    throw new ProductError('platform_unreachable', `the platform at ${to.url} does not answer`, { cause });
  });
  const text = await response.text();
  try {
    return { status: response.status, body: JSON.parse(text) };
  } catch {
    return { status: response.status, body: { code: 'internal', detail: text.slice(0, 500) } };
  }
}

function refused(action: string, answer: Answer): RefusedError {
  if (answer.status === 202) {
    return new RefusedError('pending', `${action} waits for an approval; a lab does not decide those`);
  }
  const known = problem.safeParse(answer.body);
  if (!known.success)
    return new RefusedError('internal', `${action} was answered with status ${answer.status}`);
  const fields = (known.data.errors ?? []).map((field) => `; ${field.path}: ${field.message}`).join('');
  return new RefusedError(known.data.code, `${action}: ${known.data.detail}${fields}`);
}
