// Two streams that ask for one machine: who gets it, by a clock of the test and lines that answer or do not.
import { streamProofMs, streamTakeoversPerMinuteMax } from '@powernode/core/limits/node-stream';
import { beforeEach, describe, expect, it } from 'vitest';
import { nodeState } from '../nodes/node-state.fixture.ts';
import type { NodeState } from '../nodes/node-state.ts';
import { type Claimant, Claims } from './claims.ts';
import { duplicateText, laterText, limitedText } from './endings.ts';

class FakeStream implements Claimant {
  readonly node: NodeState;
  readonly run: string | null;
  hasEnded = false;
  #asked: (() => void)[] = [];
  readonly endings = new Set<() => void>();

  constructor(node: NodeState, run: string | null) {
    this.node = node;
    this.run = run;
  }

  prove(answered: () => void): void {
    this.#asked.push(answered);
  }
  whenEnded(run: () => void): () => void {
    this.endings.add(run);
    return () => this.endings.delete(run);
  }
  terminate(): void {
    this.hasEnded = true;
    for (const run of this.endings) run();
  }
  answer(): void {
    for (const run of this.#asked.splice(0)) run();
  }
}

let nowMs: number;
let timers: { readonly atMs: number; readonly run: () => void }[];
let granted: FakeStream[];
let claims: Claims<FakeStream>;
let node: NodeState;

function advance(byMs: number): void {
  nowMs += byMs;
  const due = timers.filter(({ atMs }) => atMs <= nowMs);
  timers = timers.filter(({ atMs }) => atMs > nowMs);
  for (const { run } of due) run();
}

function established(run = 'first'): FakeStream {
  const stream = new FakeStream(node, run);
  claims.granted(stream);
  return stream;
}

beforeEach(() => {
  nowMs = 0;
  timers = [];
  granted = [];
  node = nodeState({ instanceId: 'i', hostname: 'edge' });
  claims = new Claims({
    clock: {
      after(delayMs, run) {
        const timer = { atMs: nowMs + delayMs, run };
        timers.push(timer);
        return () => {
          timers = timers.filter((one) => one !== timer);
        };
      },
    },
    steady: () => nowMs,
    grant: (stream) => {
      granted.push(stream);
      claims.granted(stream);
    },
  });
});

describe('another program of the machine', () => {
  it('is refused when the one that has the stream answers: they are two machines [9.31]', async () => {
    const first = established();
    const verdict = claims.claim(new FakeStream(node, 'copy'));
    first.answer();
    expect(await verdict).toBe('duplicate');
    expect(granted).toEqual([]);
    expect(first.hasEnded).toBe(false);
  });

  it('leaves nothing behind at the one that has the stream, however often it is refused [9.31]', async () => {
    const first = established();
    for (let i = 0; i < 3; i++) {
      const verdict = claims.claim(new FakeStream(node, `copy ${i}`));
      expect(first.endings.size).toBe(1);
      first.answer();
      expect(await verdict).toBe('duplicate');
      expect(first.endings.size).toBe(0);
    }
  });

  it('takes over when the line of the other is dead, as after a loss of power [9.31]', async () => {
    const first = established();
    const second = new FakeStream(node, 'second');
    const verdict = claims.claim(second);
    advance(streamProofMs);
    expect(await verdict).toBe('granted');
    expect(first.hasEnded).toBe(true);
    expect(granted).toEqual([second]);
  });

  it('takes over as soon as the line of the other ends, as after a kill [9.31]', async () => {
    const first = established();
    const second = new FakeStream(node, 'second');
    const verdict = claims.claim(second);
    first.terminate();
    expect(await verdict).toBe('granted');
    expect(granted).toEqual([second]);
  });

  it('need not wait for one that has ended or has never said who it is [9.31]', () => {
    established().hasEnded = true;
    expect(claims.claim(new FakeStream(node, 'second'))).toBe('granted');
    const silent = new FakeStream(node, null);
    claims.granted(silent);
    expect(claims.claim(new FakeStream(node, 'third'))).toBe('granted');
  });

  it('comes back later while another one is being proved, and when that one has ended meanwhile [9.31]', async () => {
    const first = established();
    const second = new FakeStream(node, 'second');
    const verdict = claims.claim(second);
    expect(claims.claim(new FakeStream(node, 'third'))).toBe('later');
    second.terminate();
    first.answer();
    expect(await verdict).toBe('later');
  });
});

describe('the same program', () => {
  it('takes over at once, because its line was lost or it has moved [9.31]', () => {
    established();
    const again = new FakeStream(node, 'first');
    expect(claims.claim(again)).toBe('granted');
    expect(granted).toEqual([again]);
  });

  it('does not when that goes on: machines copied while they ran say the same [9.31]', async () => {
    established();
    for (let i = 0; i < streamTakeoversPerMinuteMax; i++) {
      expect(claims.claim(new FakeStream(node, 'first'))).toBe('granted');
    }
    const present = granted.at(-1);
    const verdict = claims.claim(new FakeStream(node, 'first'));
    present?.answer();
    expect(await verdict).toBe('duplicate');
    advance(60_000);
    expect(claims.claim(new FakeStream(node, 'first'))).toBe('granted');
  });
});

it('reasons fit into a close frame [9.31]', () => {
  const longest = [
    duplicateText,
    laterText,
    limitedText('processor time', 300_000),
    limitedText('bytes', 300_000),
  ];
  for (const text of longest) expect(Buffer.byteLength(text)).toBeLessThanOrEqual(123);
});
