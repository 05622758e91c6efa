// What nodes say of FRR, over a real database and real streams.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inAccount } from '../../store/tenancy.ts';
import { connected } from './connected.fixture.ts';
import { Stage } from './stage.fixture.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

test('what a node says is kept as one line, and followed when it is something else', async () => {
  const { instanceId, node, looks } = await connected(stage);
  const kept = async () => {
    const row = await inAccount(stage.store, stage.accountId, (trx) =>
      trx.selectFrom('instances').selectAll().where('id', '=', instanceId).executeTakeFirstOrThrow(),
    );
    return row.routing_daemon;
  };
  expect(await kept()).toBeNull();
  const before = looks();
  node.observe({ routing_daemon: { missing: 'FRR is\nnot installed.' } });
  await stage.until(() => looks() > before);
  expect(await kept()).toEqual({ missing: 'FRR is not installed.' });
  const followed = looks();
  // The same again, and something else that says nothing of FRR.
  node.observe({ routing_daemon: { missing: 'FRR is not installed.' } });
  node.observe({});
  node.observe({ routing_daemon: { missing: null } });
  await stage.until(() => looks() > followed);
  expect(await kept()).toEqual({ missing: null });
  expect(looks()).toBe(followed + 1);
});
