// The program that memory per connection is compared to: a listener for mutual TLS that takes WebSockets, says once
// that all is well, and keeps nothing. What it needs for a connection is what Node's TLS needs.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
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
/** RFC 6455 §1.3. */
const acceptSuffix = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const allIsWell = Buffer.from(JSON.stringify({ kind: 'current', revision: 0, hash: '0'.repeat(32) }));
/** One text frame of fewer than 126 bytes (RFC 6455 §5.2). */
const frame = Buffer.concat([Buffer.from([0x81, allIsWell.length]), allIsWell]);
server.on('upgrade', (request, socket) => {
  const accept = createHash('sha1')
    .update(`${request.headers['sec-websocket-key'] ?? ''}${acceptSuffix}`)
    .digest('base64');
  const head = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade'];
  socket.on('error', () => socket.destroy());
  socket.resume();
  socket.write(`${[...head, `Sec-WebSocket-Accept: ${accept}`].join('\r\n')}\r\n\r\n`);
  socket.write(frame);
});
server.listen({ host: '127.0.0.1', port: 0 }, () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`listening on ${port}\n`);
});
