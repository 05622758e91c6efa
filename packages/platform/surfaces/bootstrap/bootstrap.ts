// The bootstrap page and its two questions. Nobody is signed in here: the secret of an access grant is all that counts,
// and it comes in a body, never in an address. Nothing ambient (cookies, addresses) lets anyone in, so a page of
// another origin has nothing to borrow; it could not read the answers either.
//
// The page is the console's second entry (packages/console/bootstrap.html): it needs a bundle for its QR code, and the
// console is what is built and served already.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { ProductError } from '@powernode/core/errors';
import * as common from '@powernode/core/intent/common';
import { endpointFamily } from '@powernode/core/intent/user-device';
import { bootstrapTokenLengthMax } from '@powernode/core/limits/overlay';
import { fieldProblems, validationMessage } from '@powernode/core/validation';
import {
  type BootstrapDevice,
  bootstrapInspectPath,
  bootstrapIssuePath,
  bootstrapPath,
} from '@powernode/core/wire/bootstrap';
import { Hono } from 'hono';
import { z } from 'zod';
import type { Bootstrap } from '../../actions/sdwan/devices/bootstrap.ts';
import { jsonBody } from '../http/body.ts';
import { type HttpContext, type HttpEnv, sourceOf } from '../http/environment.ts';

/** Scripts and styles of its own, words with its own platform, and nothing else. */
const contentPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

export const token = z.string().max(bootstrapTokenLengthMax);
export const inspectBody = z.strictObject({ token });
export const issueBody = z.strictObject({
  token,
  public_key: common.publicKey,
  name: common.name.optional(),
  endpoint_family: endpointFamily.optional(),
});

export interface BootstrapSurfaceParts {
  readonly bootstrap: Bootstrap;
  readonly consoleDirectory: string;
}

export function bootstrapSurface({ bootstrap, consoleDirectory }: BootstrapSurfaceParts): Hono<HttpEnv> {
  const app = new Hono<HttpEnv>();
  app.get(bootstrapPath, (context) => page(context, consoleDirectory));
  app.post(bootstrapInspectPath, async (context) => {
    const body = read(inspectBody, await jsonBody(context));
    return context.json(await bootstrap.inspect({ token: body.token, source: sourceOf(context) }));
  });
  app.post(bootstrapIssuePath, async (context) => {
    const body = read(issueBody, await jsonBody(context));
    const device = await bootstrap.issue({
      token: body.token,
      source: sourceOf(context),
      publicKey: body.public_key,
      name: body.name ?? null,
      endpointFamily: body.endpoint_family,
      idempotencyKey: context.req.header('idempotency-key'),
      correlationId: context.get('correlationId'),
    });
    return wantsText(context) ? context.text(textOf(device)) : context.json(device);
  });
  return app;
}

async function page(context: HttpContext, directory: string): Promise<Response> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path.join(directory, 'bootstrap.html'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return context.text('The page is not built. Start the platform with "npm run up".\n', 503);
  }
  return context.body(new Uint8Array(bytes), 200, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': contentPolicy,
    'cache-control': 'no-store',
  });
}

/** Says which member does not fit, and never what was in it: that may be a secret. */
function read<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  const parsed = schema.safeParse(body, { error: validationMessage });
  if (parsed.success) return parsed.data;
  const fields = fieldProblems(parsed.error, 'is not a member of this request');
  const named = fields.map((field) => `${field.path}: ${field.message}`).join('; ');
  throw new ProductError('validation_failed', `The request is invalid: ${named}.`, { fields });
}

/** For wg-quick a line with # is a comment. */
function textOf({ config, endpoint_warning: warning }: BootstrapDevice): string {
  return warning === null ? config : `# ${warning}\n${config}`;
}

/** Scripts ask for the configuration alone. */
function wantsText(context: HttpContext): boolean {
  const accepted = context.req.header('accept') ?? '';
  return /\btext\/plain\b/.test(accepted) && !/\bapplication\/json\b/.test(accepted);
}
