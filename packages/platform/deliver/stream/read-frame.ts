// Reads what came on a node's stream: JSON of one of the protocol's messages, and nothing that could not be stored or that
// another reader could take differently.
import { ProductError } from '@powernode/core/errors';
import { nodeFrameDepthMax } from '@powernode/core/limits/node-stream';
import type { CapabilityRange } from '@powernode/core/wire/capability';
import { fromEarlier } from '@powernode/core/wire/earlier';
import { readJsonText } from '@powernode/core/wire/json-text';
import {
  firstFrame,
  type NodeMessage,
  nodeCapabilities,
  nodeMessages,
} from '@powernode/core/wire/node-stream';
import { type Read, readMessage } from '@powernode/core/wire/read-message';

/** NUL and lone surrogates are no text to PostgreSQL, and one of them would spoil the batch it is written in. */
const unstorable = /\\u(?:0000|[dD][89a-fA-F])/;

/** `capability`: what both sides speak. */
export function readFrame(text: string, capability: number): Read<NodeMessage> {
  const value = fromEarlier(parse(text), capability);
  return value === undefined
    ? { kind: 'unreadable', why: 'no JSON, or a name twice in one object' }
    : readMessage(nodeMessages, value);
}

/** What the node of this first frame serves, whatever else is in it; null: it is no hello. */
export function readCapabilities(text: string): CapabilityRange | null {
  const parsed = firstFrame.safeParse(parse(text));
  return parsed.success ? nodeCapabilities(parsed.data) : null;
}

function parse(text: string): unknown {
  if (unstorable.test(text)) return undefined;
  try {
    return readJsonText(text, nodeFrameDepthMax);
  } catch (error) {
    if (error instanceof ProductError) return undefined;
    throw error;
  }
}
