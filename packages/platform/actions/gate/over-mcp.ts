// What holds for calls that come over MCP, whatever the policies say: a model has nothing done that needs a person,
// decides nothing, and is shown no secret. docs/how-to/mcp.md has the rule, the actions' definitions say where it holds.
import { definitionOf } from '@powernode/core/actions/catalogue';
import { callNeedsPerson } from '@powernode/core/actions/define';
import { ProductError } from '@powernode/core/errors';
import type { PolicyMode } from '@powernode/core/intent/autonomy';
import { withoutTokens } from '../../trust/tokens.ts';
import type { Invocation, Outcome } from '../invoke-types.ts';
import type { ParsedCall } from './parse.ts';

/**
 * A token that was made for a model makes each call one of a model, whatever the call says of itself: whoever drives the
 * program that has the token can leave a header out, or answer a question in a person's place.
 */
export function asOfModel(invocation: Invocation): Invocation {
  return invocation.caller.token.isForModel ? { ...invocation, overMcp: 'model' } : invocation;
}

/** A model neither decides with its call nor makes a person's decision. Throws `permission_denied`. */
export function refuseOverMcp(invocation: Invocation, call: ParsedCall): void {
  if (invocation.overMcp === undefined) return;
  if (call.approve) {
    throw new ProductError(
      'permission_denied',
      'approve is a decision, which over MCP only a person can make. Omit it: a person is asked, or the operation waits for approval.',
    );
  }
  const { name, needsPerson } = definitionOf(invocation.action);
  if (needsPerson !== 'only' || invocation.overMcp === 'person' || call.dryRun) return;
  throw new ProductError(
    'permission_denied',
    `${name} needs a person, and a model called it. Decide in the console under Approvals, or with: powernode approval decide`,
  );
}

/** The policy of a category, or `require_approval` where a call over MCP needs a person and the policy would not ask. */
export function modeOverMcp(
  mode: PolicyMode | null,
  of: { readonly invocation: Invocation; readonly call: ParsedCall },
): PolicyMode | null {
  const { invocation, call } = of;
  if (invocation.overMcp === undefined || mode === null || mode === 'blocked') return mode;
  const action = definitionOf(invocation.action);
  if (action.needsPerson === 'only') return mode;
  return callNeedsPerson(action, call.input) ? 'require_approval' : mode;
}

/** The last guard: whatever an action answers, no token leaves by MCP. */
export function withoutSecrets(outcome: Outcome): Outcome {
  const text = JSON.stringify(outcome.body);
  const without = withoutTokens(text, '(not shown over MCP)');
  return without === text ? outcome : { ...outcome, body: JSON.parse(without) as Outcome['body'] };
}
