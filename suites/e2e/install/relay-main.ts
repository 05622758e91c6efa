// `relay-main.ts ADDRESS PORT SOCKET`: run in the network namespace of a bare machine. Listens there and passes each
// connection to a socket of this machine's files, so that no interface is needed on this side.
import { connect, createServer } from 'node:net';

const [host = '', port = '', socket = ''] = process.argv.slice(2);
const server = createServer((from) => {
  const to = connect(socket);
  from.pipe(to).pipe(from);
  for (const one of [from, to]) one.on('error', () => [from, to].forEach((end) => void end.destroy()));
});
server.listen(Number(port), host, () => process.stdout.write('ready\n'));
