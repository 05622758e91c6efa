// Reads a token from a file, from a pipe, or from a person without showing it. Never from the command line, where
// every user of the machine could read it.
import { readFile } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import { ProductError } from '@powernode/core/errors';
import type { World } from '../world.ts';

/** Tokens are below 200 characters; whoever pipes a whole file by mistake is told so. */
const tokenLengthMax = 4096;

export async function readToken(world: World, file: string | undefined): Promise<string> {
  const text =
    file !== undefined
      ? await readTokenFile(file)
      : world.stdin.isTTY === true
        ? await promptHidden(world, 'Token: ')
        : await readAll(world);
  const token = text.trim();
  if (token === '') throw new ProductError('usage', 'The token is empty.');
  if (token.length > tokenLengthMax || /\s/.test(token)) {
    throw new ProductError('usage', 'This is not a token: a token has no spaces.');
  }
  return token;
}

async function readTokenFile(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new ProductError('usage', `The token file ${file} cannot be read: ${error.code ?? error.message}.`);
  });
}

async function readAll(world: World): Promise<string> {
  let text = '';
  for await (const chunk of world.stdin) {
    text += String(chunk);
    if (text.length > tokenLengthMax) break;
  }
  return text;
}

const enter = ['\r', '\n', '\u0004'];
const erase = ['\u007f', '\b'];
const interrupt = '\u0003';

function promptHidden(world: World, question: string): Promise<string> {
  const { stdin, stderr } = world;
  const decoder = new StringDecoder('utf8');
  let typed = '';
  stderr.write(question);
  stdin.setRawMode?.(true);
  stdin.resume();
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void) => {
      stdin.off('data', take);
      stdin.setRawMode?.(false);
      stdin.pause();
      stderr.write('\n');
      settle();
    };
    const take = (chunk: Buffer | string) => {
      for (const key of typeof chunk === 'string' ? chunk : decoder.write(chunk)) {
        if (key === interrupt) return finish(() => reject(new ProductError('usage', 'Interrupted.')));
        if (enter.includes(key)) return finish(() => resolve(typed));
        typed = erase.includes(key) ? typed.slice(0, -1) : typed + key;
      }
    };
    stdin.on('data', take);
  });
}
