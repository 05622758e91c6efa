// Seals what a question to a person was about while it travels through the client: authenticated, bound to the
// caller and short-lived. The platform decides an approval once, so that an answer works once.

import { createRequestStateCodec, type ServerContext } from '@modelcontextprotocol/server';
import type { Question } from '@powernode/core/actions/tool-call';
import { confirmationSeconds } from '@powernode/core/limits/clients';

export interface QuestionCodec {
  seal(question: Question, context: ServerContext): Promise<string>;
  verify(state: string, context: ServerContext): Promise<Question>;
}

export function questionCodec(parts: { readonly key: Uint8Array; readonly caller: string }): QuestionCodec {
  const codec = createRequestStateCodec<Question>({
    key: parts.key,
    ttlSeconds: confirmationSeconds,
    bind: () => parts.caller,
  });
  return { seal: (question, context) => codec.mint(question, context), verify: codec.verify };
}
