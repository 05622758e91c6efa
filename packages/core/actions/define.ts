// What an action promises to the outside, as data: every surface (HTTP, MCP, CLI, console, OpenAPI) is read
// from these definitions. What an action does is bound to its definition in the platform.
import { z } from 'zod';
import type { Permission } from '../intent/account.ts';
import { deferredOperation, type PolicyMode, plan } from '../intent/autonomy.ts';
import * as common from '../intent/common.ts';
import { pageSizeDefault, pageSizeMax } from '../limits.ts';

export type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';

/** How a model should think of the tool (MCP tool annotations). */
export interface Hints {
  readonly readOnly: boolean;
  readonly destructive: boolean;
  readonly idempotent: boolean;
  readonly openWorld: boolean;
}

/** A resource route, under `/api/v1/system`. */
export interface Route {
  readonly method: Method;
  /** Parameters in braces. */
  readonly path: string;
}

export interface Category {
  readonly name: string;
  readonly defaultMode: PolicyMode;
}

type Shape = z.core.$ZodLooseShape;

export interface ActionDefinition<I extends Shape = Shape, O extends Shape = Shape> {
  readonly name: string;
  /** A short line for people: "Create a network". */
  readonly title: string;
  /** What it does, when to use it, what to watch for; read by models and by the reference. */
  readonly description: string;
  /** The action's own parameters. What every action of its kind takes is added by `inputOf`. */
  readonly input: I;
  readonly output: O;
  /** null: any signed-in operator. */
  readonly permission: Permission | null;
  /** null: a reading action, which no policy gates. */
  readonly category: Category | null;
  readonly hints: Hints;
  /** The parameter that names the object; plain `id` is its alias. */
  readonly subject: string | null;
  readonly route: Route;
  /** The same by other routes: a verb that has a method of its own is a verb under its member too (contract §6). */
  readonly alsoAt?: readonly Route[];
  readonly cli: { readonly noun: string; readonly verb: string };
  /** Whether it takes `if_revision`. */
  readonly revised: boolean;
  /** Whether it makes an object, which is answered with 201. */
  readonly creates: boolean;
  /** A group of tools that a client can ask for by name. */
  readonly area:
    | 'accounts'
    | 'fleet'
    | 'provisioning'
    | 'sdwan'
    | 'services'
    | 'firewall'
    | 'devices'
    | 'autonomy';
}

/** What every mutating action takes beside its own parameters (contract §1, §7). */
export const mutationInput = {
  dry_run: z
    .boolean()
    .default(false)
    .meta({ description: 'Answer with the would-be object and a plan, and write nothing' }),
  approve: z
    .boolean()
    .default(false)
    .meta({ description: 'Decide in the same breath; needs system.approvals.decide' }),
};
export const revisedInput = {
  if_revision: z
    .int()
    .min(0)
    .optional()
    .meta({ description: 'Answer 409 when the object has another revision by now' }),
};

/** What every list takes. */
export const pageInput = {
  limit: z.int().min(1).max(pageSizeMax).default(pageSizeDefault),
  cursor: z.string().max(500).optional(),
};

/** What every list answers beside its rows. */
export const pageOutput = {
  count: z.int().meta({ description: 'Rows in this page' }),
  has_more: z.boolean(),
  next_cursor: z.string().nullable(),
};

/** Every resource route of an action, the first of which is the one that is shown. */
export function routesOf(action: Pick<ActionDefinition, 'route' | 'alsoAt'>): readonly Route[] {
  return [action.route, ...(action.alsoAt ?? [])];
}

/** The whole input of an action; unknown parameters are refused. */
export function inputOf(action: ActionDefinition): z.ZodObject {
  const mutation = action.category === null ? {} : mutationInput;
  const revised = action.revised ? revisedInput : {};
  return z.strictObject({ ...action.input, ...mutation, ...revised });
}

/** The whole output of an action. A mutation may answer with a plan, or with what waits for approval. */
export function outputOf(action: ActionDefinition): z.ZodObject {
  if (action.category === null) return z.object(action.output);
  return z.object({
    ...z.object(action.output).partial().shape,
    dry_run: z.boolean().optional(),
    plan: plan.optional(),
    pending: z.boolean().optional(),
    deferred_operation: deferredOperation.optional(),
  });
}

/** The values that a handler sees, after parsing. */
export type InputOf<A extends ActionDefinition> =
  A extends ActionDefinition<infer I, infer _O> ? z.output<z.ZodObject<I>> : never;
/** The values that a caller writes. */
export type ParametersOf<A extends ActionDefinition> =
  A extends ActionDefinition<infer I, infer _O>
    ? z.input<z.ZodObject<I>> & { dry_run?: boolean; approve?: boolean; if_revision?: number }
    : never;
export type OutputOf<A extends ActionDefinition> =
  A extends ActionDefinition<infer _I, infer O> ? z.output<z.ZodObject<O>> : never;

const readHints: Hints = { readOnly: true, destructive: false, idempotent: true, openWorld: false };

type Common<I extends Shape, O extends Shape> = Pick<
  ActionDefinition<I, O>,
  'name' | 'title' | 'description' | 'input' | 'output' | 'permission' | 'route' | 'alsoAt' | 'cli' | 'area'
> & { readonly subject?: string };

/** An action that only reads. */
export function read<const I extends Shape, const O extends Shape>(
  spec: Common<I, O>,
): ActionDefinition<I, O> {
  return {
    ...spec,
    category: null,
    hints: readHints,
    subject: spec.subject ?? null,
    revised: false,
    creates: false,
  };
}

/** An action that changes something. The default policy follows from whether it destroys (contract §7). */
export function mutate<const I extends Shape, const O extends Shape>(
  spec: Common<I, O> & {
    readonly category: string;
    readonly kind: 'create' | 'update' | 'destroy';
    readonly defaultMode?: PolicyMode;
    readonly revised?: boolean;
    /** false: doing it twice is not the same as doing it once, though it creates nothing. */
    readonly idempotent?: false;
  },
): ActionDefinition<I, O> {
  const { kind, category, defaultMode, idempotent, ...rest } = spec;
  return {
    ...rest,
    subject: spec.subject ?? null,
    revised: spec.revised ?? kind === 'update',
    creates: kind === 'create',
    category: {
      name: category,
      defaultMode: defaultMode ?? (kind === 'destroy' ? 'require_approval' : 'notify_and_proceed'),
    },
    hints: {
      readOnly: false,
      destructive: kind === 'destroy',
      idempotent: idempotent ?? kind !== 'create',
      openWorld: false,
    },
  };
}

export const idParameter = common.id;
