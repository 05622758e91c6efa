// The tools and the prompt that the conformance suite calls to see how a server asks for input.
// Never part of the platform: only the suite's test server registers them.

import {
  acceptedContent,
  CLIENT_CAPABILITIES_META_KEY,
  inputRequired,
  inputResponse,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server';
import type { Question } from '@powernode/core/actions/tool-call';
import type { QuestionCodec } from '../question-codec.ts';

/** Where a flow stands: kept in the sealed state's text, as the platform keeps the name of a tool. */
function at(step: string): Question {
  return { tool: step, inputDigest: '', approvalId: null, revision: null };
}

function stepOf(context: ServerContext): string | undefined {
  return context.mcpReq.requestState<Question>()?.tool;
}

function done(text: string) {
  return { content: [{ type: 'text', text } as const] };
}

function form(message: string, field: string) {
  return inputRequired.elicit({
    message,
    requestedSchema: { type: 'object', properties: { [field]: { type: 'string' } }, required: [field] },
  });
}

function tick(message: string) {
  return inputRequired.elicit({
    message,
    requestedSchema: { type: 'object', properties: { ok: { type: 'boolean' } }, required: ['ok'] },
  });
}

function sampling(text: string, maxTokens: number) {
  return inputRequired.createMessage({
    messages: [{ role: 'user', content: { type: 'text', text } }],
    maxTokens,
  });
}

export function registerQuestionFixtures(server: McpServer, codec: QuestionCodec): void {
  registerSingleQuestions(server);
  registerStatefulQuestions(server, codec);
  registerPromptQuestion(server);
}

function registerSingleQuestions(server: McpServer): void {
  for (const name of ['test_input_required_result_elicitation', 'test_streaming_elicitation']) {
    server.registerTool(name, { description: 'Asks for a name' }, (context) => {
      const content = acceptedContent(context.mcpReq.inputResponses, 'user_name');
      if (content !== undefined) return done(`Hello, ${String(content['name'])}!`);
      return inputRequired({ inputRequests: { user_name: form('What is your name?', 'name') } });
    });
  }
  server.registerTool('test_input_required_result_sampling', { description: 'Asks a model' }, (context) => {
    const response = inputResponse(context.mcpReq.inputResponses, 'capital_question');
    if (response.kind === 'sampling') return done(JSON.stringify(response.result.content));
    const question = sampling('What is the capital of France?', 100);
    return inputRequired({ inputRequests: { capital_question: question } });
  });
  server.registerTool(
    'test_input_required_result_list_roots',
    { description: 'Asks for roots' },
    (context) => {
      const response = inputResponse(context.mcpReq.inputResponses, 'client_roots');
      if (response.kind === 'roots') return done(response.roots.map((root) => root.uri).join(' '));
      return inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } });
    },
  );
  server.registerTool(
    'test_input_required_result_capabilities',
    { description: 'Asks only what the client can answer' },
    (context) => {
      const envelope: Readonly<Record<string, unknown>> = context.mcpReq.envelope ?? {};
      const declared = (envelope[CLIENT_CAPABILITIES_META_KEY] ?? {}) as Record<string, unknown>;
      const questions = {
        ...(declared['sampling'] === undefined ? {} : { by_model: sampling('Say something', 10) }),
        ...(declared['elicitation'] === undefined ? {} : { by_person: form('Your name?', 'name') }),
      };
      if (Object.keys(questions).length === 0) return done('The client can be asked nothing.');
      return inputRequired({ inputRequests: questions });
    },
  );
}

function registerStatefulQuestions(server: McpServer, codec: QuestionCodec): void {
  for (const name of [
    'test_input_required_result_request_state',
    'test_input_required_result_tampered_state',
  ]) {
    server.registerTool(name, { description: 'Keeps sealed state' }, async (context) => {
      if (stepOf(context) === 'confirm') return done('state-ok');
      return inputRequired({
        inputRequests: { confirm: tick('Please confirm') },
        requestState: await codec.seal(at('confirm'), context),
      });
    });
  }
  server.registerTool(
    'test_input_required_result_multiple_inputs',
    { description: 'Asks three' },
    async (context) => {
      if (stepOf(context) === 'all') return done('All three answered.');
      return inputRequired({
        inputRequests: {
          user_name: form('What is your name?', 'name'),
          greeting: sampling('Generate a greeting', 50),
          client_roots: inputRequired.listRoots(),
        },
        requestState: await codec.seal(at('all'), context),
      });
    },
  );
  server.registerTool(
    'test_input_required_result_multi_round',
    { description: 'Asks twice' },
    async (context) => {
      const step = stepOf(context);
      if (step === 'step2') return done('Two answers received.');
      const [next, question] =
        step === 'step1'
          ? (['step2', form('Step 2: What is your favorite color?', 'color')] as const)
          : (['step1', form('Step 1: What is your name?', 'name')] as const);
      return inputRequired({
        inputRequests: { [next]: question },
        requestState: await codec.seal(at(next), context),
      });
    },
  );
}

function registerPromptQuestion(server: McpServer): void {
  server.registerPrompt(
    'test_input_required_result_prompt',
    { description: 'Asks for context' },
    (context) => {
      const content = acceptedContent(context.mcpReq.inputResponses, 'user_context');
      if (content === undefined) {
        const question = form('What context should the prompt use?', 'context');
        return inputRequired({ inputRequests: { user_context: question } });
      }
      return {
        messages: [
          { role: 'user', content: { type: 'text', text: `Context: ${String(content['context'])}` } },
        ],
      };
    },
  );
}
