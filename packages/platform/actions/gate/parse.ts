// Reads the parameters of a call: `id` as the alias of the subject, unknown parameters refused, every problem named.
import { type ActionKey, actionKeys, definitionOf } from '@powernode/core/actions/catalogue';
import { inputOf } from '@powernode/core/actions/define';
import { ProductError } from '@powernode/core/errors';
import { fieldProblems, validationMessage } from '@powernode/core/validation';
import { illFormedAt } from '@powernode/core/wire/json-text';
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
  const named = withSubject({ ...(raw as Record<string, unknown> | undefined) }, action.subject);
  const parameters = withDryRun(named, action.plansFirst?.alsoIn ?? null);
  const schema = schemas.get(key);
  if (schema === undefined) throw new Error(`the action ${key} has no schema`);
  refuseIllFormed(parameters);
  const result = schema.safeParse(parameters, { error: validationMessage });
  if (!result.success) throw validationError(result.error);
  // What only reads has none of these but as parameters of its own.
  if (action.category === null) return { input: result.data, dryRun: false, approve: false };
  const { dry_run: dryRun = false, approve = false, ...input } = result.data;
  return { input, dryRun: dryRun === true, approve: approve === true };
}

/** Half of a surrogate pair is no character: it cannot be stored, and two readers would show it differently. */
function refuseIllFormed(parameters: Record<string, unknown>): void {
  const path = illFormedAt(parameters);
  if (path === null) return;
  throw new ProductError(
    'validation_failed',
    `${path}: contains an unpaired surrogate, which is not a valid character.`,
    {
      fields: [
        { path, code: 'invalid', message: 'contains an unpaired surrogate, which is not a valid character' },
      ],
    },
  );
}

function withSubject(parameters: Record<string, unknown>, subject: string | null): Record<string, unknown> {
  if (subject === null || !Object.hasOwn(parameters, 'id')) return parameters;
  const { id, ...rest } = parameters;
  if (!Object.hasOwn(rest, subject)) return { ...rest, [subject]: id };
  if (rest[subject] === id) return rest;
  throw new ProductError(
    'validation_failed',
    `id and ${subject} refer to different objects; give only one.`,
    {
      fields: [{ path: 'id', code: 'contradiction', message: `differs from ${subject}` }],
    },
  );
}

/** `dry_run` may stand in that parameter: it is taken out, and is as if it stood beside. */
function withDryRun(parameters: Record<string, unknown>, alsoIn: string | null): Record<string, unknown> {
  const inside = alsoIn === null ? undefined : parameters[alsoIn];
  if (alsoIn === null || typeof inside !== 'object' || inside === null || !Object.hasOwn(inside, 'dry_run')) {
    return parameters;
  }
  const { dry_run: dryRun, ...rest } = inside as Record<string, unknown>;
  if (!Object.hasOwn(parameters, 'dry_run') || parameters['dry_run'] === dryRun) {
    return { ...parameters, [alsoIn]: rest, dry_run: dryRun };
  }
  throw new ProductError(
    'validation_failed',
    `dry_run and ${alsoIn}.dry_run say different things; give only one.`,
    { fields: [{ path: `${alsoIn}.dry_run`, code: 'contradiction', message: 'differs from dry_run' }] },
  );
}

/** All problems of an input in the contract's form. */
function validationError(error: z.core.$ZodError): ProductError {
  const fields = fieldProblems(error, 'is not a parameter of this action').slice(0, problemsShownMax);
  const first = fields[0];
  const detail =
    first === undefined
      ? 'The parameters are invalid.'
      : `${first.path === '' ? 'parameters' : first.path}: ${first.message}${fields.length > 1 ? ` (and ${fields.length - 1} more)` : ''}.`;
  return new ProductError('validation_failed', detail, { fields });
}

const problemsShownMax = 50;
