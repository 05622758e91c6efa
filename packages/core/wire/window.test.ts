// The protocol's window: what is pinned is read by today's parsers, today's schemas say no more than what is pinned, and
// either side passes over what only a later version knows.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { documentDigest, formatDigest } from '../compile/digest.ts';
import {
  capabilityHistory,
  earliestCapability,
  formatCapabilityHeader,
  newestCapability,
  parseCapabilityHeader,
  sharedCapability,
  windowSentence,
} from './capability.ts';
import { entryCapabilities, entryValue, isKnownEntry, sentEntry, sentEntryKey } from './document.ts';
import { fromEarlier, toPlatform, welcomeFor } from './earlier.ts';
import { listsOf, membersOf, membersOfValue } from './members.fixture.ts';
import { leaves } from './newest-step.fixture.ts';
import { type NodeProblemCode, nodeProblemTable, problemCapability } from './node-problems.ts';
import { firstFrame, nodeCapabilities, nodeMessages, platformMessages } from './node-stream.ts';
import { pinnedFrames, pinnedSteps } from './pinned.fixture.ts';
import { readMessage } from './read-message.ts';

const sides = { node: nodeMessages, platform: platformMessages } as const;

describe('pinned frames', () => {
  test('there are some of every step of the window', () => {
    const steps = capabilityHistory.map(({ capability }) => capability);
    expect(steps).toEqual(Array.from(steps, (_, i) => i + 1));
    expect(steps.at(-1)).toBe(newestCapability);
    const dates = capabilityHistory.map(({ date }) => date);
    expect([...dates].sort()).toEqual(dates);
    expect(pinnedSteps[0]?.capability).toBe(earliestCapability);
    expect(pinnedSteps.at(-1)?.capability).toBe(newestCapability);
  });

  const frames = pinnedSteps.flatMap(({ capability, node, platform }) => [
    ...node.map(
      (frame, i) =>
        [`${capability} node ${frame.kind} ${i}`, nodeMessages, fromEarlier(frame, capability)] as const,
    ),
    ...platform.map(
      (frame, i) =>
        [
          `${capability} platform ${frame.kind} ${i}`,
          platformMessages,
          fromEarlier(frame, capability),
        ] as const,
    ),
  ]);

  test.each(frames)('are read whole: %s', (_name, messages, frame) => {
    expect(readMessage<unknown>(messages, frame)).toEqual({ kind: 'message', message: frame });
  });

  test('of entries are read whole, and have the hash that their document names', () => {
    for (const { entries } of pinnedSteps) {
      for (const entry of entries) expect(sentEntry.parse(entry)).toEqual(entry);
    }
    for (const { platform } of pinnedSteps) {
      for (const frame of platform) {
        if (frame.kind !== 'document') continue;
        const { entries, hash } = platformMessages.schema.parse(frame) as {
          entries: Parameters<typeof documentDigest>[0];
          hash: string;
        };
        expect(formatDigest(documentDigest(entries))).toBe(hash);
      }
    }
  });

  test.each(['node', 'platform'] as const)('show every member that a message of the %s has', (side) => {
    const pinned = new Set<string>();
    for (const step of pinnedSteps) {
      for (const frame of step[side]) {
        const { kind } = fromEarlier(frame, step.capability) as typeof frame;
        for (const at of membersOfValue(frame, kind, leaves)) pinned.add(at);
      }
    }
    const declared = new Set<string>();
    for (const option of sides[side].schema.options) {
      const kind = [...option.shape.kind.values][0] ?? '';
      for (const at of membersOf(option, kind, leaves)) declared.add(at);
    }
    expect([...declared].sort()).toEqual([...pinned].sort());
  });

  test('show every member that an entry has', () => {
    const pinned = new Set<string>();
    for (const { entries } of pinnedSteps) {
      for (const entry of entries) for (const at of membersOfValue(entry, entry.kind)) pinned.add(at);
    }
    const declared = new Set<string>();
    for (const option of entryValue.options) {
      for (const at of membersOf(option, [...option.shape.kind.values][0] ?? '')) declared.add(at);
    }
    expect([...declared].sort()).toEqual([...pinned].sort());
  });

  test('name every value that there is a list of', () => {
    const pinned: Record<string, unknown[]> = {};
    for (const { lists } of pinnedSteps) Object.assign(pinned, lists);
    const declared: Record<string, unknown[]> = {};
    const options = [
      ...nodeMessages.schema.options,
      ...platformMessages.schema.options,
      ...entryValue.options,
    ];
    for (const option of options) {
      const kind = [...option.shape.kind.values][0] ?? '';
      for (const [at, values] of listsOf(option, kind, leaves)) {
        if (at !== `${kind}.kind`) declared[at] = values;
      }
    }
    const sorted = (lists: Record<string, unknown[]>) =>
      Object.fromEntries(
        Object.entries(lists).map(([at, values]) => [
          at,
          [...values].sort((a, b) => String(a).localeCompare(String(b))),
        ]),
      );
    expect(sorted(declared)).toEqual(sorted(pinned));
  });

  test('have each code of a problem with its part of the machine, since the step that names it', () => {
    const pinned: Record<string, unknown> = {};
    for (const { capability, problems } of pinnedSteps) {
      for (const [code, subsystem] of Object.entries(problems)) pinned[code] = [subsystem, capability];
    }
    const declared = Object.entries(nodeProblemTable).map(([code, { subsystem }]) => {
      return [code, [subsystem, problemCapability(code as NodeProblemCode)]];
    });
    expect(Object.fromEntries(declared)).toEqual(pinned);
  });

  test('of a kind that came after capability 3 carry their key', () => {
    for (const [kind, since] of Object.entries(entryCapabilities)) {
      expect(since).toBeLessThanOrEqual(newestCapability);
      if (since <= 3) continue;
      for (const entry of pinnedFrames('entries', kind, newestCapability)) {
        expect(entry).toMatchObject({ key: expect.stringMatching(new RegExp(`^${kind}/`)) });
      }
    }
  });
});

describe('what today’s code writes', () => {
  test('is a hello of the platform’s capability', () => {
    const newest = pinnedFrames('node', 'hello', newestCapability);
    const before = pinnedFrames('node', 'hello', 3);
    for (const [i, frame] of newest.entries()) {
      const hello = nodeMessages.schema.parse(frame);
      expect(toPlatform(hello, newestCapability)).toEqual(frame);
      expect(toPlatform(hello, 3)).toEqual(before[i]);
    }
  });

  test('is called as the platform knows it', () => {
    const [renew] = pinnedFrames('node', 'lease_renew', newestCapability);
    const message = nodeMessages.schema.parse(renew);
    expect(toPlatform(message, newestCapability)).toEqual(renew);
    expect(toPlatform(message, 3)).toEqual(pinnedFrames('node', 'hold', 3)[0]);
  });

  test('is a welcome of the node’s capability', () => {
    for (const capability of [3, newestCapability]) {
      const [frame] = pinnedFrames('platform', 'welcome', capability);
      const { platform_version, instance_id, unused_keys_target } = frame as unknown as Parameters<
        typeof welcomeFor
      >[0];
      expect(welcomeFor({ capability, platform_version, instance_id, unused_keys_target })).toEqual(frame);
    }
  });

  test('has no member of what a node observes that the platform of before would refuse', () => {
    const known = new Set(pinnedFrames('node', 'observed', 3).flatMap((frame) => Object.keys(frame)));
    const frames = pinnedFrames('node', 'observed', newestCapability);
    expect(frames.flatMap((frame) => Object.keys(frame)).filter((member) => !known.has(member))).not.toEqual(
      [],
    );
    for (const frame of frames) {
      const message = nodeMessages.schema.parse(frame);
      expect(toPlatform(message, newestCapability)).toEqual(frame);
      expect(Object.keys(toPlatform(message, 3)).filter((member) => !known.has(member))).toEqual([]);
    }
  });

  test('names no problem that the platform does not know', () => {
    const [frame] = pinnedFrames('node', 'problems', newestCapability);
    const message = nodeMessages.schema.parse(frame);
    expect(toPlatform(message, newestCapability)).toEqual(frame);
    expect(toPlatform(message, 3)).toMatchObject({ problems: [{ code: 'port_in_use' }] });
  });
});

describe('a first frame', () => {
  const range = (members: object) => {
    const parsed = firstFrame.safeParse({ kind: 'hello', ...members });
    return parsed.success ? nodeCapabilities(parsed.data) : null;
  };

  test('says what the node serves, whatever else is in it', () => {
    expect(range({ capability: 9, capability_min: 7, run: 17, news: { a: [1] } })).toEqual({
      earliest: 7,
      newest: 9,
    });
    expect(range({ capability: 4 })).toEqual({ earliest: 0, newest: 4 });
    expect(range({ protocol: 3, run: 'x' })).toEqual({ earliest: 3, newest: 3 });
    expect(range({ capability: 0 })).toEqual({ earliest: 0, newest: 0 });
  });

  test('is none with a number that is no step', () => {
    const numbers = [-1, 1.5, 1e9, 1e300, '4', null, true, [4], {}];
    for (const capability of numbers) expect(range({ capability })).toBeNull();
    for (const protocol of numbers) expect(range({ protocol })).toBeNull();
    expect(range({})).toBeNull();
    expect(firstFrame.safeParse({ kind: 'keys', capability: 4 }).success).toBe(false);
  });
});

describe('two ranges', () => {
  const any = fc
    .tuple(fc.nat(20), fc.nat(20))
    .map(([earliest, more]) => ({ earliest, newest: earliest + more }));

  test('share the newest step that is in both, whoever asks', () => {
    fc.assert(
      fc.property(any, any, (a, b) => {
        const both = Array.from({ length: 41 }, (_, i) => i).filter(
          (i) => i >= a.earliest && i <= a.newest && i >= b.earliest && i <= b.newest,
        );
        expect(sharedCapability(a, b)).toBe(both.at(-1) ?? null);
        expect(sharedCapability(b, a)).toBe(both.at(-1) ?? null);
        expect(parseCapabilityHeader(formatCapabilityHeader(a))).toEqual(a);
      }),
    );
  });

  test('are both in the sentence that says that they share none, which fits into a close frame', () => {
    const widest = { earliest: 999_998, newest: 999_999 };
    expect(windowSentence({ platform: widest, node: widest }).length).toBeLessThanOrEqual(123);
    expect(windowSentence({ platform: { earliest: 3, newest: 4 }, node: { earliest: 1, newest: 2 } })).toBe(
      'the platform serves capability 3 to 4, the agent 1 to 2: upgrade the agent',
    );
    expect(windowSentence({ platform: { earliest: 3, newest: 4 }, node: { earliest: 6, newest: 6 } })).toBe(
      'the platform serves capability 3 to 4, the agent 6: upgrade the platform',
    );
  });

  test('are read from a header, and from none as before there was one', () => {
    expect(parseCapabilityHeader(undefined)).toEqual({ earliest: 3, newest: 3 });
    for (const text of ['', '4', '4-3', '3-', '3-4-5', '-1-4', '1e3-4', '3 - 4', '3-99999999']) {
      expect(parseCapabilityHeader(text), text).toBeNull();
    }
  });
});

describe('what only a later version knows', () => {
  test('is passed over: a message of an unknown kind, and an unknown member', () => {
    for (const messages of Object.values(sides)) {
      expect(readMessage<unknown>(messages, { kind: 'latency', ms: [1] })).toEqual({
        kind: 'unknown',
        name: 'latency',
      });
    }
    expect(readMessage(platformMessages, { kind: 'retry', because: 'x' })).toEqual({
      kind: 'message',
      message: { kind: 'retry' },
    });
    const [hello] = pinnedFrames('node', 'hello', newestCapability);
    expect(readMessage(nodeMessages, { ...hello, moods: ['x'] })).toEqual({
      kind: 'message',
      message: hello,
    });
  });

  test('is told from what is broken', () => {
    for (const value of [null, 1, [], {}, { kind: 1 }, { kind: 'x y' }, { kind: 'k'.repeat(41) }]) {
      expect(readMessage<unknown>(nodeMessages, value).kind).toBe('unreadable');
    }
    const broken = {
      kind: 'document',
      revision: 1,
      hash: '0'.repeat(32),
      entries: [{ kind: 'route', via: [] }],
    };
    expect(readMessage(platformMessages, broken)).toMatchObject({
      kind: 'unreadable',
      why: expect.stringContaining('entries.0.'),
    });
  });

  test('is a problem that the platform leaves out', () => {
    const [frame] = pinnedFrames('node', 'problems', 3);
    const { problems } = frame as unknown as { problems: object[] };
    const later = { ...problems[0], code: 'bgp_down', subsystem: 'frr' };
    const message = { kind: 'problems', problems: [later, ...problems] };
    expect(readMessage(nodeMessages, message)).toEqual({ kind: 'message', message: frame });
    const wrong = { kind: 'problems', problems: [{ ...problems[0], since: 'yesterday' }] };
    expect(readMessage(nodeMessages, wrong).kind).toBe('unreadable');
  });

  test('is an entry that keeps all that it has, and says its key', () => {
    const entry = { kind: 'bgp_speaker', key: 'bgp_speaker/wg-a', as_number: 65000, peers: [{ a: null }] };
    const parsed = sentEntry.parse(entry);
    expect(parsed).toEqual(entry);
    expect(isKnownEntry(parsed)).toBe(false);
    expect(sentEntryKey(parsed)).toBe('bgp_speaker/wg-a');
    for (const key of [undefined, '', 'bgp_speaker', 'rule/1', 7, `bgp_speaker/${'x'.repeat(300)}`]) {
      expect(sentEntry.safeParse({ ...entry, key }).success, String(key)).toBe(false);
    }
    // A known kind is what it always was, whatever key it names.
    expect(sentEntry.safeParse({ kind: 'route', key: 'route/x' }).success).toBe(false);
  });

  test('is a member of a known entry, which its hash is over', () => {
    for (const entry of pinnedSteps[0]?.entries ?? []) {
      const later = { ...entry, later: { a: [1] } };
      const parsed = sentEntry.parse(later);
      expect(parsed).toEqual(later);
      expect(isKnownEntry(parsed)).toBe(true);
      expect(documentDigest([parsed])).not.toBe(documentDigest([sentEntry.parse(entry)]));
    }
  });
});
