// Holds the console's facts of the actions to the catalogue. With `--update` the file is written anew.
import { actionKeys, definitionOf } from '@powernode/core/actions/catalogue';
import { expect, it } from 'vitest';
import { z } from 'zod';

it('the facts of every action are those of the catalogue', async () => {
  const facts = actionKeys.map((key) => {
    const { name, permission, category, cli, output } = definitionOf(key);
    const object = cli.noun.replaceAll('-', '_');
    return [key, { name, permission, category: category?.name ?? null, object, list: listOf(output) }];
  });
  const text = `${JSON.stringify(Object.fromEntries(facts), null, 2)}\n`;
  await expect(text).toMatchFileSnapshot('action-facts.json');
});

/** The member of a page that has its rows; null: the answer is no page. */
function listOf(output: z.core.$ZodLooseShape): string | null {
  if (!('has_more' in output)) return null;
  const lists = Object.keys(output).filter((name) => output[name] instanceof z.ZodArray);
  expect(lists).toHaveLength(1);
  return lists[0] ?? null;
}
