// Inside a host: the socket of a flow, bound to a port of this side and connected to the other.
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Flow } from './wire.ts';

export async function flowSocket(flow: Flow, sourcePort: number): Promise<Socket> {
  const socket = createSocket(flow.source.includes(':') ? 'udp6' : 'udp4');
  socket.bind(sourcePort, flow.source);
  await once(socket, 'listening');
  socket.connect(flow.port, flow.destination);
  await once(socket, 'connect');
  return socket;
}
