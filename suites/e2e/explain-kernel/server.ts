// Inside a host: answers whatever comes to its addresses, by UDP with the same bytes and by TCP with a connection.
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { markerPort, servedPorts } from './wire.ts';

export class Server {
  /** One for each address and port, so that answers come from where the packet went. */
  readonly #sockets = new Map<string, Socket>();
  #listening: Promise<void> | null = null;

  async serve(addresses: readonly string[]): Promise<void> {
    this.#listening ??= this.#listen();
    await this.#listening;
    const wanted = new Map(
      addresses.flatMap((address) =>
        [...servedPorts, markerPort].map((port) => [`${address} ${port}`, { address, port }]),
      ),
    );
    for (const [key, socket] of this.#sockets) {
      if (wanted.has(key)) continue;
      socket.close();
      this.#sockets.delete(key);
    }
    for (const [key, at] of wanted) if (!this.#sockets.has(key)) this.#sockets.set(key, await echo(at));
  }

  async #listen(): Promise<void> {
    for (const port of servedPorts) {
      const server = createServer((connection) => {
        connection.on('error', () => undefined);
        connection.resume();
      });
      await new Promise<void>((resolve) => server.listen(port, '::', resolve));
    }
  }
}

async function echo(at: { readonly address: string; readonly port: number }): Promise<Socket> {
  const socket = createSocket(at.address.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', (bytes, from) => socket.send(bytes, from.port, from.address, () => undefined));
  socket.bind(at.port, at.address);
  await once(socket, 'listening');
  socket.on('error', () => undefined);
  return socket;
}
