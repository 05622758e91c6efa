// The tools as clients of any language see them: complete, in one order, and nothing that their validators break on.
import { expect, test } from 'vitest';
import { toolsDefaultMax } from '../limits.ts';
import { actionKeys, definitionOf } from './catalogue.ts';
import {
  callableTools,
  defaultToolsets,
  parseToolSelection,
  toolAnswer,
  toolProblem,
  toolsets,
  toolsOf,
} from './tools.ts';

const everything = { toolsets, strict: true, readOnly: false };

test('what a client gets by itself is few enough to be shown whole', () => {
  expect(toolsOf({ ...everything, toolsets: defaultToolsets }).length).toBeLessThanOrEqual(toolsDefaultMax);
});

test('every action is in one toolset, in the order of the catalogue', () => {
  expect(toolsOf(everything).map((tool) => tool.action)).toEqual(actionKeys);
  const apart = toolsets.flatMap((toolset) => toolsOf({ ...everything, toolsets: [toolset] }));
  expect(apart.length).toBe(actionKeys.length);
});

test('what is not listed can be called, unless the client named its toolsets', () => {
  const free = parseToolSelection({ toolsets: undefined, readOnly: undefined });
  expect(callableTools(free).length).toBe(actionKeys.length);
  expect(toolsOf(free).length).toBeLessThan(actionKeys.length);
  const strict = parseToolSelection({ toolsets: 'fleet', readOnly: undefined });
  expect(callableTools(strict)).toEqual(toolsOf(strict));
});

test('read-only leaves exactly what no policy gates', () => {
  const reading = actionKeys.filter((key) => definitionOf(key).category === null);
  expect(toolsOf({ ...everything, readOnly: true }).map((tool) => tool.action)).toEqual(reading);
});

test('a model has no parameter to approve with', () => {
  for (const { name, inputSchema } of toolsOf(everything)) {
    expect(Object.keys(inputSchema.properties ?? {}), name).not.toContain('approve');
    expect(inputSchema, name).toMatchObject({ type: 'object', additionalProperties: false });
  }
});

test('schemas have no pattern that other languages refuse, and answers promise no pattern at all', () => {
  const text = JSON.stringify(toolsOf(everything).map((tool) => tool.inputSchema));
  expect(text).not.toMatch(/\\\\[pP]\{|\[\^\]/);
  expect(JSON.stringify(toolsOf(everything).map((tool) => tool.outputSchema))).not.toContain('"pattern"');
});

test('the alias of the subject is told', () => {
  const tool = toolsOf(everything).find(({ action }) => action === 'getNetwork');
  expect(tool?.inputSchema.properties?.['network_id']?.description).toContain('id');
});

test('a selection is read from text, and what is wrong in it is quoted', () => {
  expect(parseToolSelection({ toolsets: undefined, readOnly: undefined })).toEqual({
    toolsets: defaultToolsets,
    strict: false,
    readOnly: false,
  });
  expect(parseToolSelection({ toolsets: 'fleet, sdwan', readOnly: 'true' })).toEqual({
    toolsets: ['sdwan', 'fleet'],
    strict: true,
    readOnly: true,
  });
  expect(() => parseToolSelection({ toolsets: 'nets', readOnly: undefined })).toThrow('"nets"');
  expect(() => parseToolSelection({ toolsets: 'all', readOnly: 'yes' })).toThrow('"yes"');
});

test('answers and failures are structured and text at once', () => {
  expect(toolAnswer({ a: 1 })).toEqual({
    content: [{ type: 'text', text: '{"a":1}' }],
    structuredContent: { a: 1 },
  });
  expect(toolProblem(new Error('of the inside'))).toMatchObject({
    isError: true,
    structuredContent: { code: 'internal', status: 500 },
  });
});
