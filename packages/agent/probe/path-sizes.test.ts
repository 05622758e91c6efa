// Two engines and a line between them that swallows what is large: what the one says of it.
import { probeTickMs } from '@powernode/core/limits/probe';
import { expect, test } from 'vitest';
import { nothingToProbe } from './config.ts';
import { Engine } from './engine.ts';
import type { FromProber } from './messages.ts';

const [spokeAddress, hubAddress] = ['fd00::5', 'fd00::fe01:0:0:1'];

/** Runs for so long; answers what the spoke posted of sizes. */
function measured(most: number, forMs: number): FromProber[] {
  const posted: FromProber[] = [];
  let nowMs = 0;
  const headers = 48;
  const port = 40_000;
  const hub: Engine = new Engine({
    run: 2n,
    nowMs,
    output: {
      send: (bytes, from, to) => {
        if (bytes.length + headers > most) return;
        spoke.received(
          bytes,
          { local: to.address, from: { address: from.address, port: from.port ?? port } },
          nowMs,
        );
      },
      post: () => undefined,
      writeLeases: () => undefined,
    },
  });
  const spoke: Engine = new Engine({
    run: 1n,
    nowMs,
    output: {
      send: (bytes, from, to) => {
        if (bytes.length + headers > most) return;
        hub.received(
          bytes,
          { local: to.address, from: { address: from.address, port: from.port ?? port } },
          nowMs,
        );
      },
      post: (message) => void (message.kind === 'path_size' && posted.push(message)),
      writeLeases: () => undefined,
    },
  });
  hub.configure(
    { ...nothingToProbe, answering: [{ network: 'n', address: hubAddress, purpose: 'hub', relay: null }] },
    nowMs,
  );
  const target = {
    network: 'n',
    target: hubAddress,
    goal: 'fd00::1',
    tunnel: 'peer/wg-a-1/K',
    purpose: 'path',
    rank: 0,
    source: spokeAddress,
    mtu: 1420,
  } as const;
  spoke.configure({ ...nothingToProbe, targets: [target] }, nowMs);
  for (; nowMs < forMs; nowMs += probeTickMs) {
    spoke.tick(nowMs);
    hub.tick(nowMs);
  }
  return posted;
}

test('a line that carries everything is found to do so at once [9.30]', () => {
  expect(measured(1420, 3_000)).toEqual([
    { kind: 'path_size', tunnel: 'peer/wg-a-1/K', size: { isWhole: true, isBelowFloor: false, bytes: 1420 } },
  ]);
});

test('a line that swallows what is large is measured once, to a few bytes [9.30]', () => {
  const [found, ...others] = measured(1340, 120_000);
  expect(others).toEqual([]);
  expect(found).toMatchObject({ kind: 'path_size', size: { isWhole: false, isBelowFloor: false } });
  const bytes = found?.kind === 'path_size' ? found.size.bytes : 0;
  expect(bytes).toBeLessThanOrEqual(1340);
  expect(bytes).toBeGreaterThan(1340 - 8);
});
