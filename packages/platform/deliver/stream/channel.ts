// The line under a node's stream: what a session needs of a WebSocket and no more. Simulations bring their own.
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';

export interface Channel {
  send(text: string): void;
  ping(): void;
  /** Says why and ends; what was sent before still arrives. */
  close(code: number, reason: string): void;
  /** Ends without a word. */
  terminate(): void;
  /** Bytes that the line has not taken yet. */
  readonly backlogBytes: number;
  /** Calls once, when the line has taken all of them. */
  whenDrained(run: () => void): void;
}

export function webSocketChannel(socket: WebSocket, line: Duplex): Channel {
  return {
    send: (text) => socket.send(text, { binary: false, compress: false }),
    ping: () => socket.ping(),
    close: (code, reason) => socket.close(code, reason),
    terminate: () => socket.terminate(),
    get backlogBytes() {
      return socket.bufferedAmount;
    },
    whenDrained(run) {
      if (line.writableNeedDrain) line.once('drain', run);
      else setImmediate(run);
    },
  };
}
