// Reads one message of a stream: one of the kinds that are known here, or one of a later version, which is passed over.
import { z } from 'zod';
import { messageKindLengthMax } from '../limits/texts.ts';

export type Read<T> =
  | { readonly kind: 'message'; readonly message: T }
  /** Of a later version. */
  | { readonly kind: 'unknown'; readonly name: string }
  /** None of the protocol; `why` says where, for a log. */
  | { readonly kind: 'unreadable'; readonly why: string };

const named = z.object({
  kind: z
    .string()
    .max(messageKindLengthMax)
    .regex(/^[a-z][a-z0-9_]*$/),
});

/** `kinds`: those that `schema` knows; one of them that does not fit it is unreadable, and not unknown. */
export function readMessage<T>(
  { schema, kinds }: { readonly schema: z.ZodType<T>; readonly kinds: ReadonlySet<string> },
  value: unknown,
): Read<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return { kind: 'message', message: parsed.data };
  const head = named.safeParse(value);
  if (head.success && !kinds.has(head.data.kind)) return { kind: 'unknown', name: head.data.kind };
  return { kind: 'unreadable', why: firstProblem(parsed.error.issues) };
}

/** `path: what`. Of alternatives the first is looked into: the others are what an unknown thing may be. */
function firstProblem(issues: readonly z.core.$ZodIssue[], above: readonly PropertyKey[] = []): string {
  const [issue] = issues;
  if (issue === undefined) return 'unreadable';
  const path = [...above, ...issue.path];
  if (issue.code === 'invalid_union' && issue.errors[0] !== undefined) {
    return firstProblem(issue.errors[0], path);
  }
  return `${path.map(String).join('.')}: ${issue.message}`;
}
