// Long frames go out in fragments in order, each when the one before was sent.
import { EventEmitter } from 'node:events';
import { nodeFragmentBytes } from '@powernode/core/limits/node-stream';
import { expect, test } from 'vitest';
import type { WebSocket } from 'ws';
import { WebSocketChannel } from './channel.ts';

/** As much of a WebSocket as the channel uses; a fragment is sent when the test says so. */
class FakeSocket extends EventEmitter {
  readonly log: string[] = [];
  readonly callbacks: (() => void)[] = [];
  message: Buffer[] = [];
  bufferedAmount = 0;
  send(data: string | Buffer, options: { fin?: boolean }, done?: () => void): void {
    // A copy, because the channel uses the buffer again once it is taken.
    this.message.push(Buffer.from(data as string));
    if (options.fin !== false) {
      this.log.push(Buffer.concat(this.message).toString());
      this.message = [];
    }
    if (done !== undefined) this.callbacks.push(done);
  }
  pong(_data: string, _mask: boolean, done: () => void): void {
    this.callbacks.push(done);
  }
  close(code: number): void {
    this.log.push(`close ${code}`);
  }
  take(): void {
    this.callbacks.shift()?.();
  }
  takeAll(): void {
    while (this.callbacks.length > 0) this.take();
  }
}

function open(): { socket: FakeSocket; channel: WebSocketChannel } {
  const socket = new FakeSocket();
  return { socket, channel: new WebSocketChannel(socket as unknown as WebSocket) };
}

test('short frames go at once; a long one goes in fragments, and what follows waits for it', () => {
  const { socket, channel } = open();
  const long = 'é€😀x'.repeat(nodeFragmentBytes);
  channel.send('first');
  channel.send(long);
  channel.send('second');
  channel.close(4403, 'gone');
  channel.send('too late');
  expect(socket.log).toEqual(['first']);
  expect(socket.callbacks).toHaveLength(1);
  socket.takeAll();
  expect(socket.log).toEqual(['first', long, 'second', 'close 4403']);
});

test('a frame in pieces is made as its fragments are sent', () => {
  const { socket, channel } = open();
  let made = 0;
  channel.sendLong(
    (function* () {
      for (const piece of ['a', 'b', 'c']) {
        made++;
        yield piece;
      }
      return undefined;
    })(),
  );
  expect(made).toBe(2);
  socket.takeAll();
  expect(socket.log).toEqual(['abc']);
});

test('a callback for the end of the send buffer runs when it is empty or the connection is closed', () => {
  const { socket, channel } = open();
  const calls: string[] = [];
  channel.whenDrained(() => calls.push('empty'));
  expect(calls).toEqual([]);
  socket.takeAll();
  channel.send('x'.repeat(3 * nodeFragmentBytes));
  channel.whenDrained(() => calls.push('gone'));
  socket.emit('close');
  expect(calls).toEqual(['empty', 'gone']);
});
