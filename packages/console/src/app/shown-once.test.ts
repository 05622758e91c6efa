// Which parts of a result are shown once.
import { expect, it } from 'vitest';
import { secretsOf } from './shown-once.ts';

it('finds what is shown once, and nothing in results that have none', () => {
  expect(secretsOf({ access_grant: { id: 'g', bootstrap_url: 'https://x/bootstrap#s' } })).toEqual([
    { label: 'the bootstrap URL', text: 'https://x/bootstrap#s' },
  ]);
  expect(secretsOf({ api_token: { token: 'pnt_x' } })).toEqual([{ label: 'the token', text: 'pnt_x' }]);
  for (const none of [null, undefined, {}, { access_grant: { id: 'g' } }, { network: { token: 'x' } }]) {
    expect(secretsOf(none)).toEqual([]);
  }
});
