// The fields of a form as a person fills them in, and how each stands in the object afterwards.
import type { Locator } from 'playwright-core';

export type Shown = Readonly<Record<string, unknown>>;

export interface Field {
  /** Of the action that saves the form. */
  readonly parameter: string;
  /** Another value for each number, and none that the object has; fewer than two: nobody can want a third. */
  values(object: Shown, numbers: readonly number[]): readonly string[];
  write(form: Locator, value: string): Promise<unknown>;
  isAt(object: Shown, value: string): boolean;
}

/** The control with that label, which may say that it is optional. */
const control = (form: Locator, label: string) => form.getByLabel(new RegExp(`^${label}(optional)?$`));

const member = (parameter: string) => (object: Shown) => {
  const value = object[parameter];
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
};

/** A field of text, of which `make` makes as many as there are numbers. */
export function text(
  label: string,
  parameter: string,
  make: (number: number) => string,
  of: (object: Shown) => unknown = member(parameter),
): Field {
  return {
    parameter,
    values: (_, numbers) => numbers.map(make),
    write: (form, value) => control(form, label).fill(value),
    isAt: (object, value) => of(object) === value,
  };
}

/** A field with these choices. */
export function choice(
  label: string,
  parameter: string,
  options: readonly string[],
  of: (object: Shown) => unknown = member(parameter),
): Field {
  return {
    parameter,
    values: (object, numbers) => options.filter((one) => one !== of(object)).slice(0, numbers.length),
    write: (form, value) => control(form, label).selectOption(value),
    isAt: (object, value) => of(object) === value,
  };
}

/** A field of text in which only these make sense. */
export function oneOf(label: string, parameter: string, options: readonly string[]): Field {
  return {
    ...choice(label, parameter, options),
    write: (form, value) => control(form, label).fill(value),
  };
}

export function check(label: string, parameter: string): Field {
  const of = member(parameter);
  return {
    parameter,
    values: (object) => [of(object) === 'true' ? 'false' : 'true'],
    write: (form, value) => form.getByRole('checkbox', { name: label }).setChecked(value === 'true'),
    isAt: (object, value) => of(object) === value,
  };
}

/** One tag more. */
export const tags: Field = {
  parameter: 'tags',
  values: (_, numbers) => numbers.map((number) => `tag-${number}`),
  write: (form, value) => control(form, 'Tags').fill(`${value} `),
  isAt: (object, value) => (object['tags'] as string[]).includes(value),
};

/** An ordered list of machines: one more or one less. `names`: hostnames by the id of the peer. */
export function holders(label: string, parameter: string, names: Readonly<Record<string, string>>): Field {
  const listed = (object: Shown) => object[parameter] as readonly string[];
  return {
    parameter,
    values(object, numbers) {
      const others = Object.keys(names)
        .filter((id) => id !== object['primary_holder_peer_id'])
        // Whom the first other choice would make the primary holder comes last.
        .reverse();
      return numbers.map((_, i) => {
        const id = others[i] ?? '';
        return `${listed(object).includes(id) ? 'without' : 'with'} ${id}`;
      });
    },
    async write(form, value) {
      const [how, id = ''] = value.split(' ');
      if (how === 'with')
        await form.getByLabel(`Add to ${label.toLowerCase()}`, { exact: true }).selectOption(id);
      else await form.getByRole('button', { name: `Remove ${names[id]}` }).click();
    },
    isAt(object, value) {
      const [how, id = ''] = value.split(' ');
      return listed(object).includes(id) === (how === 'with');
    },
  };
}
