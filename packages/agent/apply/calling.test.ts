// Where peers are called: by what the machine has, what answers, and how often an unanswered call is repeated.
import { directRetryMs, directTriesMax, endpointTryMs } from '@powernode/core/limits/agent';
import type { EntryValue, PeerEntry } from '@powernode/core/wire/document';
import { beforeEach, describe, expect, test } from 'vitest';
import { addressOf, documentOf, hashOf, leaf, networkId, peerOf, route } from '../fixtures/documents.ts';
import { FakeClock } from '../ports/clock.fixture.ts';
import type { Held } from '../state/current-document.ts';
import { ModelMachine } from './model-machine.fixture.ts';
import { Reconciler } from './reconciler.ts';

const ownKey = `${'A'.repeat(43)}=`;
const otherKey = `${'B'.repeat(43)}=`;
const ipv4 = '192.0.2.7:51820';
const ipv6 = '[2001:db8::7]:51820';

let clock: FakeClock;
let machine: ModelMachine;
let families: (4 | 6)[];
let drift: string[];
let reconciler: Reconciler;

beforeEach(() => {
  clock = new FakeClock();
  machine = new ModelMachine();
  families = [4, 6];
  drift = [];
  reconciler = new Reconciler({
    machine,
    clock,
    families: () => families,
    events: {
      applied: () => undefined,
      failed: (_held, problems) => expect(problems).toEqual([]),
      drifted: (some) => drift.push(...some.map(({ key }) => key)),
      looked: () => undefined,
      switched: () => undefined,
      programmingError: () => undefined,
    },
  });
});

let revision = 0;
function apply(values: readonly EntryValue[]): Promise<void> {
  const entries = documentOf([leaf(1, ownKey), ...values]);
  const held: Held = { revision: ++revision, hash: hashOf(entries), entries };
  reconciler.apply(held, 'all');
  return clock.advance(0);
}

const firewall: EntryValue = {
  kind: 'firewall',
  network_id: networkId,
  handle: 'test',
  prefixes: ['fd00:99::/64', '100.64.0.0/18'],
  default_policy: 'accept',
  rematch: false,
};

function called(endpoint: string, ...fallbacks: string[]): PeerEntry {
  const peer = peerOf({ interface: 'wg-test', number: 2, publicKey: otherKey, endpoint });
  return fallbacks.length === 0 ? peer : { ...peer, fallback_endpoints: fallbacks };
}

/** A spoke that hubs say is there. */
function direct(endpoint: string): EntryValue[] {
  const target = `fd00:99::feff:0:0:2`;
  const reached = [`${addressOf(2)}/128`, `${target}/128`];
  const peer = { ...called(endpoint), allowed_ips: reached };
  const probe: EntryValue = {
    kind: 'probe',
    network_id: networkId,
    interface: 'wg-test',
    public_key: otherKey,
    purpose: 'direct',
    target,
  };
  return [peer, probe, ...reached.map((one) => route(one, 'wg-test'))];
}

function inKernel() {
  return machine.kernel.seen.interfaces.get('wg-test')?.device?.peers.get(otherKey);
}

/** What WireGuard would show had the other end answered just now. */
function answers(at?: string): void {
  const one = machine.kernel.seen.interfaces.get('wg-test');
  const peer = inKernel();
  if (one?.device == null || peer === undefined) throw new Error('there is no such peer');
  const lastHandshakeS = Math.floor(clock.nowMs() / 1000);
  const next = { ...peer, lastHandshakeS, rxBytes: peer.rxBytes + 92, endpoint: at ?? peer.endpoint };
  const device = { ...one.device, peers: new Map(one.device.peers).set(otherKey, next) };
  const interfaces = new Map(machine.kernel.seen.interfaces).set('wg-test', { ...one, device });
  machine.kernel = { ...machine.kernel, seen: { ...machine.kernel.seen, interfaces } };
}

async function pass(ms: number, meanwhile: () => void = () => undefined): Promise<void> {
  for (let left = ms; left > 0; left -= 1000) {
    meanwhile();
    await clock.advance(Math.min(left, 1000));
  }
}

describe('endpoints of both families', () => {
  test('a machine with IPv6 only calls the one of IPv6, wherever it stands [9.29]', async () => {
    families = [6];
    await apply([called(ipv4, ipv6)]);
    expect(inKernel()?.endpoint).toBe(ipv6);
  });

  test('when nobody answers at the first, the next has its turn, and then the first again [9.29]', async () => {
    await apply([called(ipv4, ipv6)]);
    expect(inKernel()?.endpoint).toBe(ipv4);
    await pass(endpointTryMs + 10_000);
    expect(inKernel()?.endpoint).toBe(ipv6);
    await pass(endpointTryMs + 10_000);
    expect(inKernel()?.endpoint).toBe(ipv4);
  });

  test('one that answers stays, though the preferred one may be back [9.29]', async () => {
    await apply([called(ipv4, ipv6)]);
    await pass(endpointTryMs + 10_000);
    const seen = new Set<string | null | undefined>();
    await pass(900_000, () => {
      answers();
      seen.add(inKernel()?.endpoint);
    });
    expect([...seen]).toEqual([ipv6]);
    expect(drift).toEqual([]);
  });

  test('what works is not left for what a new document prefers [9.29]', async () => {
    await apply([called(ipv4, ipv6)]);
    await pass(30_000, () => answers());
    await apply([called(ipv6, ipv4)]);
    await pass(30_000, () => answers());
    expect(inKernel()?.endpoint).toBe(ipv4);
    await apply([called(ipv6)]);
    expect(inKernel()?.endpoint).toBe(ipv6);
  });
});

describe('a direct path on which nobody answers', () => {
  const place = '198.51.100.9:4000';

  /** Stretches of time, in seconds, in which the kernel would call. */
  async function stretches(ms: number): Promise<number[]> {
    const found: number[] = [];
    let since: number | null = null;
    await pass(ms, () => {
      const calls = inKernel()?.endpoint != null;
      if (calls) since = (since ?? 0) + 1;
      else if (since !== null) {
        found.push(since);
        since = null;
      }
    });
    return since === null ? found : [...found, since];
  }

  test('is tried a few times, ever more seldom, and then no more [9.8]', async () => {
    await apply(direct(place));
    const tried = await stretches(3_600_000);
    expect(tried).toHaveLength(directTriesMax);
    expect(Math.max(...tried)).toBeLessThan(30);
    expect(await stretches(3 * 3_600_000)).toEqual([]);
    expect(inKernel()).toMatchObject({ endpoint: null, keepalive: 0 });
    expect(drift).toEqual([]);
  });

  test('is tried again at another place, when this machine is back, and when the other one calls [9.8]', async () => {
    await apply(direct(place));
    await pass(3_600_000);
    await apply(direct('198.51.100.9:4001'));
    expect(await stretches(3_600_000)).toHaveLength(directTriesMax);
    reconciler.retryDirectPaths();
    const again = await stretches(directRetryMs / 2);
    reconciler.retryDirectPaths();
    again.push(...(await stretches(3_600_000)));
    expect(again).toHaveLength(directTriesMax);
    answers('198.51.100.9:4001');
    await pass(30_000, () => answers());
    expect(inKernel()).toMatchObject({ endpoint: '198.51.100.9:4001', keepalive: 25 });
  });

  test('is no drift when a document without it comes while the machine is looked at', async () => {
    await apply(direct(place));
    await pass(3_600_000);
    expect(inKernel()).toMatchObject({ endpoint: null, keepalive: 0 });
    const look = machine.look.bind(machine);
    machine.look = async (scope) => {
      machine.look = look;
      const observation = await look(scope);
      void apply([]);
      return observation;
    };
    await pass(10_000);
    expect(machine.look).toBe(look);
    expect(inKernel()).toBeUndefined();
    expect(drift).toEqual([]);
  });

  test('one that answers is left alone [9.8]', async () => {
    await apply(direct(place));
    expect(await (answers(), stretches(0))).toEqual([]);
    machine.took();
    await pass(1_200_000, () => answers());
    expect(machine.took().filter((step) => step.startsWith('set_peer'))).toEqual([]);
    expect(inKernel()?.endpoint).toBe(place);
  });
});

describe('an endpoint that no other machine can have', () => {
  test.each([
    '127.0.0.1:51820',
    '224.0.0.1:51820',
    '[::1]:51820',
    `[${addressOf(9)}]:51820`,
    '100.64.0.9:51820',
  ])('%s is never written to the kernel, and said to be refused [9.8]', async (endpoint) => {
    await apply([firewall, called(endpoint)]);
    expect(inKernel()).toMatchObject({ endpoint: null, keepalive: 0 });
    expect(reconciler.refusedEndpoints).toMatchObject([
      { code: 'endpoint_refused', networkId, detail: expect.stringContaining(endpoint) },
    ]);
    await apply([firewall, called(ipv4)]);
    expect(inKernel()?.endpoint).toBe(ipv4);
    expect(reconciler.refusedEndpoints).toEqual([]);
  });

  test('another endpoint of the same peer is called instead [9.8]', async () => {
    await apply([firewall, called('127.0.0.1:51820', ipv6)]);
    expect(inKernel()?.endpoint).toBe(ipv6);
  });
});
