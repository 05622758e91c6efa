// One action as a command: `powernode network create --name office`.
import { type ActionKey, definitionOf } from '@powernode/core/actions/catalogue';
import type { ActionDefinition } from '@powernode/core/actions/define';
import { ProductError } from '@powernode/core/errors';
import { buildCommand, type Command } from '@stricli/core';
import { safeParse } from 'zod/v4/core';
import { findTarget } from '../login/target.ts';
import { platformAt } from '../remote/platform.ts';
import { showAnswer } from '../show/answer.ts';
import type { CliContext } from '../world.ts';
import { reporting } from './failure.ts';
import { type Flag, flagsOf, kebab } from './flags.ts';

type Given = Readonly<Record<string, unknown>> & {
  readonly json?: boolean;
  readonly url?: string;
  readonly ca?: string;
};

export function actionCommand(key: ActionKey): Command<CliContext> {
  const action = definitionOf(key);
  const { flags, inputOf } = flagsOf(action);
  return buildCommand<Given, string[], CliContext>({
    docs: { brief: action.title, fullDescription: fullDescription(action), ...usage(action, flags) },
    parameters: {
      flags: flags as never,
      ...(action.subject === null ? {} : { positional: subjectArgument(action.subject) }),
    },
    func(given, ...subjects) {
      return reporting(given.json, async () => {
        const input = withSubject(action, { input: inputOf(given), subject: subjects[0] });
        const platform = platformAt(await findTarget(this.world, given));
        const { body } = await platform.call(action.name, input);
        const text =
          given.json === true
            ? `${JSON.stringify(body, null, 2)}\n`
            : showAnswer(body, { columns: this.world.stdout.columns });
        this.world.stdout.write(text);
      });
    },
  });
}

/** The generated line would leave out the argument, because its flag can stand for it. */
function usage(action: ActionDefinition, flags: Readonly<Record<string, Flag>>) {
  if (action.subject === null) return {};
  const needed = Object.entries(flags).filter(([, flag]) => !flag.optional);
  const words = needed.map(([key, flag]) => {
    const values = flag['values'] as readonly string[] | undefined;
    return `(--${kebab(snake(key))} ${values?.join('|') ?? String(flag['placeholder'])})`;
  });
  const subject = `<${kebab(action.subject)}>`;
  return { customUsage: [[needsSubject(action) ? subject : `[${subject}]`, ...words].join(' ')] };
}

/** Some objects have another name too: a policy has its category. */
function needsSubject(action: ActionDefinition): boolean {
  const schema = action.subject === null ? undefined : action.input[action.subject];
  return schema !== undefined && !safeParse(schema, undefined).success;
}

function snake(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function subjectArgument(subject: string) {
  const placeholder = kebab(subject);
  const parameter = {
    brief: 'Id of the object; same as its flag',
    parse: String,
    placeholder,
    optional: true,
  };
  return { kind: 'tuple', parameters: [parameter] } as never;
}

function withSubject(
  action: ActionDefinition,
  given: { readonly input: Record<string, unknown>; readonly subject: string | undefined },
): Record<string, unknown> {
  const { input, subject } = given;
  if (action.subject === null) return input;
  const named = input[action.subject];
  if (subject === undefined && named === undefined) {
    if (!needsSubject(action)) return input;
    const flag = kebab(action.subject);
    throw new ProductError('usage', `Give the id of the object: <${flag}> or --${flag}.`);
  }
  if (subject !== undefined && named !== undefined && subject !== named) {
    throw new ProductError(
      'usage',
      `The argument and --${kebab(action.subject)} refer to different objects.`,
    );
  }
  return { ...input, [action.subject]: subject ?? named };
}

function fullDescription(action: ActionDefinition): string {
  const facts = [
    action.description,
    action.permission === null ? '' : `Permission: ${action.permission}.`,
    action.category === null
      ? ''
      : `Policy category: ${action.category.name}, by default ${action.category.defaultMode}.`,
    `Action: ${action.name}.`,
  ];
  return facts.filter((fact) => fact !== '').join('\n');
}
