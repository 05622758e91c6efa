// The reference pages are written from the code. This test fails when one is stale; POWERNODE_WRITE=1 writes them anew.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { actionKeys, definitionOf } from '@powernode/core/actions/catalogue';
import { type ActionDefinition, inputOf, needsPersonText } from '@powernode/core/actions/define';
import { toolsetLines, toolsets } from '@powernode/core/actions/tool-sets';
import { parseToolSelection } from '@powernode/core/actions/tools';
import { errorTable } from '@powernode/core/errors';
import { permissions, rolePermissions } from '@powernode/core/intent/account';
import {
  changesKeptDays,
  eventsKeptDays,
  retentionBatchesPerRun,
  retentionBatchRows,
  retentionIntervalMs,
} from '@powernode/core/limits/coordination';
import { nodeProblemTable } from '@powernode/core/wire/node-problems';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { runCli } from '../../packages/cli/run-cli.ts';
import { settingSpecs } from '../../packages/platform/config/settings.ts';
import {
  type Age,
  type RetentionSettings,
  retentionRules,
} from '../../packages/platform/coordination/retention/rules.ts';
import { metricNames, metricTable } from '../../packages/platform/observe/metric-table.ts';
import { eventsDeleted } from '../../packages/platform/surfaces/http/event-stream.ts';

const directory = path.join(import.meta.dirname, '..', '..', 'docs', 'reference');

const pages: Readonly<Record<string, () => string>> = {
  'actions.md': actionsPage,
  'errors.md': errorsPage,
  'instance-problems.md': instanceProblemsPage,
  'metrics.md': metricsPage,
  'permissions.md': permissionsPage,
  'retention.md': retentionPage,
  'settings.md': settingsPage,
};

test.each(Object.entries(pages))('docs/reference/%s is what the code says', (name, render) => {
  const file = path.join(directory, name);
  const text = render();
  if (process.env['POWERNODE_WRITE'] === '1') writeFileSync(file, text);
  expect(existsSync(file) ? readFileSync(file, 'utf8') : '').toBe(text);
});

function instanceProblemsPage(): string {
  const rows = Object.entries(nodeProblemTable).map(([code, { subsystem, severity, stops, summary }]) => {
    return `| \`${code}\` | \`${subsystem}\` | ${severity} | ${stops.join(', ')} | ${summary} |`;
  });
  return `# Instance problems

Problems that agents report about their instance. They appear in \`problems\` of \`system_get_instance\`, in \`problem\` of a peer (the most severe one), in explanations for instances on the path, in the events \`system.instance.problem\` and \`system.instance.problem_ended\`, and in the metric \`powernode_node_problems{code}\`. The column \`stops\` lists the overlay packets that the problem certainly stops on that instance. This page is generated from \`packages/core/wire/node-problems.ts\`.

| code | subsystem | severity | stops | |
| --- | --- | --- | --- | --- |
${rows.join('\n')}
`;
}

test('docs/how-to/mcp.md and `powernode mcp --help` name the toolsets that the server has [9.16]', async () => {
  const lines = toolsetLines((name) => `\`${name}\``).join('\n');
  expect(readFileSync(path.join(directory, '..', 'how-to', 'mcp.md'), 'utf8')).toContain(`\n\n${lines}\n\n`);
  let help = '';
  const stdout = { write: (text: string) => void (help += text), columns: 120 };
  const silent = { write: () => undefined };
  await runCli(['mcp', '--help'], {
    stdout,
    stderr: silent,
    stdin: Readable.from([]),
    env: { HOME: '/nowhere' },
  });
  for (const name of toolsets) {
    expect(help).toContain(`- ${name}: `);
    expect(parseToolSelection({ toolsets: name, readOnly: undefined }).toolsets).toEqual([name]);
  }
  expect(help).toContain(toolsets.join(', '));
});

function actionsPage(): string {
  const sections = actionKeys.map((key) => actionSection(definitionOf(key)));
  return `# Actions

Every action is available as \`POST /api/v1/actions/<name>\`, as a resource route under \`/api/v1/system\`, as an MCP tool of the same name, and as a command. The OpenAPI description is at \`/openapi.json\`. This page is generated from the definitions.

${sections.join('\n')}`;
}

function actionSection(action: ActionDefinition): string {
  const schema = z.toJSONSchema(inputOf(action), { io: 'input', unrepresentable: 'any' });
  const required = new Set(schema.required ?? []);
  const rows = Object.entries(schema.properties ?? {}).map(([name, property]) => {
    const about = typeof property === 'boolean' ? '' : (property.description ?? '');
    return `| \`${name}\` | ${typeOf(property)} | ${required.has(name) ? 'yes' : ''} | ${about} |`;
  });
  const policy =
    action.category === null
      ? ''
      : ` Policy category \`${action.category.name}\`, by default \`${action.category.defaultMode}\`.`;
  const permission = action.permission === null ? 'Any operator.' : `Permission \`${action.permission}\`.`;
  const person = action.needsPerson === 'never' ? '' : ` ${needsPersonText(action)}`;
  const table =
    rows.length === 0
      ? 'It takes no parameters.\n'
      : `| parameter | type | required | |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`;
  return `## \`${action.name}\`

${action.description}

\`${action.route.method} ${action.route.path}\` · \`powernode ${action.cli.noun} ${action.cli.verb}\` · ${permission}${policy}${person}

${table}`;
}

function typeOf(property: z.core.JSONSchema._JSONSchema): string {
  if (typeof property === 'boolean') return 'any';
  if (property.enum !== undefined) return property.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (property.anyOf !== undefined && property.type === undefined)
    return property.anyOf.map(typeOf).join(' or ');
  if (property.type === 'array') {
    const items = Array.isArray(property.items) ? property.items[0] : property.items;
    return `list of ${items === undefined ? 'any' : typeOf(items)}`;
  }
  return property.format === 'uuid' ? 'UUID' : String(property.type ?? 'any');
}

function errorsPage(): string {
  const rows = Object.entries(errorTable).map(
    ([code, meaning]) => `| \`${code}\` | ${meaning.httpStatus} | ${meaning.exitCode} | ${meaning.title} |`,
  );
  return `# Errors

The \`code\` of a problem document (RFC 9457) is stable; \`detail\` says what to do; \`errors\` lists each invalid field.

| code | HTTP | exit code of the command | meaning |
| --- | --- | --- | --- |
${rows.join('\n')}
`;
}

function metricsPage(): string {
  const rows = metricNames.map((name) => {
    const { type, help, labels, series } = metricTable[name];
    const names = labels.map((label) => `\`${label}\``).join(', ');
    return `| \`${name}\` | ${type} | ${names} | ${series} | ${help} |`;
  });
  return `# Metrics

\`/metrics\` serves these in the Prometheus text format, in addition to process metrics (\`process_*\`, \`nodejs_*\`). Metrics of instances and peers show the current state within two seconds. With several platform processes, each shows all instances but counts only its own streams, requests and repaired drift. Objects beyond the limit of a metric have no series and are counted in \`powernode_metric_series_left_out\`. [Monitoring](../how-to/monitoring.md) has alert rules. This page is generated from \`packages/platform/observe/metric-table.ts\`.

| metric | type | labels | a series for each | meaning |
| --- | --- | --- | --- | --- |
${rows.join('\n')}
`;
}

function permissionsPage(): string {
  const rows = Object.entries(permissions).map(([name, about]) => {
    const roles = Object.entries(rolePermissions)
      .filter(([, list]) => (list as readonly string[]).includes(name))
      .map(([role]) => role);
    return `| \`${name}\` | ${about} | ${roles.length === 0 ? 'platform administrators' : roles.join(', ')} |`;
  });
  return `# Permissions

A role is a set of permissions. A token can have fewer permissions than its owner, never more.

| permission | allows to | roles |
| --- | --- | --- |
${rows.join('\n')}
`;
}

function settingsPage(): string {
  const rows = Object.entries(settingSpecs).map(([name, spec]) => {
    const flag = spec.flag === null ? '' : `\`--${spec.flag}\``;
    return `| \`${name}\` | ${flag} | \`${spec.variable}\` | ${spec.help} |`;
  });
  return `# Settings

Flags take precedence over environment variables, these over \`<data-dir>/config.yaml\`, and that over defaults. In \`config.yaml\` a setting with a dot is nested: \`retention: { events_days: 400 }\`. \`powernode config\` prints the effective values and their sources.

| in config.yaml | flag | variable | |
| --- | --- | --- | --- |
${rows.join('\n')}
`;
}

const retentionDefaults: Readonly<Record<keyof RetentionSettings, readonly [name: string, days: number]>> = {
  eventsDays: ['retention.events_days', eventsKeptDays],
  changesDays: ['retention.changes_days', changesKeptDays],
};

function ageText(age: Age): string {
  if ('ms' in age) return age.ms % 86_400_000 === 0 ? `${age.ms / 86_400_000} d` : `${age.ms / 3_600_000} h`;
  const [name, days] = retentionDefaults[age.setting];
  return `${days} d (\`${name}\`)`;
}

function retentionPage(): string {
  const rows = Object.entries(retentionRules).sort(([a], [b]) => (a < b ? -1 : 1));
  const deleted = rows.flatMap(([table, rule]) => {
    if (rule.kind === 'kept') return [];
    const least = rule.kind === 'log' ? `, but the newest ${rule.keptPerAccount} of each account stay` : '';
    return [`| \`${table}\` | ${rule.deletes}${least} | ${ageText(rule.age)} | ${rule.because} |`];
  });
  const kept = rows.flatMap(([table, rule]) =>
    rule.kind === 'kept' ? [`| \`${table}\` | ${rule.because} |`] : [],
  );
  return `# Retention

What the platform deletes by itself, after which age, and why. The process that leads looks every ${retentionIntervalMs / 60_000} minutes and deletes in transactions of ${retentionBatchRows} rows, ${retentionBatchesPerRun} of them for each table at most; what is left waits for the next time. \`powernode_retention_deleted_rows_total\` counts the rows by table, \`powernode_job_last_success_timestamp_seconds{job="retention"}\` says when it last ran through. The days that are settings are 30 at least and 3650 at most (\`retention: { events_days: 400, changes_days: 90 }\` in \`config.yaml\`; see [settings](settings.md)). This page is written from \`packages/platform/coordination/retention/rules.ts\`.

A reader of \`/api/v1/events/stream\` that comes back with a last event older than what is kept first gets the event \`${eventsDeleted}\`, which says up to which id events are gone, and then all that are left. \`recent_events\` and \`system_list_changes\` say it in \`deleted_to\` on their last page.

| table | deleted | after | why then |
| --- | --- | --- | --- |
${deleted.join('\n')}

From the other tables nothing is deleted because of its age:

| table | why it stays small, or has to stay |
| --- | --- |
${kept.join('\n')}
`;
}
