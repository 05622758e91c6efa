// The first frame of a node. Versions are compared before anything else of it is read, so that a node outside of the
// window hears that, and not that its hello is malformed.
import { servedCapabilities, sharedCapability, windowSentence } from '@powernode/core/wire/capability';
import type { Hello } from '@powernode/core/wire/node-stream';
import { readCapabilities, readFrame } from './read-frame.ts';

export type FirstFrame =
  | { readonly kind: 'hello'; readonly hello: Hello; readonly capability: number }
  /** The two sides share no capability; `sentence` says what each has. */
  | { readonly kind: 'outside'; readonly sentence: string }
  | { readonly kind: 'unreadable'; readonly why: string };

export function readFirstFrame(text: string): FirstFrame {
  const node = readCapabilities(text);
  if (node === null) return { kind: 'unreadable', why: 'no hello' };
  const capability = sharedCapability(servedCapabilities, node);
  if (capability === null) {
    return { kind: 'outside', sentence: windowSentence({ platform: servedCapabilities, node }) };
  }
  const read = readFrame(text, capability);
  if (read.kind === 'unreadable') return read;
  if (read.kind !== 'message' || read.message.kind !== 'hello')
    return { kind: 'unreadable', why: 'no hello' };
  return { kind: 'hello', hello: read.message, capability };
}
