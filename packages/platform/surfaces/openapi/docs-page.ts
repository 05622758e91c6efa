// The page of the reference: every action with its parameters, its answer and how each surface calls it.
import { type ActionKey, actionKeys, definitionOf } from '@powernode/core/actions/catalogue';
import type { ActionDefinition } from '@powernode/core/actions/define';
import { inputSchemaOf, type JsonSchema, jsonSchemaOf } from '@powernode/core/actions/json-schema';
import { errorTable } from '@powernode/core/errors';
import { html } from 'hono/html';
import { z } from 'zod';

type Html = ReturnType<typeof html>;

const areas: readonly { readonly area: ActionDefinition['area']; readonly title: string }[] = [
  { area: 'sdwan', title: 'Networks and peers' },
  { area: 'services', title: 'Virtual IPs and port mappings' },
  { area: 'firewall', title: 'Firewall and reachability' },
  { area: 'routing', title: 'Route policies and BGP' },
  { area: 'devices', title: 'Devices and access grants' },
  { area: 'fleet', title: 'Instances and events' },
  { area: 'provisioning', title: 'Pending instances' },
  { area: 'autonomy', title: 'Policies, approvals, operations, skills and findings' },
  { area: 'accounts', title: 'Accounts, operators, tokens' },
];

export function docsPage(facts: { readonly version: string }): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Powernode reference</title>
        <link rel="stylesheet" href="/docs/style.css" />
      </head>
      <body>
        <a class="skip" href="#content">To the content</a>
        <div class="layout">
          ${navigation()}
          <main id="content">
            <h1>Powernode reference</h1>
            <p class="faint">Version ${facts.version}. For programs: <a href="/openapi.json">OpenAPI 3.1</a>.</p>
            ${introduction()} ${areas.map(({ area, title }) => areaSection(area, title))} ${errorSection()}
          </main>
        </div>
      </body>
    </html>`;
}

function navigation(): Html {
  return html`<nav aria-label="Actions">
    <a href="#content"><strong>Powernode</strong></a>
    ${areas.map(
      ({ area, title }) =>
        html`<h2>${title}</h2>
          <ul>
            ${keysOf(area).map((key) => {
              const { name, title: label } = definitionOf(key);
              return html`<li><a href="#${name}">${label}</a></li>`;
            })}
          </ul>`,
    )}
    <h2>General</h2>
    <ul>
      <li><a href="#errors">Errors</a></li>
    </ul>
  </nav>`;
}

function introduction(): Html {
  return html`<p>
      Each action below can be called in four ways, with the same parameters and the same answer: by its resource
      route, by <code>POST /api/v1/actions/&lt;action&gt;</code>, as the MCP tool of its name at <code>/mcp</code>,
      and by <code>powernode</code> on a command line.
    </p>
    <pre tabindex="0"><code>curl -H "Authorization: Bearer $POWERNODE_TOKEN" \\
     -H "Content-Type: application/json" -d '{"name": "office"}' \\
     $POWERNODE_URL/api/v1/actions/system_sdwan_create_network</code></pre>
    <ul>
      <li>The parameter that names the object may also be given as <code>id</code>. Unknown parameters are refused.</li>
      <li>
        Changes take <code>dry_run</code>: the answer has the would-be object and a <code>plan</code>, and nothing is
        written. <code>POST</code> takes an <code>Idempotency-Key</code> header.
      </li>
      <li>
        A change whose policy is <code>require_approval</code> answers 202 with <code>pending</code> and a
        <code>deferred_operation</code>; with the permission to decide you can set <code>approve</code>. Over MCP a person is asked instead, if the client supports it.
      </li>
      <li>
        Lists take <code>limit</code> and <code>cursor</code>, and answer <code>count</code>, <code>has_more</code> and
        <code>next_cursor</code>.
      </li>
      <li>Events live: <code>GET /api/v1/events/stream</code> (server-sent events).</li>
    </ul>`;
}

function areaSection(area: ActionDefinition['area'], title: string): Html {
  return html`<section aria-labelledby="area-${area}">
    <h2 id="area-${area}">${title}</h2>
    ${keysOf(area).map((key) => actionArticle(definitionOf(key)))}
  </section>`;
}

function actionArticle(action: ActionDefinition): Html {
  const { method, path } = action.route;
  return html`<article id="${action.name}">
    <h3><a href="#${action.name}">${action.title}</a></h3>
    <p>${action.description}</p>
    <dl class="facts">
      <dt>Action, MCP tool</dt>
      <dd><code>${action.name}</code></dd>
      <dt>Route</dt>
      <dd><code>${method} /api/v1/system${path}</code></dd>
      <dt>Command line</dt>
      <dd><code>powernode ${action.cli.noun} ${action.cli.verb}</code></dd>
      <dt>Permission</dt>
      <dd>${action.permission === null ? 'any operator' : html`<code>${action.permission}</code>`}</dd>
      ${
        action.category === null
          ? ''
          : html`<dt>Policy</dt>
              <dd><code>${action.category.name}</code>, by default <code>${action.category.defaultMode}</code></dd>`
      }
    </dl>
    ${parameterTable(action.title, inputSchemaOf(action))}
    <details>
      <summary>Answer</summary>
      <pre tabindex="0"><code>${outline(jsonSchemaOf(z.object(action.output), 'output'), 0)}</code></pre>
    </details>
  </article>`;
}

function parameterTable(title: string, schema: JsonSchema): Html {
  const properties = Object.entries(schema.properties ?? {});
  if (properties.length === 0) return html`<p class="faint">No parameters.</p>`;
  const { required = [] } = schema;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Parameters: ${title}">
    <table>
      <thead>
        <tr>
          <th scope="col">Parameter</th>
          <th scope="col">Type</th>
          <th scope="col">Meaning</th>
        </tr>
      </thead>
      <tbody>
        ${properties.map(
          ([name, property]) =>
            html`<tr>
              <td><code>${name}</code>${required.includes(name) ? ' (required)' : ''}</td>
              <td>${typeText(property)}</td>
              <td>${meaning(property)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

function errorSection(): Html {
  return html`<section aria-labelledby="errors">
    <h2 id="errors">Errors</h2>
    <p>
      Failures are problem documents (RFC 9457, <code>application/problem+json</code>) with one of these codes;
      <code>detail</code> says what to do. The command line ends with the exit code of the same row.
    </p>
    <div class="scroll" tabindex="0" role="region" aria-label="Table of errors">
      <table>
        <thead>
          <tr>
            <th scope="col">Code</th>
            <th scope="col">Status</th>
            <th scope="col">Exit code</th>
            <th scope="col">Meaning</th>
          </tr>
        </thead>
        <tbody>
          ${Object.entries(errorTable).map(
            ([code, { httpStatus, exitCode, title }]) =>
              html`<tr>
                <td><code>${code}</code></td>
                <td>${httpStatus}</td>
                <td>${exitCode}</td>
                <td>${title}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`;
}

function keysOf(area: ActionDefinition['area']): readonly ActionKey[] {
  return actionKeys.filter((key) => definitionOf(key).area === area);
}

/** A schema in a few words: `string (uuid)`, `"hub" | "spoke"`, `string[]`, `boolean | null`. */
function typeText(schema: JsonSchema): string {
  const { type = 'any', enum: values, anyOf, items, format } = schema;
  if (values !== undefined) return values.map((value) => JSON.stringify(value)).join(' | ');
  if (anyOf !== undefined) return anyOf.map(typeText).join(' | ');
  if (type === 'array') return items === undefined ? 'array' : `${typeText(items)}[]`;
  const text = typeof type === 'string' ? type : type.join(' | ');
  return format === undefined ? text : `${text} (${format})`;
}

function meaning(schema: JsonSchema): string {
  const { description = '', default: preset, minimum, maximum, maxLength } = schema;
  const facts = [
    description,
    minimum === undefined ? '' : `at least ${minimum}`,
    maximum === undefined ? '' : `at most ${maximum}`,
    maxLength === undefined ? '' : `at most ${maxLength} characters`,
    preset === undefined ? '' : `default ${JSON.stringify(preset)}`,
  ];
  return facts.filter((fact) => fact !== '').join('; ');
}

/** The properties of an answer, one a line, inner ones indented. */
function outline(schema: JsonSchema, depth: number): string {
  return Object.entries(schema.properties ?? {})
    .map(([name, property]) => {
      const inner = property.items ?? property;
      const nested = inner.properties === undefined ? '' : `\n${outline(inner, depth + 1)}`;
      const type = nested === '' ? typeText(property) : property.items === undefined ? '' : 'list of';
      return `${'  '.repeat(depth)}${name}${type === '' ? '' : `: ${type}`}${nested}`;
    })
    .join('\n');
}
