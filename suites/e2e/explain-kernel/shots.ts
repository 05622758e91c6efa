// Inside a host: one packet of each kind, and what comes of it.
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import type { Outcome, Shot } from './wire.ts';

export interface Fired {
  /** It has left the program. */
  readonly sent: Promise<void>;
  /** To be called once nothing more can come of it. */
  end(): Promise<Outcome>;
}

/** A port of its own for each: one that was used before might belong to a connection that goes on. */
let nextPort = 20_000;

export function shoot(shot: Shot): Fired {
  switch (shot.protocol) {
    case 'udp':
      return shootUdp(shot);
    case 'tcp':
      return shootTcp(shot);
    case 'icmp6':
      return shootPing(shot);
  }
}

/** What a sender hears when it is refused: by a reset, or by an error that says so (RFC 4443 §3.1, RFC 1812 §5.2.7.1). */
const refusals: ReadonlySet<string> = new Set(['ECONNREFUSED', 'EACCES', 'EHOSTUNREACH']);

function outcomeOf(
  shot: Shot,
  seen: { readonly answered: boolean; readonly signs: readonly string[] },
): Outcome {
  const outcome = seen.answered
    ? 'arrived'
    : seen.signs.some((sign) => refusals.has(sign))
      ? 'refused'
      : 'silent';
  return { id: shot.id, outcome, signs: seen.signs };
}

function shootUdp(shot: Shot): Fired {
  const signs: string[] = [];
  let answered = false;
  const socket = createSocket(shot.source.includes(':') ? 'udp6' : 'udp4');
  const sent = Promise.withResolvers<void>();
  const note = (error: Error | null) => {
    if (error !== null) signs.push(codeOf(error));
  };
  socket.on('error', (error) => {
    note(error);
    // Without its source address nothing is sent.
    sent.resolve();
  });
  socket.on('message', () => {
    answered = true;
  });
  socket.bind(nextPort++, shot.source, () => {
    socket.connect(shot.port, shot.destination, (error?: Error) => {
      if (error !== undefined) {
        note(error);
        sent.resolve();
        return;
      }
      socket.send('hello', (failed) => {
        note(failed);
        sent.resolve();
      });
    });
  });
  return {
    sent: sent.promise,
    async end() {
      await turn();
      socket.close();
      return outcomeOf(shot, { answered, signs });
    },
  };
}

function shootTcp(shot: Shot): Fired {
  const signs: string[] = [];
  let answered = false;
  const socket = new Socket();
  socket.on('error', (error) => signs.push(codeOf(error)));
  socket.on('connect', () => {
    answered = true;
  });
  socket.connect({
    host: shot.destination,
    port: shot.port,
    localAddress: shot.source,
    localPort: nextPort++,
  });
  return {
    // The system call has been made; a turn later its first packet has left.
    sent: turn(),
    async end() {
      await turn();
      socket.destroy();
      return outcomeOf(shot, { answered, signs });
    },
  };
}

function shootPing(shot: Shot): Fired {
  // Flooding with one packet: a dot is written as soon as that has left.
  const child = spawn('ping', ['-f', '-n', '-c', '1', '-W', '60', '-I', shot.source, shot.destination]);
  const over = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let said = '';
  const sent = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        resolve();
      });
    }
    void over.then(resolve);
  });
  return {
    sent,
    async end() {
      child.kill('SIGINT');
      await over;
      const signs = [
        ...(/ \+\d+ errors/.test(said) ? ['EACCES'] : []),
        ...(said.includes('not permitted') ? ['EPERM'] : []),
      ];
      return outcomeOf(shot, { answered: / 1 received/.test(said), signs });
    },
  };
}

function codeOf(error: Error): string {
  return (error as NodeJS.ErrnoException).code ?? error.message;
}
