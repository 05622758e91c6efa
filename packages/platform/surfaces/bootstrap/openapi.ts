// What the OpenAPI document says of the bootstrap page's two questions. No token of an operator is asked for.

import type { JsonSchema } from '@powernode/core/actions/json-schema';
import { bootstrapInspectPath, bootstrapIssuePath } from '@powernode/core/wire/bootstrap';
import { idempotencyKey, json } from '../openapi/operations.ts';

const text: JsonSchema = { type: 'string' };
const secret: JsonSchema = { type: 'string', description: 'The part after the # of the bootstrap URL' };
const problem = (name: string) => ({ $ref: `#/components/responses/${name}` });
const problems = {
  404: problem('NotFound'),
  409: problem('Conflict'),
  422: problem('ValidationFailed'),
  429: problem('RateLimited'),
  default: problem('Problem'),
};

const grant = object({
  device_name_hint: text,
  network_name: text,
  expires_at: { ...text, format: 'date-time' },
});
const device = object({
  name: text,
  network_name: text,
  host_address: text,
  ipv4_address: { type: ['string', 'null'] },
  config: { type: 'string', description: 'For wg-quick(8), with a placeholder for the private key' },
  file_name: text,
  endpoint_warning: { type: ['string', 'null'], description: 'Why the device may not connect' },
});

export const bootstrapPaths = {
  [bootstrapInspectPath]: {
    post: {
      operationId: 'inspect_access_grant',
      summary: 'Inspect a bootstrap URL',
      description:
        'Does not use the link. An unknown secret answers 404; used, expired and revoked ones answer 409.',
      tags: ['sdwan'],
      security: [],
      requestBody: { required: true, content: json(object({ token: secret })) },
      responses: { 200: { description: 'It can be used', content: json(grant) }, ...problems },
    },
  },
  [bootstrapIssuePath]: {
    post: {
      operationId: 'use_access_grant',
      summary: 'Use a bootstrap URL for a public key',
      description:
        'Works once. A repeated request with the same Idempotency-Key gets the same answer while the access grant is valid. With Accept: text/plain the answer is the configuration alone.',
      tags: ['sdwan'],
      security: [],
      parameters: [idempotencyKey],
      requestBody: {
        required: true,
        content: json({
          ...object({
            token: secret,
            public_key: { ...text, description: 'Of WireGuard, base64' },
            name: text,
            endpoint_family: {
              ...text,
              enum: ['ipv4', 'ipv6'],
              description: 'Of the hub endpoint; left out: that of the request, where it is known',
            },
          }),
          required: ['token', 'public_key'],
        }),
      },
      responses: {
        200: {
          description: 'The device is added',
          content: { ...json(device), 'text/plain': { schema: text } },
        },
        403: problem('PermissionDenied'),
        ...problems,
      },
    },
  },
};

function object(properties: Record<string, JsonSchema>): JsonSchema {
  return {
    type: 'object',
    properties,
    required: Object.keys(properties),
    additionalProperties: false,
  };
}
