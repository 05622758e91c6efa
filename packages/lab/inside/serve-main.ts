// Runs inside a host of a lab: a TCP and UDP service that says which host it is. TCP: a line of greeting, then
// everything comes back. UDP: the greeting as the answer.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { type Greeting, type Place, serveOptions } from './messages.ts';
import { nowMs, readOptions, say, untilAsked } from './speaking.ts';

const options = readOptions(serveOptions);
const tickMs = 10;

/** How late this process is run: by a timer that should come every 10 ms. */
let tickedMs = nowMs();
let lastLateMs = 0;
setInterval(() => {
  lastLateMs = Math.max(0, nowMs() - tickedMs - tickMs);
  tickedMs = nowMs();
}, tickMs);

function lateMs(): number {
  const sinceMs = nowMs() - tickedMs;
  return sinceMs < tickMs ? lastLateMs : Math.max(lastLateMs, sinceMs - tickMs);
}

function greetingFor(asker: { readonly address: string; readonly port: number }): Greeting {
  const seenAs = asker.address.includes(':')
    ? `[${asker.address}]:${asker.port}`
    : `${asker.address}:${asker.port}`;
  return { name: options.name, seen_as: seenAs, at_ms: nowMs(), late_ms: lateMs() };
}

async function serveTcp(place: Place): Promise<void> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.setNoDelay(true);
    const asker = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 };
    socket.write(`${JSON.stringify(greetingFor(asker))}\n`);
    socket.pipe(socket);
  });
  server.listen({ host: place.address, port: place.port });
  await once(server, 'listening');
}

async function serveUdp(place: Place): Promise<void> {
  const socket = createSocket(place.address.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', (data, asker) => {
    const text = JSON.stringify({ ...greetingFor(asker), echo: data.toString() });
    // An answer that finds no way is a lost packet.
    socket.send(text, asker.port, asker.address, () => undefined);
  });
  socket.bind({ address: place.address, port: place.port });
  await once(socket, 'listening');
}

await Promise.all([...options.tcp.map(serveTcp), ...options.udp.map(serveUdp)]);
untilAsked(() => null);
say({ ready: true });
