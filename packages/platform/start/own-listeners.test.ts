// Which TCP ports the platform says that it has, by how it was configured.
import { expect, test } from 'vitest';
import { ownListeners } from './own-listeners.ts';

const nodes = { nodeHost: '::', nodePort: 7443 };

test.each([
  ['127.0.0.1', 'http://127.0.0.1:7070', { address: '127.0.0.1', port: 7070 }],
  ['localhost', 'http://localhost:7070', { address: '127.0.0.1', port: 7070 }],
  ['0.0.0.0', 'https://192.0.2.7:7070', { address: null, port: 7070 }],
  ['::', 'https://192.0.2.7', { address: null, port: 443 }],
  ['2001:DB8::7', 'https://[2001:db8::7]:8443', { address: '2001:db8::7', port: 8443 }],
  ['net.example', 'https://net.example:8443', { address: null, port: 8443 }],
])('operators at %s, nodes everywhere [9.10]', (operatorHost, operatorUrl, expected) => {
  const [first, second] = ownListeners({ ...nodes, operatorHost, operatorUrl });
  expect(first).toMatchObject({ address: null, port: 7443 });
  expect(second).toMatchObject(expected);
});

test('nobody listens for operators before the end of the start', () => {
  expect(
    ownListeners({ nodeHost: '192.0.2.7', nodePort: 7443, operatorHost: '::', operatorUrl: '' }),
  ).toEqual([{ what: 'the listener for instances', address: '192.0.2.7', port: 7443 }]);
});
