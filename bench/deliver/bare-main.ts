// The program that memory per connection is compared to: a listener for mutual TLS WebSockets that does nothing but
// say once that all is well. What it needs for a connection is what Node needs.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { type AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import type { ServerFiles } from './fleet.ts';

const [file = ''] = process.argv.slice(2);
const { certificatePem, keyPem, authorityPem } = JSON.parse(readFileSync(file, 'utf8')) as ServerFiles;
const server = createServer({
  cert: certificatePem,
  key: keyPem,
  ca: authorityPem,
  requestCert: true,
  minVersion: 'TLSv1.3',
});
const sockets = new WebSocketServer({ server, clientTracking: false, perMessageDeflate: false });
const allIsWell = JSON.stringify({ kind: 'current', revision: 0, hash: '0'.repeat(32) });
sockets.on('connection', (socket) => {
  socket.on('error', () => undefined);
  socket.on('message', () => undefined);
  socket.send(allIsWell);
});
server.listen({ host: '127.0.0.1', port: 0 }, () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`listening on ${port}\n`);
});
