// Of too many connections without a stream the oldest makes room; those with a stream are not among them.
import { expect, it } from 'vitest';
import { PlainConnections } from './plain-connections.ts';

function line(remotePort: number) {
  let onClose: () => void = () => undefined;
  const made = {
    remoteAddress: '192.0.2.1',
    remotePort,
    isDestroyed: false,
    destroy() {
      made.isDestroyed = true;
      onClose();
    },
    once(_event: string, run: () => void) {
      onClose = run;
    },
  };
  return made;
}

it('whoever holds many open loses the oldest, and the newest gets in [9.6]', () => {
  const connections = new PlainConnections(3);
  const lines = Array.from({ length: 5 }, (_, i) => line(i));
  for (const one of lines) connections.opened(one);
  expect(lines.map(({ isDestroyed }) => isDestroyed)).toEqual([true, true, false, false, false]);
  expect(connections.count).toBe(3);
});

it('a stream is not counted, and one that has ended neither [9.6]', () => {
  const connections = new PlainConnections(2);
  const [stream, ended, ...others] = [line(1), line(2), line(3), line(4)];
  connections.opened(stream);
  connections.upgraded({ remoteAddress: '192.0.2.1', remotePort: 1 });
  connections.opened(ended);
  ended.destroy();
  for (const one of others) connections.opened(one);
  expect([stream, ...others].map(({ isDestroyed }) => isDestroyed)).toEqual([false, false, false]);
});
