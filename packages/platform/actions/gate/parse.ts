// Reads the parameters of a call: `id` as the alias of the subject, unknown parameters refused, every problem named.
import { type ActionKey, actionKeys, definitionOf } from '@powernode/core/actions/catalogue';
import { inputOf } from '@powernode/core/actions/define';
import { type FieldProblem, ProductError } from '@powernode/core/errors';
import type { z } from 'zod';

const schemas: ReadonlyMap<ActionKey, z.ZodObject> = new Map(
  actionKeys.map((key) => [key, inputOf(definitionOf(key))]),
);

/** Parameters after checking: what every mutating action takes is taken out. */
export interface ParsedCall {
  /** The handler's parameters. */
  readonly input: Record<string, unknown>;
  readonly dryRun: boolean;
  readonly approve: boolean;
}

export function parseCall(key: ActionKey, raw: unknown): ParsedCall {
  const action = definitionOf(key);
  if (raw !== undefined && (typeof raw !== 'object' || raw === null || Array.isArray(raw))) {
    throw new ProductError(
      'malformed_request',
      'The parameters must be a JSON object, such as {"name": "edge"}.',
    );
  }
  const parameters = withSubject({ ...(raw as Record<string, unknown> | undefined) }, action.subject);
  const schema = schemas.get(key);
  if (schema === undefined) throw new Error(`the action ${key} has no schema`);
  const result = schema.safeParse(parameters);
  if (!result.success) throw validationError(result.error);
  const { dry_run: dryRun = false, approve = false, ...input } = result.data;
  return { input, dryRun: dryRun === true, approve: approve === true };
}

function withSubject(parameters: Record<string, unknown>, subject: string | null): Record<string, unknown> {
  if (subject === null || !Object.hasOwn(parameters, 'id')) return parameters;
  const { id, ...rest } = parameters;
  if (!Object.hasOwn(rest, subject)) return { ...rest, [subject]: id };
  if (rest[subject] === id) return rest;
  throw new ProductError('validation_failed', `id and ${subject} name different objects; give one of them.`, {
    fields: [{ path: 'id', code: 'contradiction', message: `is another than ${subject}` }],
  });
}

/** All problems of an input in the contract's form. */
function validationError(error: z.core.$ZodError): ProductError {
  const fields = error.issues.flatMap(problemsOf).slice(0, problemsShownMax);
  const first = fields[0];
  const detail =
    first === undefined
      ? 'The parameters do not fit.'
      : `${first.path === '' ? 'parameters' : first.path}: ${first.message}${fields.length > 1 ? ` (and ${fields.length - 1} more)` : ''}.`;
  return new ProductError('validation_failed', detail, { fields });
}

const problemsShownMax = 50;

function problemsOf(issue: z.core.$ZodIssue): FieldProblem[] {
  const path = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: path === '' ? key : `${path}.${key}`,
      code: 'unknown_parameter',
      message: 'is not a parameter of this action',
    }));
  }
  const missing =
    issue.code === 'invalid_type' && issue.input === undefined && /undefined/.test(issue.message);
  if (missing) return [{ path, code: 'missing', message: 'is required' }];
  return [{ path, code: issue.code === 'custom' ? 'invalid' : issue.code, message: issue.message }];
}
