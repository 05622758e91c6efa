// What an action promises to the outside, as data: every surface (HTTP, MCP, CLI, console, OpenAPI) is read
// from these definitions. What an action does is bound to its definition in the platform.
import { z } from 'zod';
import type { Permission } from '../intent/account.ts';
import { deferredOperation, type PolicyMode, plan } from '../intent/autonomy.ts';
import { pageSizeDefault, pageSizeMax } from '../limits/requests.ts';
import { revisionMax } from '../limits/texts.ts';

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

/** Fields by the name of the list that they are of; a field of an object in the row is named with a dot. */
type Columns = Readonly<Record<string, readonly string[]>>;

/**
 * When a call that comes over MCP waits for a person, whatever the policy of its category says: because it raises a
 * right, opens something, takes something away or makes a secret. The rule is in docs/how-to/mcp.md.
 *
 * `only`: the call is itself a person's decision; a model cannot even ask for it to be made later.
 * An object decides each parameter of the action; one that decides none, like `never`, is for what only reads.
 */
export type NeedsPerson<Parameter extends string = string> =
  | 'never'
  | 'always'
  | 'only'
  | Readonly<Record<Parameter, ParameterNeeds>>;

/** When a parameter makes a call one for a person: never, whenever it is given, or with one of some values. */
export type ParameterNeeds = 'free' | 'given' | readonly (string | boolean)[];

/** A call that does not say `dry_run: false` is a dry run. */
export interface PlansFirst {
  /** What is enough for a dry run, where the action itself needs more; whoever has that needs this not. */
  readonly permission: Permission;
  /** A parameter of the action in which `dry_run` is read too. */
  readonly alsoIn: string;
}

export interface ActionDefinition<I extends Shape = Shape, O extends Shape = Shape> {
  readonly name: string;
  /** A short line for people: "Create a network". */
  readonly title: string;
  /** What it does, when to use it, what to watch for; read by models and by the reference. */
  readonly description: string;
  /** The action's own parameters. What every action of its kind takes is added by `inputOf`. */
  readonly input: I;
  readonly output: O;
  /** What people look for in the lists of the answer, in the order of how much it matters: the last go where space is short. */
  readonly columns: Columns;
  /** null: any signed-in operator. */
  readonly permission: Permission | null;
  /** null: a reading action, which no policy gates. */
  readonly category: Category | null;
  readonly needsPerson: NeedsPerson;
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
  /** Whether it makes something to be shown once, to a person: a token, or a URL that lets somebody in. */
  readonly makesSecret: boolean;
  /** Such an action plans unless it is told to act. Left out: it acts unless it is told to plan. */
  readonly plansFirst?: PlansFirst;
  /** A group of tools that a client can ask for by name. */
  readonly area:
    | 'accounts'
    | 'fleet'
    | 'provisioning'
    | 'sdwan'
    | 'services'
    | 'firewall'
    | 'routing'
    | 'devices'
    | 'autonomy';
}

/** What every mutating action takes beside its own parameters (contract §1, §7). */
export const mutationInput = {
  dry_run: z.boolean().default(false).meta({ description: 'Return the object and a plan; change nothing' }),
  approve: z
    .boolean()
    .default(false)
    .meta({ description: 'Approve in the same request; requires system.approvals.decide' }),
};
export const revisedInput = {
  if_revision: z
    .int()
    .min(0)
    .max(revisionMax)
    .optional()
    .meta({ description: 'Fail (409) if the revision differs' }),
};

/** Of an action that plans unless it is told to act. */
const plansFirstInput = {
  ...mutationInput,
  dry_run: z.boolean().default(true).meta({ description: 'false: act, and not only plan' }),
};

/** What every list takes. */
export const pageInput = {
  limit: z.int().min(1).max(pageSizeMax).default(pageSizeDefault),
  cursor: z
    .string()
    .max(500)
    .regex(/^[\w-]+$/, 'must be a next_cursor returned by the same list')
    .optional(),
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
  const ofMutation = action.plansFirst === undefined ? mutationInput : plansFirstInput;
  const mutation = action.category === null ? {} : ofMutation;
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

/** Whether a call with these parameters, after parsing, needs a person when it comes over MCP. */
export function callNeedsPerson(
  action: Pick<ActionDefinition, 'needsPerson'>,
  input: Readonly<Record<string, unknown>>,
): boolean {
  const { needsPerson } = action;
  if (typeof needsPerson === 'string') return needsPerson !== 'never';
  return Object.entries(needsPerson).some(([name, needs]) => isGrave(needs, input[name]));
}

function isGrave(needs: ParameterNeeds, value: unknown): boolean {
  if (needs === 'free' || value === undefined) return false;
  return needs === 'given' || needs.some((one) => one === value);
}

/** The same for people and models, in one sentence; empty when none is needed. */
export function needsPersonText({ needsPerson }: Pick<ActionDefinition, 'needsPerson'>): string {
  if (needsPerson === 'never') return '';
  if (needsPerson === 'only') return 'Over MCP a person decides.';
  if (needsPerson === 'always') return 'Over MCP it needs a person’s approval.';
  const entries = Object.entries(needsPerson);
  const given = entries.filter(([, needs]) => needs === 'given').map(([name]) => name);
  const valued = entries.flatMap(([name, needs]) =>
    typeof needs === 'string' ? [] : [`${name} ${needs.join(' or ')}`],
  );
  const parts = [...valued, ...given];
  return parts.length === 0 ? '' : `Over MCP it needs a person’s approval with ${parts.join(', ')}.`;
}

const readHints: Hints = { readOnly: true, destructive: false, idempotent: true, openWorld: false };

type Common<I extends Shape, O extends Shape> = Pick<
  ActionDefinition<I, O>,
  'name' | 'title' | 'description' | 'input' | 'output' | 'permission' | 'route' | 'alsoAt' | 'cli' | 'area'
> & { readonly subject?: string; readonly columns?: Columns };

/** An action that only reads. */
export function read<const I extends Shape, const O extends Shape>(
  spec: Common<I, O>,
): ActionDefinition<I, O> {
  return {
    ...spec,
    columns: spec.columns ?? {},
    category: null,
    needsPerson: 'never',
    hints: readHints,
    subject: spec.subject ?? null,
    revised: false,
    creates: false,
    makesSecret: false,
  };
}

/** What destroys takes something away; the others say for themselves whether they need a person. */
type Kind<Parameter extends string> =
  | { readonly kind: 'create' | 'update'; readonly needsPerson: NeedsPerson<Parameter> }
  | { readonly kind: 'destroy'; readonly needsPerson?: never };

/** An action that changes something. The default policy follows from whether it destroys (contract §7). */
export function mutate<const I extends Shape, const O extends Shape>(
  spec: Common<I, O> &
    Kind<keyof I & string> & {
      readonly category: string;
      readonly defaultMode?: PolicyMode;
      readonly revised?: boolean;
      /** false: doing it twice is not the same as doing it once, though it creates nothing. */
      readonly idempotent?: false;
      readonly makesSecret?: true;
      readonly plansFirst?: PlansFirst;
    },
): ActionDefinition<I, O> {
  const { kind, category, defaultMode, idempotent, needsPerson = 'always', ...rest } = spec;
  return {
    ...rest,
    columns: spec.columns ?? {},
    needsPerson,
    subject: spec.subject ?? null,
    revised: spec.revised ?? kind === 'update',
    creates: kind === 'create',
    makesSecret: spec.makesSecret ?? false,
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
