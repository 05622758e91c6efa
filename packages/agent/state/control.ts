// How the other commands talk to a running agent: a unix socket in its state directory, which only its user can
// enter. One line of JSON each way, then the end.
import { closeSync, openSync, rmSync } from 'node:fs';
import net from 'node:net';
import { ProductError } from '@powernode/core/errors';
import { parseJson } from '@powernode/core/json';
import { agentControlBytesMax, agentRequestMs } from '@powernode/core/limits/agent';
import { z } from 'zod';
import type { StateFolder } from './folder.ts';

const socketFile = 'agent.sock';
/** Nobody listens, or whoever did was killed before it answered. */
const hasNobody: ReadonlySet<string> = new Set(['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE']);
export const question = z.strictObject({ ask: z.enum(['status', 'stop', 'retry']) });
export type Question = z.infer<typeof question>['ask'];

export interface ControlServer {
  close(): void;
}

/** `answer` gives what is sent back as JSON. The caller has the lock, so a socket that is there is a dead one's. */
export async function serveControl(
  folder: StateFolder,
  /** May be a promise of it. */
  answer: (asked: Question) => unknown,
): Promise<ControlServer> {
  rmSync(folder.at(socketFile), { force: true });
  const server = net.createServer((socket) => {
    let text = '';
    socket.setEncoding('utf8');
    socket.setTimeout(agentRequestMs, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (text.length > 1000) return socket.destroy();
      if (!text.includes('\n')) return;
      const parsed = question.safeParse(parseJson(text));
      const given = parsed.success ? answer(parsed.data.ask) : { error: 'unknown question' };
      Promise.resolve(given)
        .then((value) => socket.end(`${JSON.stringify(value)}\n`))
        .catch(() => socket.destroy());
    });
  });
  await viaShortPath(
    folder,
    (path) =>
      new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(path, resolve);
      }),
  );
  return {
    close() {
      server.close();
      rmSync(folder.at(socketFile), { force: true });
    },
  };
}

/** null: no agent is running on this folder. */
export async function askAgent(folder: StateFolder, ask: Question): Promise<unknown> {
  if (!folder.has(socketFile)) return null;
  return viaShortPath(
    folder,
    (path) =>
      new Promise<unknown>((resolve, reject) => {
        const socket = net.connect(path);
        let text = '';
        socket.setEncoding('utf8');
        socket.setTimeout(agentRequestMs, () => socket.destroy(new Error('no answer')));
        socket.on('connect', () => socket.write(`${JSON.stringify({ ask })}\n`));
        socket.on('data', (chunk: string) => {
          text += chunk;
          if (text.length > agentControlBytesMax) socket.destroy(new Error('an answer without an end'));
        });
        socket.on('error', (error) => {
          if ('code' in error && hasNobody.has(String(error.code))) return resolve(null);
          reject(
            new ProductError(
              'conflict',
              `The running agent does not answer on ${folder.at(socketFile)}: ${error.message}`,
            ),
          );
        });
        socket.on('end', () => resolve(parseJson(text) ?? null));
      }),
  );
}

/** Paths of sockets end at 107 bytes; through an open folder the path is short however deep the folder is. */
async function viaShortPath<T>(folder: StateFolder, use: (path: string) => Promise<T>): Promise<T> {
  if (process.platform !== 'linux') return use(folder.at(socketFile));
  const handle = openSync(folder.path, 'r');
  try {
    return await use(`/proc/self/fd/${handle}/${socketFile}`);
  } finally {
    closeSync(handle);
  }
}
