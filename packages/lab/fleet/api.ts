// The operators' HTTP API of a lab's platform, called as any script would.
import { CallError } from '@powernode/client/call-error';
import { PlatformClient } from '@powernode/client/platform-client';
import {
  type ActionDefinition,
  type OutputOf,
  outputOf,
  type ParametersOf,
} from '@powernode/core/actions/define';
import { ProductError } from '@powernode/core/errors';
import { labStepMs } from '@powernode/core/limits/lab';
import { z } from 'zod';
import { adminToken, operatorUrl, type PlatformPlace } from './platform.ts';

/** Answers with what the action promises; `object` takes it out of an answer that may also be a plan. */
export type Call = <A extends ActionDefinition>(
  action: A,
  parameters: ParametersOf<A>,
) => Promise<OutputOf<A>>;

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
  const client = new PlatformClient({
    url: operatorUrl(place),
    token: () => token,
    fetch,
    // A connection that is kept may be closed by the other side just as a request goes out on it, which happens when the
    // machine is starved for longer than the two differ about.
    headers: { connection: 'close' },
    timeoutMs: labStepMs,
  });
  return async <A extends ActionDefinition>(action: A, parameters: ParametersOf<A>): Promise<OutputOf<A>> => {
    const { status, body } = await client.call(action.name, parameters).catch((error: unknown) => {
      throw error instanceof CallError && !error.unreachable ? refused(action.name, error) : error;
    });
    if (status === 202) {
      throw new RefusedError('pending', `${action.name} waits for an approval; a lab does not decide those`);
    }
    const checked = z.looseObject(outputOf(action).shape).safeParse(body);
    if (checked.success) return checked.data as OutputOf<A>;
    throw new ProductError(
      'protocol_mismatch',
      `${action.name} answered something else than it promises: ${z.prettifyError(checked.error)}`,
    );
  };
}

function refused(action: string, error: CallError): RefusedError {
  const fields = error.fields.map((field) => `; ${field.path}: ${field.message}`).join('');
  return new RefusedError(error.code, `${action}: ${error.detail}${fields}`);
}
