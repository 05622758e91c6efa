// A failure on standard error: what is wrong and what to do, then each wrong parameter by its flag.
import { ProductError, problemOf } from '@powernode/core/errors';
import { clean } from './text.ts';

export function problemText(thrown: unknown): string {
  if (!(thrown instanceof ProductError)) return `powernode: ${unexpected(thrown)}\n`;
  const lines = [`powernode: ${clean(thrown.detail)}`];
  for (const { path, message } of thrown.fields) lines.push(`  ${flagName(path)}: ${clean(message)}`);
  return `${lines.join('\n')}\n`;
}

export function problemJson(thrown: unknown): string {
  return `${JSON.stringify(problemOf(thrown), null, 2)}\n`;
}

/** `node_instance_id` as `--node-instance-id`, and a place inside a list after it: `--tags.0`. */
function flagName(path: string): string {
  if (path === '') return 'parameters';
  return `--${clean(path).replaceAll('_', '-')}`;
}

/** A bug of the command line itself: whoever reports it needs to say where. */
function unexpected(thrown: unknown): string {
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
}
