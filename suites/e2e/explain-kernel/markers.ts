// Inside a host: packets that no drawn rule can stop, because rules of their own let them through (world.ts). When one
// that was sent after a packet has come back, whatever the other was to cause has been caused.
import type { Socket } from 'node:dgram';
import { flowSocket } from './flow-socket.ts';
import type { Flow } from './wire.ts';
import { within } from './within.ts';

/** A marker that is lost, as datagrams may be, is sent again. */
const againMs = 200;
const lostMs = 60_000;
const firstPort = 10_000;

interface Opened {
  readonly flow: Flow;
  readonly socket: Socket;
  /** What the kernel said of its packets. */
  readonly errors: Set<string>;
}

export class Markers {
  readonly #flows = new Map<number, Opened>();
  #number = 0;

  /** In place of those of before. */
  async open(flows: readonly Flow[]): Promise<void> {
    for (const { socket } of this.#flows.values()) socket.close();
    this.#flows.clear();
    for (const flow of flows) {
      const socket = await flowSocket(flow, firstPort + flow.id);
      const errors = new Set<string>();
      socket.on('error', ({ message }) => errors.add(message));
      this.#flows.set(flow.id, { flow, socket, errors });
      await this.roundTrip(flow.id);
    }
  }

  async roundTrip(id: number): Promise<void> {
    const opened = this.#flows.get(id);
    if (opened === undefined) throw new Error(`no flow ${id} is open`);
    const { flow, socket, errors } = opened;
    const text = `marker ${++this.#number}`;
    const back = Promise.withResolvers<void>();
    const heard = (bytes: Buffer) => {
      if (bytes.toString() === text) back.resolve();
    };
    const send = () => socket.send(text, () => undefined);
    errors.clear();
    socket.on('message', heard);
    const again = setInterval(send, againMs);
    send();
    try {
      await within(lostMs, back.promise, () => {
        const said = errors.size === 0 ? '' : ` (${[...errors].join(', ')})`;
        return `no marker from ${flow.source} to ${flow.destination} port ${flow.port} was answered${said}`;
      });
    } finally {
      clearInterval(again);
      socket.off('message', heard);
    }
  }
}
