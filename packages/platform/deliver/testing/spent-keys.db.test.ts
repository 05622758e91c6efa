// Keys that were given to a peer and taken back before their node saw it: it is told, or it would offer them for ever
// and could not be attached any more once it offers nothing else.
import type { PlatformMessage } from '@powernode/core/wire/node-stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inAccount } from '../../store/tenancy.ts';
import { SimulatedNode } from '../simulated-node.ts';
import { type JoinedNode, randomKey, Stage } from './stage.fixture.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

/** The machine's stream anew, and the keys that it is told are spent. */
async function listening({ credentials }: JoinedNode, keys: readonly string[]) {
  const spent: string[][] = [];
  const onMessage = (message: PlatformMessage) => {
    if (message.kind === 'keys_retired') spent.push(message.public_keys);
  };
  const node = new SimulatedNode({ nodeUrl: stage.nodeUrl, credentials, unusedKeys: keys, onMessage });
  await node.connect();
  return { node, spent };
}

test('a node that was away is told which of its keys are spent, and of no other', async () => {
  const [gone, held, heldOnLeaf, unused] = [randomKey(), randomKey(), randomKey(), randomKey()];
  const joined = await stage.join({ keys: [gone, held, heldOnLeaf, unused] });
  const { instanceId } = joined;
  await joined.node.connect();
  await stage.until(async () => (await stage.keys(instanceId)).length === 4);
  joined.node.drop();
  const peer = await stage.attach(await stage.network(), instanceId);
  await inAccount(stage.store, stage.accountId, (trx) =>
    trx
      .updateTable('peers')
      .set({ public_key: held, direct_key: heldOnLeaf })
      .where('id', '=', peer.id)
      .execute(),
  );
  for (const key of [gone, held, heldOnLeaf]) await stage.takeKey(instanceId, key);
  const { node, spent } = await listening(joined, [gone, held, heldOnLeaf, unused]);
  await stage.until(() => spent.length > 0);
  expect(spent).toEqual([[gone]]);
  node.drop();
});

test('a connected node is told of the keys that its peer gave up', async () => {
  const joined = await stage.join();
  const { node, spent } = await listening(joined, []);
  const before = await stage.attach(await stage.network(), joined.instanceId);
  const written = await stage.commit(async (trx) => {
    await trx.deleteFrom('peers').where('id', '=', before.id).execute();
    const change = { kind: 'peer_changed', networkId: before.networkId, before, after: null } as const;
    return { result: null, changes: [change] };
  });
  stage.delivery.changed(stage.accountId, written.sequence, written.changes);
  await stage.until(() => spent.flat().length > 1);
  expect(spent.flat()).toEqual([before.publicKey, before.directKey]);
  node.drop();
});
