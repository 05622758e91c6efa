// What the platform writes is what is pinned, letter for letter but for the order of members.
import { CompiledEntry } from '@powernode/core/compile/patch';
import { newestCapability } from '@powernode/core/wire/capability';
import { isKnownEntry } from '@powernode/core/wire/document';
import { type PlatformMessage, platformMessages } from '@powernode/core/wire/node-stream';
import { pinnedFrames } from '@powernode/core/wire/pinned.fixture';
import { expect, test } from 'vitest';
import {
  beatFrame,
  currentFrame,
  deltaFrame,
  documentPieces,
  keysRetiredFrame,
  leaseAckFrame,
  retryFrame,
  welcomeFrame,
} from './frames.ts';

type Of<K extends PlatformMessage['kind']> = Extract<PlatformMessage, { kind: K }>;

function pinned<K extends PlatformMessage['kind']>(kind: K): { frame: unknown; message: Of<K> } {
  const [frame] = pinnedFrames('platform', kind, newestCapability);
  return { frame, message: platformMessages.schema.parse(frame) as Of<K> };
}

const compiled = (entries: Of<'document'>['entries']) =>
  entries.filter(isKnownEntry).map((value) => new CompiledEntry(value));
const digestOf = (hash: string) => BigInt(`0x${hash}`);

const written: { readonly [K in PlatformMessage['kind']]: (message: Of<K>, capability: number) => string } = {
  welcome: ({ capability = 0, platform_version, instance_id, unused_keys_target }) =>
    welcomeFrame({ capability, platform_version, instance_id, unused_keys_target }),
  beat: ({ every_ms }) => beatFrame(every_ms),
  document: ({ revision, hash, entries }) =>
    [...documentPieces({ revision, digest: digestOf(hash) }, compiled(entries))].join(''),
  delta: ({ base, revision, hash, set, remove }) =>
    deltaFrame({
      base,
      to: { revision, digest: digestOf(hash) },
      patch: {
        set: new Map(compiled(set).map((entry) => [entry.key, entry])),
        remove: new Set(remove),
        digest: 0n,
      },
    }),
  current: ({ revision, hash }) => currentFrame({ revision, digest: digestOf(hash) }),
  keys_retired: ({ public_keys }, capability) => keysRetiredFrame(public_keys, capability),
  lease_ack: (answer, capability) => leaseAckFrame(answer, capability),
  retry: () => retryFrame(),
};

test.each(Object.keys(written) as PlatformMessage['kind'][])('%s', (kind) => {
  const { frame, message } = pinned(kind);
  const write = written[kind] as (message: PlatformMessage, capability: number) => string;
  expect(JSON.parse(write(message, newestCapability))).toEqual(frame);
  const [before] = pinnedFrames('platform', namesBefore[kind] ?? kind, 3);
  if (kind !== 'welcome') expect(JSON.parse(write(message, 3))).toEqual(before);
});

const namesBefore: Readonly<Record<string, string>> = { lease_ack: 'held', keys_retired: 'spent' };
