// What a call of a tool does: run the action, and when a person has to decide, ask one or leave it in the queue of
// approvals. A model never decides for a person: whoever cannot be asked gets the queue, never the execution.
import { hash } from 'node:crypto';
import { canonicalJson } from '../compile/digest.ts';
import { ProductError } from '../errors.ts';
import type { ActionKey } from './catalogue.ts';
import { type Tool, type ToolResult, toolAnswer, toolProblem } from './tools.ts';

type Body = Readonly<Record<string, unknown>>;

/** Who calls, and how an action is run for them. */
export interface ToolCaller {
  /** Throws `ProductError` for every expected failure. */
  invoke(call: { readonly action: ActionKey; readonly input: unknown }): Promise<{ readonly body: Body }>;
  /** Whether the caller holds `system.approvals.decide`. */
  mayDecide(): Promise<boolean>;
  /** Whether the client says that it can put a question to a person. */
  readonly canAsk: boolean;
}

/** What a question was about. It travels through the client, so it is sealed, bound to the caller and expires. */
export interface Question {
  readonly tool: string;
  readonly inputDigest: string;
  /** The operation that waits; null when the call itself is the decision. */
  readonly approvalId: string | null;
}

export interface PersonsAnswer {
  readonly question: Question;
  readonly kind: 'confirmed' | 'declined' | 'cancelled' | 'none';
}

export interface ToolCall {
  readonly tool: Tool;
  readonly input: unknown;
  /** Present when the client repeats a call with what a person said. */
  readonly answer: PersonsAnswer | null;
}

export type ToolStep =
  | { readonly kind: 'done'; readonly result: ToolResult }
  | { readonly kind: 'ask'; readonly message: string; readonly question: Question };

export async function callTool(caller: ToolCaller, call: ToolCall): Promise<ToolStep> {
  try {
    refuseApprove(call.input);
    if (call.answer !== null) return await resume(caller, call, call.answer);
    if (isApproving(call)) return await askAboutDecision(caller, call);
    return await run(caller, call);
  } catch (error) {
    return done(toolProblem(error));
  }
}

async function run(caller: ToolCaller, call: ToolCall): Promise<ToolStep> {
  const { body } = await caller.invoke({ action: call.tool.action, input: call.input });
  const deferred = deferredIn(body);
  if (deferred === null || !caller.canAsk || !(await caller.mayDecide())) return done(toolAnswer(body));
  return {
    kind: 'ask',
    message: `${deferred.summary}\nNothing has changed yet. Approve it now?`,
    question: questionOf(call, deferred.id),
  };
}

/** Approving is a person's act. What is asked is what the approval itself says, not what the model says of it. */
async function askAboutDecision(caller: ToolCaller, call: ToolCall): Promise<ToolStep> {
  const id = approvalIdOf(call.input);
  if (!caller.canAsk) {
    throw new ProductError(
      'permission_denied',
      `Approving needs a person, and this client cannot ask one. Decide in the console or with: powernode approval decide ${id} --decision approve`,
    );
  }
  const summary = summaryOf(
    (await caller.invoke({ action: 'getApproval', input: { approval_id: id } })).body,
  );
  return { kind: 'ask', message: `Approve this operation? ${summary}`, question: questionOf(call, null) };
}

async function resume(caller: ToolCaller, call: ToolCall, answer: PersonsAnswer): Promise<ToolStep> {
  checkSameCall(call, answer.question);
  const { approvalId } = answer.question;
  if (answer.kind === 'none') return askAgain(caller, call, answer.question);
  if (approvalId === null) return answer.kind === 'confirmed' ? run(caller, call) : notConfirmed();
  if (answer.kind === 'cancelled') return done(toolAnswer(await pendingOf(caller, approvalId)));
  const { body } = await caller.invoke({
    action: 'decideApproval',
    input: {
      approval_id: approvalId,
      decision: answer.kind === 'confirmed' ? 'approve' : 'reject',
      reason: 'Answered by a person who was asked over MCP',
    },
  });
  return answer.kind === 'confirmed' ? done(outcomeOf(body)) : notConfirmed();
}

async function askAgain(caller: ToolCaller, call: ToolCall, question: Question): Promise<ToolStep> {
  if (question.approvalId === null) return askAboutDecision(caller, call);
  const pending = await pendingOf(caller, question.approvalId);
  return {
    kind: 'ask',
    message: `${String(pending.deferred_operation.summary)}\nNothing has changed yet. Approve it now?`,
    question,
  };
}

function checkSameCall(call: ToolCall, question: Question): void {
  if (question.tool === call.tool.name && question.inputDigest === digestOf(call.input)) return;
  throw new ProductError(
    'conflict',
    'The answer belongs to another call. Call the tool again without it; the person is asked anew.',
  );
}

/** The result that the operation had when it was approved, as if the call itself had run it. */
function outcomeOf(body: Body): ToolResult {
  const approval = recordOf(body['approval']);
  if (approval['status'] === 'approved') return toolAnswer(recordOf(approval['result']));
  const error = recordOf(approval['error']);
  return { ...toolAnswer(error), isError: true };
}

async function pendingOf(caller: ToolCaller, approvalId: string) {
  const { body } = await caller.invoke({ action: 'getApproval', input: { approval_id: approvalId } });
  const { id, action, summary, expires_at, status } = recordOf(body['approval']);
  if (status !== 'pending')
    throw new ProductError('conflict', `Somebody decided it meanwhile: it is ${String(status)}.`);
  return { pending: true, deferred_operation: { id, action, summary, expires_at } };
}

function deferredIn(body: Body): { readonly id: string; readonly summary: string } | null {
  if (body['pending'] !== true) return null;
  const { id, summary } = recordOf(body['deferred_operation']);
  return { id: String(id), summary: String(summary) };
}

function summaryOf(body: Body): string {
  return String(recordOf(body['approval'])['summary']);
}

function notConfirmed(): ToolStep {
  throw new ProductError('permission_denied', 'A person was asked and said no. Nothing was changed.');
}

function refuseApprove(input: unknown): void {
  if (recordOf(input)['approve'] === undefined) return;
  throw new ProductError('validation_failed', 'A model cannot approve for a person.', {
    fields: [
      {
        path: 'approve',
        code: 'unknown_parameter',
        message: 'Leave it out. If a decision is needed, a person is asked, or the operation waits for one.',
      },
    ],
  });
}

function isApproving(call: ToolCall): boolean {
  const input = recordOf(call.input);
  return (
    call.tool.action === 'decideApproval' && input['decision'] === 'approve' && input['dry_run'] !== true
  );
}

function approvalIdOf(input: unknown): string {
  const { approval_id: named, id } = recordOf(input);
  return String(named ?? id);
}

function questionOf(call: ToolCall, approvalId: string | null): Question {
  return { tool: call.tool.name, inputDigest: digestOf(call.input), approvalId };
}

function digestOf(input: unknown): string {
  return hash('sha256', canonicalJson(input ?? {}));
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function done(result: ToolResult): ToolStep {
  return { kind: 'done', result };
}
