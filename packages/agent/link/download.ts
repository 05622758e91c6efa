// Fetches a file from the platform to the disk, and checks that it is the one that was meant before anybody uses it.
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import https from 'node:https';
import { pipeline } from 'node:stream/promises';
import type { ConnectionOptions } from 'node:tls';
import { ProductError } from '@powernode/core/errors';
import { packageIdleMs } from '@powernode/core/limits/packages';
import { unreachable } from './unreachable.ts';

export interface DownloadRequest {
  readonly url: URL;
  readonly tls: ConnectionOptions;
  readonly file: string;
  readonly bytes: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
}

export async function download({ url, tls, file, bytes, sha256 }: DownloadRequest): Promise<void> {
  const answer = await get(url, tls);
  const digest = createHash('sha256');
  let size = 0;
  try {
    await pipeline(
      answer,
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          size += chunk.length;
          if (size > bytes) throw new Error(`more than the ${bytes} bytes that were announced`);
          digest.update(chunk);
          yield chunk;
        }
      },
      createWriteStream(file, { flags: 'wx', mode: 0o600 }),
    );
  } catch (error) {
    throw unreachable(url, error instanceof Error ? error : new Error(String(error)));
  }
  if (size === bytes && digest.digest('hex') === sha256) return;
  throw new ProductError(
    'untrusted_peer',
    `${url.href} is not the file that the platform announced (SHA-256 ${sha256}). Nothing was changed; try again in a minute.`,
  );
}

function get(url: URL, tls: ConnectionOptions): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const options = { ...tls, agent: false as const, timeout: packageIdleMs };
    const request = https.get(url, options, (answer) => {
      if (answer.statusCode === 200) return resolve(answer);
      answer.resume();
      reject(unreachable(url, new Error(`HTTP status ${answer.statusCode}`)));
    });
    request.on('timeout', () => request.destroy(new Error(`nothing came for ${packageIdleMs} ms`)));
    request.on('error', (error) => reject(unreachable(url, error)));
  });
}
