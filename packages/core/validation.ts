// Validation errors as their reader needs them: which member, what is wrong with it, and what is accepted instead. The
// sentences of the schema library are written for its own users and reach nobody else.
import type { z } from 'zod';
import type { FieldProblem } from './errors.ts';

type RawIssue = z.core.$ZodRawIssue;
type Issue = z.core.$ZodIssue;

const required = 'is required';

/** Given to a parse as `error`: the message of every issue whose schema has none of its own. */
export function validationMessage(issue: RawIssue): string {
  if (issue.input === undefined && (issue.code === 'invalid_type' || issue.code === 'invalid_value')) {
    return required;
  }
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${typeWords[issue.expected] ?? 'of a different type'}`;
    case 'invalid_value':
      return `must be ${alternatives(issue.values.map(valueText))}`;
    case 'too_small':
      return sizeMessage(issue.origin, issue.inclusive === false ? 'more than' : 'at least', issue.minimum);
    case 'too_big':
      return sizeMessage(issue.origin, issue.inclusive === false ? 'less than' : 'at most', issue.maximum);
    case 'invalid_format':
      return `must be ${formatWords[issue.format] ?? 'in the documented format'}`;
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'unrecognized_keys':
      return `has unknown members: ${issue.keys.join(', ')}`;
    case 'invalid_union':
      return unionMessage(issue);
    case 'invalid_key':
      return 'has a member whose name is not accepted';
    default:
      return 'is not accepted';
  }
}

/** All problems of a failed parse in the contract's form. `unknown`: what is said of a member that the schema lacks. */
export function fieldProblems(error: z.core.$ZodError, unknown: string): FieldProblem[] {
  return error.issues.flatMap((issue) => problemsOf(issue, unknown));
}

function problemsOf(issue: Issue, unknown: string): FieldProblem[] {
  const path = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: path === '' ? key : `${path}.${key}`,
      code: 'unknown_parameter',
      message: unknown,
    }));
  }
  const { message } = issue;
  if (issue.code === 'invalid_type' && message === required) return [{ path, code: 'missing', message }];
  return [{ path, code: issue.code === 'custom' ? 'invalid' : issue.code, message }];
}

const typeWords: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  bigint: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
};

const formatWords: Readonly<Record<string, string>> = {
  uuid: 'a UUID, such as 01980000-0000-7000-8000-000000000001',
  datetime: 'an RFC 3339 time, such as 2026-11-30T12:00:00Z',
  url: 'a URL',
  base64: 'base64',
};

/** `origin`: what is measured, as the schema library names it. */
function sizeMessage(origin: string, bound: string, limit: number | bigint): string {
  if (origin === 'string') {
    return bound === 'at least' && limit === 1
      ? 'must not be empty'
      : `must have ${bound} ${counted(limit, 'character', 'characters')}`;
  }
  if (origin === 'array' || origin === 'set' || origin === 'map') {
    return `must have ${bound} ${counted(limit, 'entry', 'entries')}`;
  }
  return `must be ${bound} ${limit}`;
}

function counted(n: number | bigint, one: string, many: string): string {
  return `${n} ${Number(n) === 1 ? one : many}`;
}

function unionMessage(issue: Extract<RawIssue, { readonly code: 'invalid_union' }>): string {
  const messages = [
    ...new Set(issue.errors.flatMap((branch) => branch.slice(0, 1).map((one) => one.message))),
  ];
  return messages.length === 0 ? 'is of no known kind' : alternatives(messages);
}

function valueText(value: unknown): string {
  return typeof value === 'string' ? value : String(value);
}

/** `a`, `a or b`, `one of a, b, c`. */
function alternatives(texts: readonly string[]): string {
  if (texts.length <= 2) return texts.join(' or ');
  return `one of ${texts.join(', ')}`;
}
