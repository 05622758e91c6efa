// From the text of a lab file to a checked specification. Every complaint names the line, the path and what
// was written there.
import { ProductError } from '@powernode/core/errors';
import { labFileBytesMax } from '@powernode/core/limits/lab';
import { validationMessage } from '@powernode/core/validation';
import { type Document, isNode, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { checkSpec } from './check.ts';
import { type LabSpec, type LabSpecInput, labSpec, type SpecProblem } from './spec.ts';

/** A lab file as it was read: where from, and its text. */
export interface LabSource {
  readonly path: string;
  readonly text: string;
}

export function readSpec(source: LabSource): LabSpec {
  if (Buffer.byteLength(source.text) > labFileBytesMax) {
    throw new ProductError(
      'payload_too_large',
      `${source.path}: a lab file is at most ${labFileBytesMax} bytes`,
    );
  }
  const lines = new LineCounter();
  const document = parseDocument(source.text, { lineCounter: lines, prettyErrors: true });
  const broken = document.errors[0];
  if (broken !== undefined) {
    throw new ProductError('malformed_request', `${source.path} is not YAML: ${broken.message.trimEnd()}`);
  }
  return accept(document.toJS(), {
    where: source.path,
    line: (path) => lineOf(document, lines, path),
  });
}

/** The same checks for a specification that a program has made. */
export function acceptSpec(input: LabSpecInput): LabSpec {
  return accept(input, { where: 'lab', line: () => null });
}

interface Origin {
  readonly where: string;
  readonly line: (path: readonly (string | number)[]) => number | null;
}

function accept(value: unknown, origin: Origin): LabSpec {
  const parsed = labSpec.safeParse(value, { error: validationMessage });
  const problems = parsed.success ? checkSpec(parsed.data) : parsed.error.issues.flatMap(fromIssue);
  if (parsed.success && problems.length === 0) return parsed.data;
  const sentences = problems.map((problem) => {
    const line = origin.line(problem.path);
    const at = line === null ? origin.where : `${origin.where}:${line}`;
    return `${at}: ${dotted(problem.path)}: ${problem.message}${quote(value, problem.path)}`;
  });
  throw new ProductError('validation_failed', sentences.join('\n'), {
    fields: problems.map(({ path, message }) => ({ path: dotted(path), code: 'invalid', message })),
  });
}

function fromIssue(issue: z.core.$ZodIssue): SpecProblem[] {
  const path = issue.path.filter((key) => typeof key !== 'symbol');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key], message: 'there is no such setting' }));
  }
  if (issue.code === 'invalid_union') {
    const first = issue.errors[0]?.[0];
    return [{ path, message: first?.message ?? issue.message }];
  }
  return [{ path, message: issue.message }];
}

function dotted(path: readonly (string | number)[]): string {
  const text = path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`)).join('');
  return text.replace(/^\./, '') || 'the file';
}

/** ` (written: "…")`, unless there is nothing there or the message has it already. */
function quote(value: unknown, path: readonly (string | number)[]): string {
  let at: unknown = value;
  for (const key of path) at = at !== null && typeof at === 'object' ? Reflect.get(at, key) : undefined;
  if (at === undefined || path.length === 0) return '';
  const text = JSON.stringify(at);
  return ` (written: ${text.length > 80 ? `${text.slice(0, 80)}…` : text})`;
}

/** The line of the node at the path, or of its nearest parent when it is missing. */
function lineOf(document: Document, lines: LineCounter, path: readonly (string | number)[]): number | null {
  for (let length = path.length; length >= 0; length--) {
    const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return null;
}
