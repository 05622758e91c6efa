// Layers inside packages: a folder imports itself and those below it (layers.ts).
import { expect, test } from 'vitest';
import { importsOf, isForTests, sources } from './imports.ts';
import { exceptions, type Layers, layers } from './layers.ts';

/** The entry of the table that the file belongs to; null: none. */
function entryOf({ root, order }: Layers, file: string): string | null {
  const [first = '', ...rest] = file.slice(root.length + 1).split('/');
  if (order.includes(first)) return first;
  return rest.length === 0 && order.includes('*') ? '*' : null;
}

const excepted = new Set(
  exceptions.flatMap(({ imported, by }) => by.map((file) => `${file} -> ${imported}`)),
);
const upward: string[] = [];
const messages: string[] = [];

for (const one of layers) {
  const { root, order } = one;
  const files = sources.filter((file) => file.startsWith(`${root}/`) && !isForTests(file));
  test(`the layers of ${root} are those that it has`, () => {
    const entries = new Set(files.map((file) => entryOf(one, file)));
    const unlisted = files.filter((file) => entryOf(one, file) === null);
    expect(unlisted.map((file) => `${file}: give its folder a place in suites/taste/layers.ts`)).toEqual([]);
    expect(order.filter((entry) => !entries.has(entry))).toEqual([]);
  });
  for (const file of files) {
    for (const { file: imported } of importsOf(file)) {
      if (!imported.startsWith(`${root}/`)) continue;
      const own = order.indexOf(entryOf(one, file) ?? '');
      const other = order.indexOf(entryOf(one, imported) ?? '');
      if (other <= own) continue;
      const edge = `${file} -> ${imported}`;
      upward.push(edge);
      if (excepted.has(edge)) continue;
      const lower = order.slice(0, own).filter((entry) => !/[.*]/.test(entry));
      const below = lower.length === 0 ? '' : `, or a folder below it (${lower.join(', ')}),`;
      messages.push(
        `${edge}: ${order[other]} is above ${order[own]}; ${root}/${order[own]}${below} should own what both need`,
      );
    }
  }
}

test('a folder imports none above it', () => {
  expect(messages).toEqual([]);
});

test('every exception is needed, and says why', () => {
  const unneeded = [...excepted].filter((edge) => !upward.includes(edge));
  expect(unneeded.map((edge) => `${edge}: take it out of suites/taste/layers.ts`)).toEqual([]);
  expect(exceptions.filter(({ because }) => because === '')).toEqual([]);
});
