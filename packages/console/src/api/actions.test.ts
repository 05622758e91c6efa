// Holds the console's facts of the actions to the catalogue. With `--update` the file is written anew.
import { actionKeys, definitionOf } from '@powernode/core/actions/catalogue';
import { expect, it } from 'vitest';

it('the facts of every action are those of the catalogue', async () => {
  const facts = actionKeys.map((key) => {
    const { name, permission, category } = definitionOf(key);
    return [key, { name, permission, category: category?.name ?? null }];
  });
  const text = `${JSON.stringify(Object.fromEntries(facts), null, 2)}\n`;
  await expect(text).toMatchFileSnapshot('action-facts.json');
});
