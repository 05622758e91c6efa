// Slices of pods that nodes say their clusters have, over a real database and real streams.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inAccount } from '../../store/tenancy.ts';
import { connected } from './connected.fixture.ts';
import { Stage } from './stage.fixture.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

test('what a node says is kept in canonical text, and followed when it is something else', async () => {
  const { instanceId, node, looks } = await connected(stage);
  const kept = async () => {
    const row = await inAccount(stage.store, stage.accountId, (trx) =>
      trx.selectFrom('instances').select('pod_slices').where('id', '=', instanceId).executeTakeFirstOrThrow(),
    );
    return row.pod_slices;
  };
  const before = looks();
  node.observe({ pod_slices: ['fd42::/64', '10.42.1.0/24', '10.42.1.0/24', '10.42.1.1/24'] });
  await stage.until(async () => (await kept()).length === 2);
  expect(await kept()).toEqual(['fd42::/64', '10.42.1.0/24']);
  await stage.until(() => looks() > before);
  const followed = looks();
  // The same again, and something else that says nothing of slices.
  node.observe({ pod_slices: ['fd42::/64', '10.42.1.0/24'] });
  node.observe({});
  node.observe({ pod_slices: [] });
  await stage.until(async () => (await kept()).length === 0);
  await stage.until(() => looks() === followed + 1);
});
