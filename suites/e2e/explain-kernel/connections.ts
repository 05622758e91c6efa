// Inside a host: connections that stay open while rules change, and whether they still carry anything.
import type { Socket } from 'node:dgram';
import { setImmediate as turn } from 'node:timers/promises';
import { flowSocket } from './flow-socket.ts';
import type { Markers } from './markers.ts';
import type { Flow, Outcome } from './wire.ts';

const firstPort = 15_000;

export class Connections {
  readonly #sockets = new Map<number, Socket>();
  readonly #markers: Markers;
  #number = 0;

  constructor(markers: Markers) {
    this.#markers = markers;
  }

  /** In place of those of before. */
  async open(flows: readonly Flow[]): Promise<void> {
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
    for (const flow of flows) {
      const socket = await flowSocket(flow, firstPort + flow.id);
      // A refusal may come at any time.
      socket.on('error', () => undefined);
      this.#sockets.set(flow.id, socket);
    }
  }

  /** A packet on each, and whether it was answered by the time that the path's marker was. */
  async ask(): Promise<readonly Outcome[]> {
    return Promise.all(Array.from(this.#sockets, ([id, socket]) => this.#askOne(id, socket)));
  }

  async #askOne(id: number, socket: Socket): Promise<Outcome> {
    const text = `connection ${++this.#number}`;
    let answered = false;
    const signs: string[] = [];
    const heard = (bytes: Buffer) => {
      if (bytes.toString() === text) answered = true;
    };
    const refused = ({ message }: Error) => signs.push(message);
    socket.on('message', heard);
    socket.on('error', refused);
    await new Promise<void>((resolve) => {
      socket.send(text, (error) => {
        if (error !== null) signs.push(error.message);
        resolve();
      });
    });
    await this.#markers.roundTrip(id);
    await turn();
    socket.off('message', heard);
    socket.off('error', refused);
    return { id, outcome: answered ? 'arrived' : signs.length > 0 ? 'refused' : 'silent', signs };
  }
}
