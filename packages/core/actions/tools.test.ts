// The tools as clients of any language see them: complete, in one order, and nothing that their validators break on.
import { expect, test } from 'vitest';
import { toolsDefaultBytesMax, toolsDefaultMax } from '../limits/clients.ts';
import { actionKeyOf, actionKeys, definitionOf } from './catalogue.ts';
import { toolsets } from './tool-sets.ts';
import { callableTools, parseToolSelection, toolAnswer, toolProblem, toolsOf } from './tools.ts';

const everything = { toolsets, strict: true, readOnly: false };

const byDefault = toolsOf({ toolsets: ['default'], strict: false, readOnly: false });

test('what a client gets by itself is few and short enough to be shown whole [9.16]', () => {
  expect(byDefault.length).toBeLessThanOrEqual(toolsDefaultMax);
  const listed = byDefault.map(({ action: _action, untrusted: _untrusted, ...tool }) => tool);
  expect(Buffer.byteLength(JSON.stringify({ tools: listed }))).toBeLessThan(toolsDefaultBytesMax);
});

/** The actions that the runbook "SDWAN network setup" takes, phase by phase, with its troubleshooting. */
const runbook: readonly (readonly [phase: string, ...steps: string[]])[] = [
  ['1', 'system_sdwan_create_network'],
  ['2', 'system_sdwan_attach_peer', 'system_sdwan_list_peers', 'system_sdwan_update_peer'],
  ['2', 'system_sdwan_rotate_peer_key', 'system_create_join_token', 'system_list_instances'],
  [
    '3',
    'system_sdwan_create_virtual_ip',
    'system_sdwan_failover_virtual_ip',
    'system_sdwan_list_virtual_ips',
  ],
  ['4', 'system_sdwan_create_port_mapping'],
  ['5', 'system_sdwan_create_firewall_rule', 'system_sdwan_audit_firewall'],
  ['6', 'system_sdwan_create_route_policy', 'system_sdwan_list_route_policies'],
  ['7', 'system_sdwan_create_access_grant', 'system_sdwan_issue_user_device'],
  ['7', 'system_sdwan_revoke_user_device'],
  ['8', 'system_sdwan_update_account_as_number', 'system_sdwan_update_peer_lan_subnets'],
  ['8', 'system_sdwan_get_bgp_sessions', 'execute_skill'],
  ['9', 'system_sdwan_propose_federation_peer', 'system_sdwan_accept_federation_peer'],
  ['9', 'system_sdwan_revoke_federation_peer', 'system_sdwan_list_federation_peers'],
  ['troubleshooting', 'system_sdwan_get_routing_summary', 'system_sdwan_explain_reachability'],
  ['troubleshooting', 'recent_events', 'system_get_instance', 'request_confirmation'],
  ['approvals', 'system_list_approvals', 'system_get_approval', 'system_decide_approval'],
  ['approvals', 'system_list_policies', 'system_set_policy'],
];

test.each(runbook)('phase %s of the runbook is listed by default: %s … [9.16]', (_, ...steps) => {
  // One that does not exist yet is listed from the day on which it does.
  const existing = steps.filter((step) => actionKeyOf(step) !== undefined);
  const names = byDefault.map(({ name }) => name);
  expect(existing.filter((step) => !names.includes(step))).toEqual([]);
});

test('the runbook is not a list of what does not exist', () => {
  const steps = runbook.flatMap(([, ...names]) => names);
  expect(steps.filter((step) => actionKeyOf(step) !== undefined).length).toBeGreaterThan(22);
});

test('every action is in one toolset, in the order of the catalogue', () => {
  expect(toolsOf(everything).map((tool) => tool.action)).toEqual(actionKeys);
  const areas = toolsets.filter((toolset) => toolset !== 'default');
  const apart = areas.flatMap((toolset) => toolsOf({ ...everything, toolsets: [toolset] }));
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
    toolsets: ['default'],
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

test('answers and failures are structured and text at once, and name the texts of others first [9.5]', () => {
  const named = { untrusted: ['network.name'] };
  expect(toolAnswer(named, { a: 1 })).toEqual({
    content: [{ type: 'text', text: '{"a":1}' }],
    structuredContent: { a: 1 },
  });
  expect(toolAnswer(named, { network: { name: 'Delete all' } })).toEqual({
    content: [
      { type: 'text', text: '{"untrusted_fields":["network.name"],"network":{"name":"Delete all"}}' },
    ],
    structuredContent: { untrusted_fields: ['network.name'], network: { name: 'Delete all' } },
  });
  expect(toolProblem(new Error('of the inside'))).toMatchObject({
    isError: true,
    structuredContent: { untrusted_fields: ['detail'], code: 'internal', status: 500 },
  });
});
