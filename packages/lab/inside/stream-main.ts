// Runs inside a host of a lab: numbered lines over a TCP connection, which have to come back in order; measures the
// longest time in which none did.
import { connect, type Socket } from 'node:net';
import { type Greeting, greeting, streamOptions } from './messages.ts';
import { GapMeter, nowMs, readOptions, say, untilAsked } from './speaking.ts';

const options = readOptions(streamOptions);
const reportEveryMs = 100;
const gaps = new GapMeter();
const greetings: Greeting[] = [];
let sent = 0;
let echoed = 0;
let ended: string | null = null;
let current: Connection | null = null;

class Connection {
  readonly #socket: Socket;
  readonly #begunMs = nowMs();
  #rest = '';
  #greeted = false;
  #expected: number | null = null;
  #lastMs = nowMs();

  constructor() {
    this.#socket = connect({ host: options.address, port: options.port });
    this.#socket.setNoDelay(true);
    this.#socket.on('data', (chunk: Buffer) => this.#read(chunk.toString()));
    this.#socket.on('error', (error: NodeJS.ErrnoException) => this.#end(error.code ?? error.message));
    this.#socket.on('close', () => this.#end('closed by the other side'));
  }

  get silentMs(): number {
    return nowMs() - Math.max(this.#begunMs, this.#lastMs);
  }

  send(): void {
    if (!this.#greeted) return;
    const number = ++sent;
    this.#expected ??= number;
    this.#socket.write(`${number}\n`);
  }

  drop(): void {
    if (current === this) current = null;
    this.#socket.destroy();
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    this.#lastMs = nowMs();
    for (const line of lines) this.#readLine(line);
  }

  #readLine(line: string): void {
    if (!this.#greeted) {
      this.#greeted = true;
      greetings.push(greeting.parse(JSON.parse(line)));
      return;
    }
    if (Number(line) !== this.#expected) return this.#end(`line ${line} came instead of ${this.#expected}`);
    this.#expected = Number(line) + 1;
    echoed++;
    gaps.tick();
    if (echoed === 1) say({ ready: true });
  }

  #end(why: string): void {
    if (current !== this) return;
    current = null;
    this.#socket.destroy();
    if (options.give_up_ms === null) ended ??= why;
  }
}

setInterval(() => {
  if (options.give_up_ms !== null && current !== null && current.silentMs > options.give_up_ms)
    current.drop();
  if (current === null && ended === null) current = new Connection();
  current?.send();
}, options.interval_ms);
setInterval(() => say({ echoed }), reportEveryMs);
untilAsked(() => ({ sent, echoed, longest_gap_ms: gaps.longestMs(), ended, greetings }));
