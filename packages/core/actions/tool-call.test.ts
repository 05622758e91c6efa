// Nobody is asked to approve what a question cannot show whole: it waits in the approvals.
import { beforeEach, expect, test } from 'vitest';
import { callTool, type ToolCall, type ToolCaller } from './tool-call.ts';
import { toolsets } from './tool-sets.ts';
import { callableTools, type Tool } from './tools.ts';

const approvalId = '0192f0c0-0000-7000-8000-000000000001';
const long = Array.from({ length: 300 }, (_, i) => `2001:db8:${i.toString(16)}::/48`);
const cidrs = (source_cidrs: readonly string[]) => ({ source_cidrs });

function tool(name: string): Tool {
  const found = callableTools({ toolsets, strict: false, readOnly: false }).find((one) => one.name === name);
  if (found === undefined) throw new Error(`no tool ${name}`);
  return found;
}

let waits: object;
let invoked: string[];
let inputs: unknown[];

beforeEach(() => {
  invoked = [];
  inputs = [];
});

const caller: ToolCaller = {
  async invoke({ action, input, overMcp }) {
    invoked.push(`${action} ${overMcp}`);
    inputs.push(input);
    const approval = {
      id: approvalId,
      action: 'createAccessGrant',
      summary: 'Let a device in',
      status: 'pending',
      input: waits,
      plan: null,
      revision: 4,
    };
    if (action === 'getApproval') return { body: { approval } };
    if (overMcp === 'person') return { body: { approval: { ...approval, status: 'approved', result: {} } } };
    return {
      body: {
        pending: true,
        deferred_operation: { id: approvalId, summary: approval.summary, revision: 3 },
        plan: null,
      },
    };
  },
  mayDecide: async () => true,
  canAsk: true,
};

async function step(name: string, input: object, answer: ToolCall['answer'] = null) {
  return callTool(caller, { tool: tool(name), input, answer });
}

const ask = (list: readonly string[]) => step('system_sdwan_delete_network', cidrs(list));

test('an operation whose parameters fit is asked about, with all of them [9.5]', async () => {
  const asked = await ask(long.slice(0, 40));
  expect(asked).toMatchObject({ kind: 'ask' });
  expect(asked.kind === 'ask' && asked.message).toContain(`"${long[39]}"]`);
});

test('one whose parameters do not fit waits in the approvals, and says why [9.5]', async () => {
  const left = await ask(long);
  expect(left).toMatchObject({
    kind: 'done',
    result: {
      structuredContent: {
        pending: true,
        next_step: expect.stringMatching(
          /too long to ask a person about: \d+ of its values .*powernode approval decide/,
        ),
      },
    },
  });
  expect(invoked).toEqual(['deleteNetwork model']);
});

test('a model that asks to decide it gets no question to approve, and one to reject [9.5]', async () => {
  waits = cidrs(long);
  const decide = (decision: string) => step('system_decide_approval', { approval_id: approvalId, decision });
  expect(await decide('approve')).toMatchObject({
    kind: 'done',
    result: {
      isError: true,
      structuredContent: {
        code: 'permission_denied',
        detail: expect.stringContaining('too long to ask a person about'),
      },
    },
  });
  expect(await decide('reject')).toMatchObject({
    kind: 'ask',
    message: expect.stringMatching(/and \d+ more/),
  });
  waits = cidrs(long.slice(0, 40));
  expect(await decide('approve')).toMatchObject({ kind: 'ask' });
});

test('a question that is put again, about what does not fit, is not [9.5]', async () => {
  const asked = await ask(['fd00::/64']);
  if (asked.kind !== 'ask') throw new Error('nobody was asked');
  waits = cidrs(long);
  const again = await step('system_sdwan_delete_network', cidrs(['fd00::/64']), {
    question: asked.question,
    kind: 'none',
  });
  expect(again).toMatchObject({
    kind: 'done',
    result: { structuredContent: { pending: true, deferred_operation: { id: approvalId } } },
  });
});

test("a person's answer holds for the revision of the request that was shown [9.5]", async () => {
  waits = cidrs(['2001:db8::/48']);
  const confirmed = async (name: string, input: object) => {
    const asked = await step(name, input);
    if (asked.kind !== 'ask') throw new Error('nobody was asked');
    await step(name, input, { question: asked.question, kind: 'confirmed' });
    return inputs.at(-1);
  };
  expect(await confirmed('system_sdwan_delete_network', waits)).toMatchObject({ if_revision: 3 });
  const decision = { approval_id: approvalId, decision: 'approve' };
  expect(await confirmed('system_decide_approval', decision)).toEqual({ ...decision, if_revision: 4 });
});
