// No field of an outsider is without a limit: every schema that a machine, a browser, a script or a partner fills, and
// those of what the platform sends to machines, walked to their last part. And every file that has a schema is known
// here, so that a new one is walked or says why it need not be.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { actionKeys, definitionOf } from '@powernode/core/actions/catalogue';
import { inputOf } from '@powernode/core/actions/define';
import { describe, expect, it, test } from 'vitest';
import { z } from 'zod';
import { unlimitedParts } from './schema-limits.ts';

const root = path.join(import.meta.dirname, '..', '..');

/** Each schema in these files that reads what an outsider wrote is exported, and walked. */
const walkedFiles = [
  'packages/platform/surfaces/bootstrap/bootstrap.ts',
  'packages/agent/link/request.ts',
  'packages/agent/link/stream.ts',
  'packages/agent/state/control.ts',
];

/** Files whose schemas read what no outsider can write, with who writes it. */
const exemptFiles: Readonly<Record<string, string>> = {
  'packages/agent/subsystems/iproute/look.ts': 'the answer of ip, limited in bytes (agentOutputBytesMax)',
  'packages/agent/subsystems/frr/answers.ts':
    'the answer of bgpd, limited in bytes (frrAnswerBytesMax), its texts in length and its lists in number',
  'packages/agent/bgp/resets.ts': 'a file of the agent, limited in bytes (agentStateBytesMax)',
  'packages/agent/commands/retry.ts': 'the answer of the machine’s own agent (agentControlBytesMax)',
  'packages/agent/confirm/path.ts': 'the answer of ip, limited in bytes (agentOutputBytesMax)',
  'packages/agent/confirm/trial-file.ts': 'a file of the agent, limited in bytes (agentStateBytesMax)',
  'packages/agent/subsystems/policy-rules/look.ts':
    'the answer of ip, limited in bytes (agentOutputBytesMax)',
  'packages/agent/subsystems/routes/forwarding.ts':
    'a file of the agent, limited in bytes (agentStateBytesMax)',
  'packages/agent/host/accept.ts': 'a file of the agent, limited in bytes (agentStateBytesMax)',
  'packages/agent/host/host-rules.ts': 'the answer of nft, limited in bytes (agentOutputBytesMax)',
  'packages/agent/observe/status.ts': 'the answer of the machine’s own agent (agentControlBytesMax)',
  'packages/agent/observe/underlay.ts': 'the answer of ip, limited in bytes (agentOutputBytesMax)',
  'packages/agent/state/identity.ts': 'a file of the agent, limited in bytes (agentStateBytesMax)',
  'packages/agent/state/stored-document.ts': 'a file of the agent, limited in bytes (agentStateBytesMax)',
  'packages/cli/login/login-file.ts': 'a file of the user',
  'packages/cli/version.ts': 'a file of the program',
  'packages/lab/fleet/agent.ts': 'answers within a lab on one machine',
  'packages/lab/fleet/api.ts': 'answers within a lab on one machine',
  'packages/lab/inside/messages.ts': 'messages within a lab on one machine',
  'packages/lab/inside/speaking.ts': 'messages within a lab on one machine',
  'packages/lab/life/down.ts': 'files of a lab',
  'packages/lab/life/up.ts': 'files of a lab',
  'packages/lab/plan/read.ts': 'a file of the user, limited in bytes (labFileBytesMax)',
  'packages/lab/plan/spec.ts': 'a file of the user, limited in bytes (labFileBytesMax)',
  'packages/lab/stage/cut.ts': 'answers of tools in a lab (labOutputBytesMax)',
  'packages/lab/stage/folder.ts': 'files of a lab',
  'packages/lab/stage/forwarding.ts': 'answers of tools in a lab (labOutputBytesMax)',
  'packages/lab/watch/routes.ts': 'answers of tools in a lab (labOutputBytesMax)',
  'packages/lab/watch/status.ts': 'the answer of a lab’s own platform',
  'packages/platform/actions/fleet/drain-operation.ts': 'a row that the platform wrote',
  'packages/platform/events/failover-gossip.ts': 'gossip of another process of the same platform',
  'packages/platform/events/presence-gossip.ts': 'words of another process of the same platform',
  'packages/platform/events/bus-message.ts': 'words of another process of the same platform',
  'packages/platform/start/shared-secret.ts': 'a row that the platform wrote',
  'packages/platform/store/directory-hold.ts': 'a file of the platform',
  'packages/platform/store/embedded/binaries.ts': 'a file of a package',
  'packages/platform/surfaces/mcp/conformance/document-fixtures.ts': 'only in the conformance test',
  'packages/platform/surfaces/mcp/conformance/question-fixtures.ts': 'only in the conformance test',
  'packages/platform/surfaces/openapi/docs-page.ts': 'reads nothing: it describes what is answered',
  'packages/platform/surfaces/openapi/operations.ts': 'reads nothing: it describes what is answered',
  'packages/platform/trust/authority.ts': 'a row that the platform wrote',
  'packages/platform/version.ts': 'a file of the program',
};

const sources = execFileSync('git', ['ls-files', '-co', '--exclude-standard', 'packages'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => /\.tsx?$/.test(file) && !/\.(?:test|fixture|d)\.tsx?$|\/testing\//.test(file))
  .filter((file) => existsSync(path.join(root, file)));

async function exportedSchemas(file: string): Promise<[name: string, schema: z.ZodType][]> {
  const module: Record<string, unknown> = await import(path.join(root, file));
  return Object.entries(module).flatMap(([name, value]): [string, z.ZodType][] =>
    value instanceof z.ZodType ? [[name, value]] : [],
  );
}

describe('what is without a limit is found', () => {
  it.each([
    ['text', z.object({ a: z.string().regex(/^x{1,3}$/) }), ['.a: text without .max()']],
    ['a list', z.object({ a: z.array(z.boolean()) }), ['.a: array without .max()']],
    ['a number', z.object({ a: z.int().min(0) }), ['.a: number without .min() and .max()']],
    ['what is in a list', z.array(z.string()).max(3), ['[]: text without .max()']],
    [
      'behind a transform',
      z.object({ a: z.string().transform(Number).optional() }),
      ['.a: text without .max()'],
    ],
    ['in an alternative', z.union([z.null(), z.string()]), ['(whole): text without .max()']],
    ['a loose object', z.looseObject({}), ['(whole): object that takes any member']],
    ['a record', z.record(z.string().max(3), z.boolean()), ['(whole): record of any number of members']],
    ['anything', z.object({ a: z.unknown() }), ['.a: unknown, which takes anything']],
  ])('%s [9.6]', (_what, schema, found) => {
    expect(unlimitedParts(schema)).toEqual(found);
  });

  it('and nothing else is [9.6]', () => {
    const schema = z.strictObject({
      text: z.string().max(3).nullable(),
      key: z.string().length(44),
      list: z.array(z.enum(['a'])).max(3),
      number: z.int().min(0).max(3).default(1),
      pair: z.tuple([z.literal('a'), z.boolean()]),
    });
    expect(unlimitedParts(schema)).toEqual([]);
  });
});

describe('every field of an outsider has a limit', () => {
  test.each(actionKeys)('the parameters of %s [9.6]', (key) => {
    expect(unlimitedParts(inputOf(definitionOf(key)))).toEqual([]);
  });

  const wire = sources.filter((file) => file.startsWith('packages/core/wire/'));
  test.each([...wire, ...walkedFiles])('the schemas of %s [9.6]', async (file) => {
    const found = (await exportedSchemas(file)).flatMap(([name, schema]) =>
      unlimitedParts(schema).map((part) => `${name}${part}`),
    );
    expect(found).toEqual([]);
  });

  test('every file with a schema is walked, or says who else writes what it reads [9.6]', () => {
    const makes =
      /\bz\s*\.\s*(?:object|strictObject|looseObject|array|string|discriminatedUnion|union|record|tuple)\(/;
    const known = new Set([...walkedFiles, ...Object.keys(exemptFiles)]);
    const unknown = sources.filter(
      (file) =>
        !file.startsWith('packages/core/') &&
        !known.has(file) &&
        /^import .*\bfrom 'zod'/m.test(readFileSync(path.join(root, file), 'utf8')) &&
        makes.test(readFileSync(path.join(root, file), 'utf8')),
    );
    expect(unknown).toEqual([]);
  });

  test('and none of them keeps such a schema to itself [9.6]', () => {
    const own = walkedFiles.flatMap((file) =>
      [...readFileSync(path.join(root, file), 'utf8').matchAll(/^const (\w+) = z\b/gm)].map(
        ([, name]) => `${file}: ${name}`,
      ),
    );
    expect(own).toEqual([]);
  });
});
