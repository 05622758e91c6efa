// Keys that a peer had and lost before their node got a document with them: the node is notified. Otherwise it would
// go on offering them, and could not be attached any more once it offers nothing else.
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

/** A new stream of the node, and the retired keys that it is notified of. */
async function listening({ credentials }: JoinedNode, keys: readonly string[]) {
  const retired: string[][] = [];
  const onMessage = (message: PlatformMessage) => {
    if (message.kind === 'keys_retired') retired.push(message.public_keys);
  };
  const node = new SimulatedNode({ nodeUrl: stage.nodeUrl, credentials, unusedKeys: keys, onMessage });
  await node.connect();
  return { node, retired };
}

test('a node that was offline is notified of its retired keys, and of no others', async () => {
  const [removed, held, heldOnLeaf, unused] = [randomKey(), randomKey(), randomKey(), randomKey()];
  const joined = await stage.join({ keys: [removed, held, heldOnLeaf, unused] });
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
  for (const key of [removed, held, heldOnLeaf]) await stage.takeKey(instanceId, key);
  const { node, retired } = await listening(joined, [removed, held, heldOnLeaf, unused]);
  await stage.until(() => retired.length > 0);
  expect(retired).toEqual([[removed]]);
  node.drop();
});

test('a connected node is notified of the keys that its peer lost', async () => {
  const joined = await stage.join();
  const { node, retired } = await listening(joined, []);
  const before = await stage.attach(await stage.network(), joined.instanceId);
  const written = await stage.commit(async (trx) => {
    await trx.deleteFrom('peers').where('id', '=', before.id).execute();
    const change = { kind: 'peer_changed', networkId: before.networkId, before, after: null } as const;
    return { result: null, changes: [change] };
  });
  stage.delivery.changed(stage.accountId, written.sequence, written.changes);
  await stage.until(() => retired.flat().length > 1);
  expect(retired.flat()).toEqual([before.publicKey, before.directKey]);
  node.drop();
});
