// What an approved operation has made that is shown this once, to who asked for it. It is kept beside the pages: the one
// on which it was fetched changes in the same moment.
import { isRecord } from '@powernode/core/json';
import { createStore } from './store.ts';

export interface Secret {
  /** "Copy the address". */
  readonly label: string;
  readonly text: string;
}

const secretMembers = [
  ['access_grant', 'bootstrap_url', 'the bootstrap URL'],
  ['api_token', 'token', 'the token'],
  ['join_token', 'command', 'the command'],
] as const;

export function secretsOf(result: unknown): Secret[] {
  if (!isRecord(result)) return [];
  return secretMembers.flatMap(([noun, member, label]) => {
    const object = result[noun];
    const text = isRecord(object) ? object[member] : undefined;
    return typeof text === 'string' && text !== '' ? [{ label, text }] : [];
  });
}

export const shownOnce = createStore<readonly Secret[]>([]);
