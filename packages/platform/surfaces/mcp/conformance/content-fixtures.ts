// The tools that the conformance suite calls to see how content, progress, logs and errors are served.
// Never part of the platform: only the suite's test server registers them.
import { fromJsonSchema, inputRequired, type McpServer } from '@modelcontextprotocol/server';

/** A red picture of one pixel, and a silent sound of no samples. */
export const pngBase64 =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==';
const wavBase64 = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=';

const image = { type: 'image', data: pngBase64, mimeType: 'image/png' } as const;

function text(value: string) {
  return { type: 'text', text: value } as const;
}

export function registerContentFixtures(server: McpServer): void {
  registerPlainContent(server);
  registerNotifying(server);
  registerRefusing(server);
  registerSchemas(server);
}

function registerPlainContent(server: McpServer): void {
  const answers = {
    test_simple_text: [text('This is a simple text response for testing.')],
    test_image_content: [image],
    test_audio_content: [{ type: 'audio', data: wavBase64, mimeType: 'audio/wav' } as const],
    test_embedded_resource: [
      embedded('test://embedded-resource', 'text/plain', 'This is an embedded resource content.'),
    ],
    test_multiple_content_types: [
      text('Multiple content types test:'),
      image,
      embedded('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
    ],
  };
  for (const [name, content] of Object.entries(answers)) {
    server.registerTool(name, { description: 'Answers fixed content' }, () => ({ content: [...content] }));
  }
}

function embedded(uri: string, mimeType: string, content: string) {
  return { type: 'resource', resource: { uri, mimeType, text: content } } as const;
}

function registerNotifying(server: McpServer): void {
  for (const name of ['test_tool_with_logging', 'test_logging_tool']) {
    server.registerTool(name, { description: 'Logs three lines' }, async (context) => {
      for (const line of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
        await context.mcpReq.log('info', line);
      }
      return { content: [text('Logged three lines.')] };
    });
  }
  server.registerTool('test_tool_with_progress', { description: 'Reports progress' }, async (context) => {
    const progressToken = context.mcpReq._meta?.progressToken;
    for (const progress of [0, 50, 100]) {
      if (progressToken === undefined) break;
      const params = { progressToken, progress, total: 100 };
      await context.mcpReq.notify({ method: 'notifications/progress', params });
    }
    return { content: [text('Done.')] };
  });
}

function registerRefusing(server: McpServer): void {
  server.registerTool('test_error_handling', { description: 'Always fails' }, () => {
    throw new Error('This tool intentionally returns an error for testing');
  });
  server.registerTool('test_missing_capability', { description: 'Needs sampling' }, () =>
    inputRequired({
      inputRequests: { question: inputRequired.createMessage({ messages: [], maxTokens: 1 }) },
    }),
  );
}

function registerSchemas(server: McpServer): void {
  const header = { type: 'string', 'x-mcp-header': 'Region' };
  server.registerTool(
    'test_custom_header',
    {
      description: 'Takes a parameter that also travels in a header',
      inputSchema: fromJsonSchema({ type: 'object', properties: { region: header }, required: ['region'] }),
    },
    () => ({ content: [text('Header and body agree.')] }),
  );
  server.registerTool(
    'json_schema_2020_12_tool',
    { description: 'Has a schema of many keywords', inputSchema: fromJsonSchema(manyKeywords) },
    () => ({ content: [text('ok')] }),
  );
}

const manyKeywords = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
} as const;
