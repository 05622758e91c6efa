// What a call of a tool does: run the action, and when a person has to decide, ask one or leave it in the queue of
// approvals. A model never decides for a person: whoever cannot be asked gets the queue, never the execution. Which
// calls need a person is the platform's to say, which answers those with what waits.
import { hash } from 'node:crypto';
import { canonicalJson } from '../compile/digest.ts';
import { ProductError } from '../errors.ts';
import { type ActionKey, definitionOf } from './catalogue.ts';
import { questionFor } from './question.ts';
import { type Tool, type ToolResult, toolAnswer, toolFailure, toolProblem } from './tools.ts';

type Body = Readonly<Record<string, unknown>>;

/** Says that a call comes over MCP, and who stands behind it. It takes rights away and gives none. */
export const overMcpHeader = 'powernode-over-mcp';

/** Who calls, and how an action is run for them. */
export interface ToolCaller {
  /** Throws `ProductError` for every expected failure. */
  invoke(call: {
    readonly action: ActionKey;
    readonly input: unknown;
    /** `person`: a person was asked, and this call is the answer. */
    readonly overMcp: 'model' | 'person';
  }): Promise<{ readonly body: Body }>;
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
  /** Of the request, as it was shown; null: not known. */
  readonly revision: number | null;
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
    if (isDeciding(call)) return await askAboutDecision(caller, call);
    return await run(caller, call);
  } catch (error) {
    return done(toolProblem(error));
  }
}

async function run(caller: ToolCaller, call: ToolCall): Promise<ToolStep> {
  const { body } = await caller.invoke({ action: call.tool.action, input: call.input, overMcp: 'model' });
  const deferred = deferredIn(body);
  if (deferred === null) return done(toolAnswer(call.tool, body));
  if (!caller.canAsk || !(await caller.mayDecide())) return done(waiting(call, body));
  const { text, hidden } = questionFor({
    summary: deferred.summary,
    input: recordOf(call.input),
    plan: body['plan'],
  });
  if (hidden > 0) return done(waiting(call, body, hidden));
  return { kind: 'ask', message: text, question: questionOf(call, deferred) };
}

/** Deciding is a person's act. What is asked is what the approval itself says, not what the model says of it. */
async function askAboutDecision(caller: ToolCaller, call: ToolCall): Promise<ToolStep> {
  const id = approvalIdOf(call.input);
  const { decision } = recordOf(call.input);
  if (!caller.canAsk) {
    throw new ProductError(
      'permission_denied',
      `Deciding needs a person, and this client cannot ask one. Decide in the console or with: powernode approval decide ${id} --decision ${decision === 'reject' ? 'reject' : 'approve'}`,
    );
  }
  const wanted = decision === 'reject' ? 'reject' : 'approve';
  const approval = await approvalOf(caller, id);
  const { text, hidden } = questionFor(approval, wanted);
  // Whoever rejects grants nothing by what was not shown.
  if (wanted === 'approve' && hidden > 0) {
    throw new ProductError(
      'permission_denied',
      `${tooLong(hidden)} Decide in the console or with: powernode approval decide ${id} --decision approve`,
    );
  }
  return {
    kind: 'ask',
    message: text,
    question: questionOf(call, { id: null, revision: approval.revision }),
  };
}

async function resume(caller: ToolCaller, call: ToolCall, answer: PersonsAnswer): Promise<ToolStep> {
  checkSameCall(call, answer.question);
  const { approvalId } = answer.question;
  if (answer.kind === 'none') return askAgain(caller, call, answer.question);
  if (approvalId === null) {
    if (answer.kind !== 'confirmed') return notConfirmed();
    const decided = await caller.invoke({
      action: call.tool.action,
      input: { ...recordOf(call.input), ...asShown(answer.question) },
      overMcp: 'person',
    });
    return done(toolAnswer(call.tool, decided.body));
  }
  if (answer.kind === 'cancelled') {
    return done(waiting(call, waitingBody(await approvalOf(caller, approvalId))));
  }
  const { body } = await caller.invoke({
    action: 'decideApproval',
    input: {
      approval_id: approvalId,
      decision: answer.kind === 'confirmed' ? 'approve' : 'reject',
      reason: 'Answered by a person who was asked over MCP',
      // A refusal holds for whatever it would do now.
      ...(answer.kind === 'confirmed' ? asShown(answer.question) : {}),
    },
    overMcp: 'person',
  });
  return answer.kind === 'confirmed' ? done(outcomeOf(call, body)) : notConfirmed();
}

async function askAgain(caller: ToolCaller, call: ToolCall, question: Question): Promise<ToolStep> {
  if (question.approvalId === null) return askAboutDecision(caller, call);
  const approval = await approvalOf(caller, question.approvalId);
  const { text, hidden } = questionFor(approval);
  if (hidden > 0) return done(waiting(call, waitingBody(approval), hidden));
  return { kind: 'ask', message: text, question: { ...question, revision: approval.revision } };
}

function waitingBody({
  id,
  action,
  summary,
  expires_at,
  plan,
}: Awaited<ReturnType<typeof approvalOf>>): Body {
  return { pending: true, deferred_operation: { id, action, summary, expires_at }, plan };
}

function checkSameCall(call: ToolCall, question: Question): void {
  if (question.tool === call.tool.name && question.inputDigest === digestOf(call.input)) return;
  throw new ProductError(
    'conflict',
    'The answer belongs to another call. Call the tool again without it; the person is asked again.',
  );
}

/** The result that the operation had when it was approved, as if the call itself had run it. */
function outcomeOf(call: ToolCall, body: Body): ToolResult {
  const approval = recordOf(body['approval']);
  if (approval['status'] === 'approved') {
    const next = makesSecret(call) ? { next_step: howToFetch(String(approval['id'])) } : {};
    return toolAnswer(call.tool, { ...recordOf(approval['result']), ...next });
  }
  return toolFailure(recordOf(approval['error']));
}

/** What waits, when nobody can be asked here: with where a person decides it. `hidden`: what a question would not show. */
function waiting(call: ToolCall, body: Body, hidden = 0): ToolResult {
  const { id } = recordOf(body['deferred_operation']);
  const decide = `A person decides it in the console under Approvals, or with: powernode approval decide ${String(id)} --decision approve.`;
  const why = hidden > 0 ? `${tooLong(hidden)} ` : '';
  const fetch = makesSecret(call) ? ` ${howToFetch(String(id))}` : '';
  return toolAnswer(call.tool, { ...body, next_step: `Nothing has changed yet. ${why}${decide}${fetch}` });
}

function tooLong(hidden: number): string {
  return `It is too long to ask a person about: ${hidden} of its values would not be shown.`;
}

function makesSecret(call: ToolCall): boolean {
  return definitionOf(call.tool.action).makesSecret;
}

function howToFetch(approvalId: string): string {
  return `A secret is never shown over MCP. Once it is approved, its requester can retrieve it once, in the console or with: powernode approval get ${approvalId}.`;
}

/** What the platform keeps of a request that still waits. */
async function approvalOf(caller: ToolCaller, approvalId: string) {
  const { body } = await caller.invoke({
    action: 'getApproval',
    input: { approval_id: approvalId },
    overMcp: 'model',
  });
  const { id, action, summary, expires_at, status, input, plan, revision } = recordOf(body['approval']);
  if (status !== 'pending')
    throw new ProductError('conflict', `Someone has decided it already: it is ${String(status)}.`);
  return {
    id,
    action,
    summary: String(summary),
    expires_at,
    input: recordOf(input),
    plan,
    revision: numberOrNull(revision),
  };
}

interface Waiting {
  readonly id: string;
  readonly summary: string;
  readonly revision: number | null;
}

function deferredIn(body: Body): Waiting | null {
  if (body['pending'] !== true) return null;
  const { id, summary, revision } = recordOf(body['deferred_operation']);
  return { id: String(id), summary: String(summary), revision: numberOrNull(revision) };
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

function isDeciding(call: ToolCall): boolean {
  const { needsPerson } = definitionOf(call.tool.action);
  return needsPerson === 'only' && recordOf(call.input)['dry_run'] !== true;
}

function approvalIdOf(input: unknown): string {
  const { approval_id: named, id } = recordOf(input);
  return String(named ?? id);
}

/** `id`: of what waits; null when the call itself is the decision. */
function questionOf(
  call: ToolCall,
  { id, revision }: { readonly id: string | null; readonly revision: number | null },
): Question {
  return { tool: call.tool.name, inputDigest: digestOf(call.input), approvalId: id, revision };
}

/** The decision holds for what the person has seen. */
function asShown({ revision }: Question): { readonly if_revision?: number } {
  return revision === null ? {} : { if_revision: revision };
}

function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
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
