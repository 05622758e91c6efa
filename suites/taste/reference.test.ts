// The reference pages are written from the code. This test fails when one is stale; POWERNODE_WRITE=1 writes them anew.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { actionKeys, definitionOf } from '@powernode/core/actions/catalogue';
import { type ActionDefinition, inputOf } from '@powernode/core/actions/define';
import { errorTable } from '@powernode/core/errors';
import { permissions, rolePermissions } from '@powernode/core/intent/account';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { settingSpecs } from '../../packages/platform/config/settings.ts';

const directory = path.join(import.meta.dirname, '..', '..', 'docs', 'reference');

const pages: Readonly<Record<string, () => string>> = {
  'actions.md': actionsPage,
  'errors.md': errorsPage,
  'permissions.md': permissionsPage,
  'settings.md': settingsPage,
};

test.each(Object.entries(pages))('docs/reference/%s is what the code says', (name, render) => {
  const file = path.join(directory, name);
  const text = render();
  if (process.env['POWERNODE_WRITE'] === '1') writeFileSync(file, text);
  expect(existsSync(file) ? readFileSync(file, 'utf8') : '').toBe(text);
});

function actionsPage(): string {
  const sections = actionKeys.map((key) => actionSection(definitionOf(key)));
  return `# Actions

Every action, as HTTP (generic: \`POST /api/v1/actions/<name>\`), as a resource route under \`/api/v1/system\`, as an MCP tool of the same name, and as a command. The machine-readable form is \`/openapi.json\`. This page is written from the definitions.

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
  const table =
    rows.length === 0
      ? 'It takes no parameters.\n'
      : `| parameter | type | required | |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`;
  return `## \`${action.name}\`

${action.description}

\`${action.route.method} ${action.route.path}\` · \`powernode ${action.cli.noun} ${action.cli.verb}\` · ${permission}${policy}

${table}`;
}

function typeOf(property: z.core.JSONSchema._JSONSchema): string {
  if (typeof property === 'boolean') return 'any';
  if (property.enum !== undefined) return property.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (property.anyOf !== undefined) return property.anyOf.map(typeOf).join(' or ');
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

The \`code\` of a problem document (RFC 9457) is stable; \`detail\` says what to do; \`errors\` names each wrong field.

| code | HTTP | exit code of the command | meaning |
| --- | --- | --- | --- |
${rows.join('\n')}
`;
}

function permissionsPage(): string {
  const rows = Object.entries(permissions).map(([name, about]) => {
    const roles = Object.entries(rolePermissions)
      .filter(([, list]) => (list as readonly string[]).includes(name))
      .map(([role]) => role);
    return `| \`${name}\` | ${about} | ${roles.length === 0 ? 'administrators of the platform' : roles.join(', ')} |`;
  });
  return `# Permissions

A role is a set of permissions; a token may have fewer than its owner, never more.

| permission | what it lets one do | roles |
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

Flags win over variables, variables over \`<data-dir>/config.yaml\`, that over defaults. \`powernode config\` prints the effective values and where each came from.

| in config.yaml | flag | variable | |
| --- | --- | --- | --- |
${rows.join('\n')}
`;
}
