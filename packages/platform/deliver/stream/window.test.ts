// Which versions are served, and what a node of each is given: nothing that it does not know, with hashes over what it
// was sent, so that it is in sync when it has all of that.
import { FleetIndex } from '@powernode/core/compile/fleet-index';
import type { PeerModel } from '@powernode/core/compile/model';
import { networkModel, peerModel } from '@powernode/core/compile/model.fixture';
import { unusedKeysTarget } from '@powernode/core/limits/trust';
import { earliestCapability, newestCapability } from '@powernode/core/wire/capability';
import { type EntryTable, type EntryValue, isKnownEntry } from '@powernode/core/wire/document';
import type { DeltaMessage, DocumentMessage } from '@powernode/core/wire/node-stream';
import { pino } from 'pino';
import { beforeEach, describe, expect, test } from 'vitest';
import { SimulatedClock } from '../../trust/clock.fixture.ts';
import { DeliveryCounters } from '../counters.ts';
import { Dispatcher } from '../nodes/dispatcher.ts';
import type { NodeState } from '../nodes/node-state.ts';
import { DocumentHolding } from '../simulated-node.ts';
import type { FakeChannel } from './channel.fixture.ts';
import { openSession, type SessionScene } from './session.fixture.ts';
import type { Session } from './session.ts';

/** Peers are what only the newest agents know. */
const table: EntryTable = {
  needs: (kind) => (kind === 'peer' ? newestCapability : earliestCapability),
  newest: newestCapability,
};

let clock: SimulatedClock;
let dispatcher: Dispatcher;
let node: NodeState;
let channel: FakeChannel;
let session: Session;
let counters: DeliveryCounters;
let sequence: number;
function open(parts: SessionScene['parts'] = {}): Session {
  ({ channel, session } = openSession({ clock, node, dispatcher, counters, parts }));
  return session;
}

async function say(members: object): Promise<void> {
  const empty = { held: null, applied: null, addresses: [], underlay: [], unused_keys: [] };
  const hello = { kind: 'hello', run: 'run-1', agent_version: 'x', hostname: 'h', ...empty, ...members };
  open().received(JSON.stringify(hello));
  await clock.advance(0);
  channel.drain();
}

async function attach(number: number): Promise<void> {
  const after: PeerModel = peerModel({
    id: `p${number}`,
    instanceId: `i${number}`,
    hostAddress: `fd00::${number}`,
    publicKey: `k${number}`,
    hubSlot: number === 1 ? 1 : null,
    endpoint: number === 1 ? '192.0.2.1:51820' : null,
  });
  dispatcher.changed('a', ++sequence, [{ kind: 'peer_changed', networkId: 'n', before: null, after }]);
  await clock.advance(0);
}

beforeEach(async () => {
  clock = new SimulatedClock();
  counters = new DeliveryCounters();
  const fleet = new FleetIndex();
  fleet.load(networkModel(), []);
  dispatcher = new Dispatcher({
    fleet,
    table,
    source: { read: async () => [], sequences: async () => [] },
    clock,
    soon: (run) => clock.after(0, run),
    counters,
    log: pino({ level: 'silent' }),
    subscribers: [],
  });
  dispatcher.load('a', 0);
  sequence = 0;
  for (const number of [1, 2]) await attach(number);
  node = dispatcher.nodes.get('i1') as NodeState;
});

const old = { protocol: 3 };

describe('the window', () => {
  test.each([
    ['capability 0', { capability: 0 }, 'the agent 0'],
    ['one of before', { protocol: 2 }, 'the agent 2'],
    ['one that needs a later platform', { capability: 90, capability_min: 80 }, 'the agent 80 to 90'],
    ['nonsense of both', { capability: 4, capability_min: 9 }, 'the agent 4'],
  ])('does not hold %s, which is sent both ranges', async (_, members, ranges) => {
    await say(members);
    expect(channel.closed).toBe(4426);
    expect(channel.reason).toContain(`capability ${earliestCapability} to ${newestCapability}`);
    expect(channel.reason).toContain(ranges);
    expect(Buffer.byteLength(channel.reason)).toBeLessThanOrEqual(123);
    expect(channel.sent).toEqual([]);
    expect(node.stream).toBeNull();
  });

  test('is sent to one whose hello is of another version altogether, too', () => {
    open().received('{"kind":"hello","capability":1,"run":{"of":"another kind"}}');
    expect(channel.closed).toBe(4426);
  });

  test.each([-1, 1.5, 1e9, '4', 'four', null, true, [], {}])(
    'is not asked by capability %j',
    async (capability) => {
      await say({ capability });
      expect(channel.closed).toBe(4400);
      expect(channel.sent).toEqual([]);
    },
  );

  test('is not asked without one', async () => {
    await say({});
    expect(channel.closed).toBe(4400);
  });

  test.each([
    [old, { protocol: 3 }],
    [{ capability: 3 }, { protocol: 3 }],
    [{ capability: 4, capability_min: 3 }, { capability: 4 }],
    [{ capability: 4, protocol: 2 }, { capability: 4 }],
    [
      { capability: 999_999, capability_min: 4, moods: ['of a later agent'] },
      { capability: newestCapability },
    ],
  ])('holds %j, which is welcomed as %j', async (members, version) => {
    await say(members);
    const facts = {
      kind: 'welcome',
      platform_version: 'test',
      instance_id: 'i1',
      unused_keys_target: unusedKeysTarget,
    };
    expect(channel.sent[0]).toEqual({ ...facts, ...version });
    expect(channel.kinds()).toEqual(['welcome', 'document']);
  });

  test('lets a message of a later agent pass', async () => {
    await say({ capability: newestCapability });
    session.received('{"kind":"latency","ms":[1]}');
    session.received('{"kind":"resync","because":"of a later agent"}');
    expect(channel.closed).toBeNull();
    expect(channel.kinds()).toEqual(['welcome', 'document', 'document']);
    expect(counters.framesUnknown).toBe(1);
  });

  test('does not let one pass that is none at all', async () => {
    for (const frame of ['{"kind":"x y"}', '{"kind":7}', '{}', 'null', `{"kind":"${'k'.repeat(100)}"}`]) {
      await say({ capability: newestCapability });
      session.received(frame);
      expect(channel.closed, frame).toBe(4400);
    }
  });
});

describe('an agent that does not know all entries', () => {
  const sent = () => channel.sent as unknown as (DocumentMessage | DeltaMessage)[];
  const entriesOf = (frame: DocumentMessage | DeltaMessage): EntryValue[] =>
    (frame.kind === 'document' ? frame.entries : frame.set).filter(isKnownEntry);

  test('is never given one of those, and is in sync with what it has', async () => {
    await say(old);
    const holding = new DocumentHolding();
    const whole = sent()[1] as DocumentMessage;
    holding.replace(entriesOf(whole));
    expect(entriesOf(whole).map(({ kind }) => kind)).toContain('interface');
    expect(entriesOf(whole).map(({ kind }) => kind)).not.toContain('peer');
    expect(holding.digest).toBe(node.digest);
    expect(whole.hash).toBe(node.digest.toString(16).padStart(32, '0'));
    await attach(3);
    await attach(4);
    expect(channel.kinds()).not.toContain('peer');
    expect(JSON.stringify(channel.sent)).not.toContain('"kind":"peer"');
    const { revision, hash } = sent().findLast((frame) => frame.hash !== undefined) ?? whole;
    await say({ ...old, held: { revision, hash }, applied: { revision, hash } });
    expect(channel.kinds()).toEqual(['welcome', 'current']);
    expect(node.applied?.hash).toBe(hash);
    expect(counters.resyncs).toBe(0);
  });

  test('is sent nothing for a change that has nothing for it', async () => {
    await say(old);
    const before = channel.sent.length;
    const { desiredRevision } = node;
    // All that a hub gets of another spoke is a peer, which this one does not know.
    await attach(3);
    const frames = channel.sent.slice(before);
    expect(frames.every((frame) => entriesOf(frame as unknown as DeltaMessage).length > 0)).toBe(true);
    if (frames.length === 0) expect(node.desiredRevision).toBe(desiredRevision);
  });

  test('is given everything once it is upgraded, and as before when it is set back', async () => {
    await say(old);
    const first = sent()[1] as DocumentMessage;
    const held = { revision: first.revision, hash: first.hash };
    await say({ capability: newestCapability, held, applied: held });
    const second = sent()[1] as DocumentMessage;
    expect(second.kind).toBe('document');
    expect(entriesOf(second).some(({ kind }) => kind === 'peer')).toBe(true);
    const newer = { revision: second.revision, hash: second.hash };
    await say({ ...old, held: newer, applied: newer });
    expect(sent()[1]).toMatchObject({ kind: 'document', hash: first.hash });
    await say({ ...old, held, applied: held });
    expect(channel.kinds()).toEqual(['welcome', 'current']);
    expect(counters.resyncs).toBe(0);
  });
});
