// Ids of different nouns are not each other, which the compiler sees to: a line here that is wrong does not compile.
import { expect, expectTypeOf, test } from 'vitest';
import type { ItemId, MemberId } from './compile/model.ts';
import type { Id, InstanceId, NetworkId, PeerId, PublicKey } from './ids.ts';

test('an id is text, and text that was parsed may become one', () => {
  const peerId: PeerId = 'peer';
  const text: string = peerId;
  expect(text).toBe('peer');
});

test('the id of one noun is none of another', () => {
  expectTypeOf<PeerId>().not.toExtend<InstanceId>();
  expectTypeOf<NetworkId>().not.toExtend<PeerId>();
  expectTypeOf<PublicKey>().not.toExtend<PeerId>();
  expectTypeOf<PeerId>().not.toExtend<ItemId>();
  expectTypeOf<Map<PeerId, string>>().not.toExtend<Map<InstanceId, string>>();
});

test('an id of one of several nouns is one of them', () => {
  expectTypeOf<Id<'user_device'>>().toExtend<ItemId>();
  expectTypeOf<PeerId>().toExtend<MemberId>();
  expectTypeOf<ItemId>().toExtend<MemberId>();
  expectTypeOf<InstanceId>().not.toExtend<MemberId>();
});
