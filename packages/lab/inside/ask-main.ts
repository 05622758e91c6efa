// Runs inside a host of a lab: asks a UDP service who it is, again and again, and tells each answer with its times.
import { createSocket } from 'node:dgram';
import { askOptions, greeting } from './messages.ts';
import { GapMeter, nowMs, readOptions, say, untilAsked } from './speaking.ts';

const options = readOptions(askOptions);
/** Answers that are later than that are of no use, and what was sent need not be remembered longer. */
const rememberedMax = 1000;

const sentMs = new Map<string, number>();
const gaps = new GapMeter();
let sent = 0;
let answered = 0;

const socket = createSocket(options.address.includes(':') ? 'udp6' : 'udp4');
socket.on('message', (data) => {
  const receivedMs = nowMs();
  const said = greeting.safeParse(JSON.parse(data.toString()));
  const askedMs = said.success ? sentMs.get(said.data.echo ?? '') : undefined;
  if (!said.success || askedMs === undefined) return;
  sentMs.delete(said.data.echo ?? '');
  answered++;
  gaps.tick();
  say({ answer: { ...said.data, sent_ms: askedMs, received_ms: receivedMs } });
});
// Nothing answers, or there is no way at present: the next question is asked all the same.
socket.on('error', () => undefined);

function ask(): void {
  const word = String(++sent);
  sentMs.set(word, nowMs());
  if (sentMs.size > rememberedMax) sentMs.delete(sentMs.keys().next().value ?? '');
  socket.send(word, options.port, options.address, () => undefined);
}

ask();
setInterval(ask, options.interval_ms);
untilAsked(() => ({ sent, answered, longest_gap_ms: gaps.longestMs() }));
say({ ready: true });
