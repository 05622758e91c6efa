// Tells a platform lies in the name of a machine: with its real identity, over the real protocol, coming back after it
// was sent away, until so many frames are sent.
import { setTimeout as pause } from 'node:timers/promises';
import { seededRandom } from '@powernode/core/testing/random';
import { type EntryValue, entryKey, isKnownEntry } from '@powernode/core/wire/document';
import { nodeStreamPath, type PlatformMessage } from '@powernode/core/wire/node-stream';
import { type ClientOptions, WebSocket } from 'ws';
import { knowledgeOf, Liar } from './lies.fixture.ts';

interface LiarIdentity {
  readonly nodeUrl: string;
  readonly keyPem: string;
  readonly certificatePem: string;
  readonly authorityPem: string;
}

interface LiarReport {
  sent: number;
  streams: number;
  refusals: number;
  /** By code. */
  readonly closes: Record<string, number>;
}

const unknown = { revision: 0, hash: '0'.repeat(32) };

export async function sendLies(
  identity: LiarIdentity,
  { frames, seed }: { readonly frames: number; readonly seed: number },
): Promise<LiarReport> {
  const liar = new Liar(seededRandom(seed), knowledgeOf([], unknown));
  const report: LiarReport = { sent: 0, streams: 0, refusals: 0, closes: {} };
  const run = crypto.randomUUID();
  while (report.sent < frames) {
    const socket = await connect(identity, { liar, report, run });
    if (socket === null) {
      report.refusals++;
      await pause(500);
      continue;
    }
    report.streams++;
    // The document comes first, so that the lies are about real things.
    await pause(200);
    while (socket.readyState === WebSocket.OPEN && report.sent < frames) {
      socket.send(liar.next());
      report.sent++;
      while (socket.bufferedAmount > 1024 * 1024 && socket.readyState === WebSocket.OPEN) await pause(5);
      await pause(report.sent % 10 === 0 ? 10 : 0);
    }
    socket.close();
  }
  return report;
}

function connect(
  identity: LiarIdentity,
  { liar, report, run }: { readonly liar: Liar; readonly report: LiarReport; readonly run: string },
): Promise<WebSocket | null> {
  const url = `${identity.nodeUrl.replace(/^http/, 'ws').replace(/\/$/, '')}${nodeStreamPath}`;
  const options: ClientOptions = {
    key: identity.keyPem,
    cert: identity.certificatePem,
    ca: identity.authorityPem,
    checkServerIdentity: () => false,
    perMessageDeflate: false,
  };
  const socket = new WebSocket(url, options);
  const entries = new Map<string, EntryValue>();
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString('utf8')) as PlatformMessage;
    if (message.kind !== 'document' && message.kind !== 'delta') return;
    const set = message.kind === 'document' ? message.entries : message.set;
    for (const entry of set.filter(isKnownEntry)) entries.set(entryKey(entry), entry);
    liar.learn(knowledgeOf(entries.values(), message));
  });
  return new Promise((resolve) => {
    socket.once('error', () => resolve(null));
    socket.once('open', () => {
      socket.on('error', () => undefined);
      socket.on('close', (code) => {
        report.closes[code] = (report.closes[code] ?? 0) + 1;
      });
      socket.send(JSON.stringify(liar.hello(run)));
      resolve(socket);
    });
  });
}
