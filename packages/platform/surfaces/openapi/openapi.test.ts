// The document is valid OpenAPI 3.1 and complete; the reference names every action and needs nothing from elsewhere.
import { actionKeys, definitionOf } from '@powernode/core/actions/catalogue';
import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, test } from 'vitest';
import { docsSurface } from './docs.ts';
import { openApiDocument } from './document.ts';

type Operation = { operationId: string; responses: Record<string, unknown>; parameters?: unknown[] };
type Paths = Record<string, Record<string, Operation>>;

const document = JSON.parse(JSON.stringify(openApiDocument({ version: '1.2.3' }))) as {
  paths: Paths;
  components: { schemas: Record<string, unknown> };
};

function operationAt(method: string, path: string): Operation {
  const operation = document.paths[path]?.[method];
  if (operation === undefined) throw new Error(`the document has no ${method} ${path}`);
  return operation;
}

test('it is valid, and every reference in it leads somewhere', async () => {
  const validator = new Validator();
  const result = await validator.validate(structuredClone(document));
  expect(result).toMatchObject({ valid: true });
  expect(validator.version).toBe('3.1');
  const references = JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g);
  for (const [, path = ''] of references) {
    const found = path
      .split('/')
      .reduce((at: unknown, step) => (at as Record<string, unknown> | undefined)?.[step], document);
    expect(found, path).toBeDefined();
  }
});

test('every action has its resource route and its generic route, with problems and approvals', () => {
  for (const key of actionKeys) {
    const action = definitionOf(key);
    const resource = operationAt(action.route.method.toLowerCase(), `/api/v1/system${action.route.path}`);
    const generic = operationAt('post', `/api/v1/actions/${action.name}`);
    for (const { responses } of [resource, generic]) {
      expect(Object.keys(responses)).toEqual(expect.arrayContaining(['401', '403', '422', '429', 'default']));
      expect('202' in responses, action.name).toBe(action.category !== null);
    }
  }
});

test('nouns are named once and used by reference', () => {
  expect(Object.keys(document.components.schemas)).toEqual(
    expect.arrayContaining([
      'Network',
      'Peer',
      'Instance',
      'Approval',
      'Event',
      'Plan',
      'Problem',
      'CreatedApiToken',
    ]),
  );
  const list = operationAt('get', '/api/v1/system/sdwan/networks').responses['200'];
  expect(JSON.stringify(list)).toContain('"items":{"$ref":"#/components/schemas/Network"}');
});

test('what POST can repeat safely is said', () => {
  const create = operationAt('post', '/api/v1/system/sdwan/networks');
  expect(create.parameters).toContainEqual({ $ref: '#/components/parameters/IdempotencyKey' });
  expect(Object.keys(create.responses)).toEqual(expect.arrayContaining(['200', '201', '202', '409']));
});

test('the reference names every action and loads only its own style sheet', async () => {
  const app = docsSurface({ version: '1.2.3' });
  const response = await app.request('/docs');
  const page = await response.text();
  for (const key of actionKeys) expect(page).toContain(`id="${definitionOf(key).name}"`);
  expect(page.match(/(?:src|href)="(?!#|\/)[^"]*"/g)).toBeNull();
  expect(page).not.toMatch(/<script|style="|onclick/);
  expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
  const style = await app.request('/docs/style.css');
  expect(style.headers.get('content-type')).toContain('text/css');
  expect(await style.text()).not.toMatch(/url\(|@import/);
});
