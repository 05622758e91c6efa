// Holds the console's table of actions to their definitions.
import { actionKeys, actions } from '@powernode/core/actions/catalogue';
import { describe, expect, it } from 'vitest';
import { actionFacts, type ConsoleAction } from './actions.ts';

describe('the actions that the console calls', () => {
  it.each(Object.keys(actionFacts) as ConsoleAction[])('%s is what its definition says', (key) => {
    const { name, permission, category } = actions[key];
    expect(actionFacts[key]).toEqual({ name, permission, category: category?.name ?? null });
  });

  it('name only actions that there are', () => {
    expect(actionKeys).toEqual(expect.arrayContaining(Object.keys(actionFacts)));
  });
});
