// What is taken for a living path, from counters alone.
import { expect, test } from 'vitest';
import type { ObservedPeer } from '../subsystems/observed.ts';
import { PassiveHealth } from './health.ts';

const publicKey = `${'K'.repeat(43)}=`;
const tunnel = { interface: 'wg-a-1', publicKey };
const startMs = 1_800_000_000_000;

/** Looks at a tunnel at times in seconds from the start. */
function watch(
  looks: readonly { at: number; handshake?: number; rx?: number; tx?: number }[],
): PassiveHealth {
  const health = new PassiveHealth();
  for (const { at, handshake, rx = 0, tx = 0 } of looks) {
    const lastHandshakeS = handshake === undefined ? 0 : startMs / 1000 + handshake;
    const peer: ObservedPeer = {
      publicKey,
      endpoint: null,
      allowedIps: [],
      lastHandshakeS,
      rxBytes: rx,
      txBytes: tx,
      keepalive: 25,
      hasPresharedKey: false,
    };
    health.observe('wg-a-1', [peer], startMs + at * 1000);
  }
  return health;
}

test('a tunnel that was never looked at, or never shook hands, is untried', () => {
  expect(new PassiveHealth().of(tunnel)).toBe('untried');
  expect(watch([{ at: 0 }, { at: 5, tx: 5000 }, { at: 60, tx: 9000 }]).of(tunnel)).toBe('untried');
});

test('a tunnel is trusted when it has been heard for a while', () => {
  expect(watch([{ at: 0, handshake: 0 }]).of(tunnel)).toBe('returning');
  const looks = [
    { at: 0, handshake: 0 },
    { at: 9, handshake: 0 },
  ];
  expect(watch(looks).of(tunnel)).toBe('returning');
  expect(watch([...looks, { at: 10, handshake: 0 }]).of(tunnel)).toBe('alive');
});

test('a handshake keeps a tunnel alive for as long as its keys live', () => {
  expect(
    watch([
      { at: 0, handshake: 0 },
      { at: 190, handshake: 0 },
    ]).of(tunnel),
  ).toBe('alive');
  expect(
    watch([
      { at: 0, handshake: 0 },
      { at: 200, handshake: 0 },
    ]).of(tunnel),
  ).toBe('dead');
});

test('keepalives that are sent into silence do not make a tunnel dead', () => {
  const looks = [0, 25, 50, 75].map((at, i) => ({ at, handshake: 0, rx: 100, tx: 200 + 32 * i }));
  expect(watch(looks.slice(0, 4)).of(tunnel)).toBe('alive');
});

test('packets that nobody answers make a tunnel dead after 20 seconds, and an answer brings it back at once', () => {
  const sent = [
    { at: 0, handshake: 0, rx: 100, tx: 100 },
    { at: 5, handshake: 0, rx: 100, tx: 1000 },
    { at: 20, handshake: 0, rx: 100, tx: 3000 },
  ];
  expect(watch(sent).of(tunnel)).toBe('alive');
  const silent = [...sent, { at: 26, handshake: 0, rx: 100, tx: 4000 }];
  expect(watch(silent).of(tunnel)).toBe('dead');
  expect(watch([...silent, { at: 31, handshake: 0, rx: 200, tx: 4000 }]).of(tunnel)).toBe('returning');
});

test('a tunnel that was taken out and put in again starts anew', () => {
  const looks = [
    { at: 0, handshake: 0, rx: 100, tx: 100 },
    { at: 5, handshake: 0, rx: 100, tx: 5000 },
    { at: 10, rx: 0, tx: 148 },
  ];
  expect(watch(looks).of(tunnel)).toBe('untried');
});
