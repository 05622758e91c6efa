// Inside a host: packets of connections that no rule can stop, because they were open before. When one that was sent
// after a packet has come back, whatever the other was to cause has been caused.
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Flow } from './wire.ts';

/** A marker that is lost, as datagrams may be, is sent again. */
const againMs = 200;
const firstPort = 10_000;

export class Markers {
  readonly #flows = new Map<number, Socket>();
  #number = 0;

  /** In place of those of before. */
  async open(flows: readonly Flow[]): Promise<void> {
    for (const socket of this.#flows.values()) socket.close();
    this.#flows.clear();
    for (const flow of flows) {
      const socket = createSocket(flow.source.includes(':') ? 'udp6' : 'udp4');
      socket.bind(firstPort + flow.id, flow.source);
      await once(socket, 'listening');
      socket.connect(flow.port, flow.destination);
      await once(socket, 'connect');
      socket.on('error', () => undefined);
      this.#flows.set(flow.id, socket);
      await this.roundTrip(flow.id);
    }
  }

  async roundTrip(id: number): Promise<void> {
    const socket = this.#flows.get(id);
    if (socket === undefined) throw new Error(`no flow ${id} is open`);
    const text = `marker ${++this.#number}`;
    await new Promise<void>((resolve) => {
      const send = () => socket.send(text, () => undefined);
      const again = setInterval(send, againMs);
      const heard = (bytes: Buffer) => {
        if (bytes.toString() !== text) return;
        clearInterval(again);
        socket.off('message', heard);
        resolve();
      };
      socket.on('message', heard);
      send();
    });
  }
}
