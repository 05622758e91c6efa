// Test support: a node's line that keeps what is sent, and is full when a test says so.
import type { Channel } from './channel.ts';

export class FakeChannel implements Channel {
  readonly sent: { kind: string; [member: string]: unknown }[] = [];
  readonly drains: (() => void)[] = [];
  closed: number | null = null;
  reason = '';
  terminated = false;
  pings = 0;
  backlogBytes = 0;
  send(frame: string): void {
    this.sent.push(JSON.parse(frame) as { kind: string });
  }
  sendLong(pieces: Iterator<string, undefined>): void {
    let frame = '';
    for (let piece = pieces.next(); piece.done !== true; piece = pieces.next()) frame += piece.value;
    this.send(frame);
  }
  ping(): void {
    this.pings++;
  }
  close(code: number, reason: string): void {
    this.closed = code;
    this.reason = reason;
  }
  terminate(): void {
    this.terminated = true;
  }
  whenDrained(run: () => void): void {
    this.drains.push(run);
  }
  drain(): void {
    this.backlogBytes = 0;
    for (const run of this.drains.splice(0)) run();
  }
  kinds(): string[] {
    return this.sent.map((frame) => frame.kind);
  }
}
