// Whether a peer is reached, by what is said of it: a table of what operators meet, and what one liar can do.
import { describe, expect, test } from 'vitest';
import { evaluatePeer, type PeerFacts, type TunnelReportCounts } from './evaluate-peer.ts';

const nobody: TunnelReportCounts = {
  answers: 0,
  silent: 0,
  forwardsNothing: 0,
  silentSinceMs: null,
  forwardsNothingSinceMs: null,
};
const reports = (some: Partial<TunnelReportCounts>): TunnelReportCounts => ({ ...nobody, ...some });
const online = { state: 'online', sinceMs: 10 } as const;
const offline = { state: 'offline', sinceMs: 500 } as const;
const unknown = { state: 'unknown', sinceMs: 500 } as const;
const well = () => ({ reachable: true, isOnline: true });
const gone = () => ({ reachable: false, isOnline: false });

function facts(some: Partial<PeerFacts>): PeerFacts {
  return {
    isHub: false,
    machine: online,
    heardBy: [],
    paths: [],
    reports: nobody,
    hearsAny: null,
    hub: well,
    handshakeMs: null,
    nowMs: 1_000,
    ...some,
  };
}

const heard = (hubId: string, is: boolean, sinceMs = 600) => ({ hubId, heard: is, sinceMs });
const path = (hubId: string, state: 'answers' | 'silent' | 'forwards_nothing', sinceMs = 600) => ({
  hubId,
  state,
  sinceMs,
});

describe('a spoke', () => {
  test.each<[string, Partial<PeerFacts>, boolean | null, string | null]>([
    ['that a hub hears', { heardBy: [heard('h', true)] }, true, null],
    ['that one of two hubs hears', { heardBy: [heard('h', true), heard('k', false)] }, true, null],
    [
      'whose agent lost the platform, and which a hub hears',
      { machine: offline, heardBy: [heard('h', true)] },
      true,
      null,
    ],
    ['that is killed', { machine: offline, heardBy: [heard('h', false)] }, false, 'offline'],
    ['that was never probed, and is gone', { machine: offline }, false, 'offline'],
    [
      'whose agent is there, and whose probes reach no hub',
      { heardBy: [heard('h', false)] },
      false,
      'not_heard',
    ],
    [
      'without UDP, while others reach its hubs',
      { heardBy: [heard('h', false)], paths: [path('h', 'silent'), path('k', 'silent')] },
      false,
      'udp_blocked',
    ],
    ['that never had UDP', { paths: [path('h', 'silent')] }, false, 'udp_blocked'],
    ['whose hubs are gone', { paths: [path('h', 'silent')], hub: gone }, false, 'hubs_dead'],
    [
      'of whose only hub nobody else speaks',
      {
        paths: [path('h', 'silent')],
        heardBy: [heard('h', false)],
        hub: () => ({ reachable: null, isOnline: true }),
      },
      false,
      'no_path',
    ],
    [
      'that says it is answered by a hub that does not hear it',
      { paths: [path('h', 'answers')], heardBy: [heard('h', false)], nowMs: 60_000 },
      null,
      'contradiction',
    ],
    [
      'of which a hub has just said that it does not hear it',
      { paths: [path('h', 'answers')], heardBy: [heard('h', false)] },
      null,
      null,
    ],
    ['that is answered by a hub that has no report on it', { paths: [path('h', 'answers')] }, true, null],
    ['of which nothing is known', {}, null, null],
    ['that shook hands a moment ago', { handshakeMs: 900 }, true, null],
    ['that shook hands an hour ago', { handshakeMs: 900, nowMs: 3_600_000 }, null, null],
    ['right after a start of the platform', { machine: unknown }, null, null],
    [
      'that a hub has lost, right after a start of the platform',
      { machine: unknown, heardBy: [heard('h', false)] },
      false,
      'offline',
    ],
  ])('%s [9.14] [9.28]', (_, some, reachable, code) => {
    const verdict = evaluatePeer(facts(some));
    expect([verdict.reachable, verdict.because?.code ?? null]).toEqual([reachable, code]);
  });

  test('is gone since anybody heard it last [9.14]', () => {
    const { because } = evaluatePeer(
      facts({ machine: offline, heardBy: [heard('h', false, 700), heard('k', false, 650)] }),
    );
    expect(because).toEqual({ code: 'offline', sinceMs: 700, hubIds: ['h', 'k'], count: 0 });
  });

  test('that is dead is not kept alive by the report of one hub against two [9.14]', () => {
    const heardBy = [heard('liar', true), heard('h', false), heard('k', false)];
    expect(evaluatePeer(facts({ machine: offline, heardBy })).reachable).toBe(false);
  });
});

describe('a hub', () => {
  test.each<[string, Partial<PeerFacts>, boolean | null, string | null]>([
    ['that answers somebody', { reports: reports({ answers: 1, silent: 9 }) }, true, null],
    [
      'that is gone, and one machine of ten says that it answers',
      { machine: offline, reports: reports({ answers: 1, silent: 9 }) },
      false,
      'offline',
    ],
    [
      'that lost the platform, and answers everybody',
      { machine: offline, reports: reports({ answers: 9 }) },
      true,
      null,
    ],
    ['that answers nobody', { reports: reports({ silent: 9, silentSinceMs: 800 }) }, false, 'not_heard'],
    [
      'that answers nobody, and reaches no other hub, which others reach',
      { reports: reports({ silent: 9 }), paths: [path('k', 'silent')] },
      false,
      'udp_blocked',
    ],
    ['that does not answer the only one who calls it', { reports: reports({ silent: 1 }) }, null, 'no_path'],
    [
      'that answers and forwards nothing',
      { reports: reports({ forwardsNothing: 4 }) },
      false,
      'forwards_nothing',
    ],
    [
      'that one machine says forwards nothing',
      { reports: reports({ answers: 4, forwardsNothing: 1 }) },
      true,
      null,
    ],
    ['that nobody calls, and that hears spokes', { hearsAny: true }, true, null],
    ['that nobody calls', {}, null, null],
  ])('%s [9.14]', (_, some, reachable, code) => {
    const verdict = evaluatePeer(facts({ isHub: true, ...some }));
    expect([verdict.reachable, verdict.because?.code ?? null]).toEqual([reachable, code]);
  });
});
