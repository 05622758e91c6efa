// What is read out of the output of continuous pings.
import { expect, test } from 'vitest';
import { PingLog } from './ping.ts';

const answer = (atMs: number, sequence: number, tripMs = 0.3) =>
  `[${(1_700_000_000 + atMs / 1000).toFixed(6)}] 64 bytes from fd00::2: icmp_seq=${sequence} ttl=64 time=${tripMs} ms`;
const summary = (sent: number, totalMs: number) =>
  `${sent} packets transmitted, 1 received, 0% packet loss, time ${totalMs}ms`;

function read(lines: readonly string[]) {
  const log = new PingLog(10);
  for (const line of lines) log.read(line);
  return log.report();
}

test('no loss, and the pace is the longest gap', () => {
  const lines = [answer(0, 1), answer(10, 2), answer(20, 3), summary(3, 20)];
  expect(read(lines)).toEqual({ sent: 3, received: 3, lost: 0, longestGapMs: 10, slowestMs: 0.3 });
});

test('missing sequence numbers are losses, and leave a gap', () => {
  const lines = [answer(0, 1), answer(10, 2), answer(80, 9), summary(9, 80)];
  expect(read(lines)).toMatchObject({ received: 3, lost: 6, longestGapMs: 70 });
});

test('an answer that comes twice, or late, counts once', () => {
  const lines = [answer(0, 1), answer(20, 3), answer(21, 2, 11), answer(22, 2, 12), summary(3, 20)];
  expect(read(lines)).toMatchObject({ received: 3, lost: 0, slowestMs: 11 });
});

test('what was sent just before the end is not lost, what was sent long before is', () => {
  expect(read([answer(0, 1), summary(2, 10)])).toMatchObject({ lost: 0 });
  expect(read([answer(0, 1), summary(101, 1000)])).toMatchObject({ lost: 98, longestGapMs: 1000 });
});

test('what is lost so far are the requests before the last answer', () => {
  const log = new PingLog(10);
  const lost = [answer(0, 1), answer(30, 4), answer(31, 3, 11)].map((line) => {
    log.read(line);
    return log.lost;
  });
  expect(lost).toEqual([0, 2, 1]);
});

test('sequence numbers go round', () => {
  const lines = Array.from({ length: 70_000 }, (_, index) => answer(index * 10, (index + 1) % 65_536));
  expect(read([...lines, summary(70_000, 699_990)])).toMatchObject({
    received: 70_000,
    lost: 0,
    longestGapMs: 10,
  });
});
