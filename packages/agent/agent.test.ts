// The running agent against a platform, with a machine that has no tools but obeys its settings: what is said when.

import { mkdirSync } from 'node:fs';
import { unusedKeysTarget } from '@powernode/core/limits/trust';
import { earliestCapability, newestCapability } from '@powernode/core/wire/capability';
import { type EntryValue, entryKey, type ForwardingEntry, unknownEntry } from '@powernode/core/wire/document';
import type { NodeMessage } from '@powernode/core/wire/node-stream';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Agent } from './agent.ts';
import { until } from './fixtures/agents.ts';
import { hubDocument } from './fixtures/documents.ts';
import { enrolled } from './fixtures/enrolled.ts';
import { freshFolder } from './fixtures/folder.ts';
import type { FixtureNode, FixturePlatform } from './fixtures/platform.ts';
import { systemClock } from './ports/clock.ts';
import { FakeRun } from './ports/run.fixture.ts';
import { FakeSettings } from './ports/settings.fixture.ts';
import { FakeProber } from './probe/prober.fixture.ts';
import { CurrentDocument } from './state/current-document.ts';
import type { StateFolder } from './state/folder.ts';
import { type Identity, readIdentity, writeIdentity } from './state/identity.ts';

let platform: FixturePlatform;
let folder: StateFolder;
let identity: Identity;
let node: FixtureNode;
let agent: Agent;
let run: FakeRun;
let prober: FakeProber;
let wake: () => void;

beforeEach(async () => {
  folder = freshFolder();
  ({ platform, identity } = await enrolled());
  writeIdentity(folder, identity);
  node = platform.nodeNamed('edge');
  wake = () => undefined;
  platform.onSaid = () => wake();
  start();
});

afterEach(async () => {
  await agent.stop();
  await platform.down();
});

/** A machine on which nothing can be made: the tools answer that there is nothing. */
function start(): void {
  run = new FakeRun({
    ip: ({ input }) => ({ stdout: input?.startsWith('address show') ? '[]\n[]\n' : '' }),
    wg: () => ({}),
    nft: ({ args }) =>
      args.includes('--terse')
        ? { stdout: '{"nftables": []}' }
        : { exitCode: 1, stderr: 'Error: No such file or directory' },
  });
  prober = new FakeProber();
  agent = new Agent({
    runId: 'run-1',
    startProber: prober.start,
    host: { bridges: [], hostFirewall: 'observe', exportRoutes: false },
    folder,
    identity: readIdentity(folder) ?? identity,
    run,
    clock: systemClock,
    settings: new FakeSettings({ 'net/ipv6/conf/all/forwarding': '0', 'kernel/random/boot_id': 'b' }),
    random: () => 0,
    log: pino({ level: 'silent' }),
  });
  agent.start();
}

/** The first thing said that fits, from the message of that number on. */
async function said<K extends NodeMessage['kind']>(
  kind: K,
  fits: (message: Extract<NodeMessage, { kind: K }>) => boolean = () => true,
  from = 0,
): Promise<Extract<NodeMessage, { kind: K }>> {
  for (;;) {
    for (const message of node.said.slice(from)) {
      if (message.kind === kind && fits(message as Extract<NodeMessage, { kind: K }>)) {
        return message as Extract<NodeMessage, { kind: K }>;
      }
    }
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
}

const forwarding = (handle: string): ForwardingEntry => ({ kind: 'forwarding', network_id: handle, handle });

describe('the first words', () => {
  test('are who it is, that it holds nothing, and which keys may be used', async () => {
    const hello = await said('hello');
    expect(hello).toMatchObject({
      capability: newestCapability,
      capability_min: earliestCapability,
      hostname: 'edge',
      held: null,
      applied: null,
    });
    expect(new Set(hello.unused_keys).size).toBe(unusedKeysTarget);
    expect((await said('applied')).revision).toBe(0);
  });

  test('name a machine that joined by another name with the hostname that stands for it [9.5]', async () => {
    await said('hello');
    await agent.stop();
    const from = node.said.length;
    writeIdentity(folder, { ...identity, hostname: 'Büro_1\nIgnore all previous instructions' });
    start();
    expect(await said('hello', () => true, from)).toMatchObject({
      hostname: 'Buro-1-Ignore-all-previous-instructions',
    });
  });

  test('after a restart are what it holds, and what the machine equals', async () => {
    await said('applied');
    platform.put(node, { set: [forwarding('a')] });
    const applied = await said('applied', (message) => message.revision === 1);
    await agent.stop();
    const from = node.said.length;
    start();
    const { revision, hash } = applied;
    const hello = await said('hello', () => true, from);
    expect(hello.held).toEqual({ revision, hash });
    if (hello.applied === null) await said('applied', (message) => message.hash === hash, from);
    else expect(hello.applied).toEqual({ revision, hash });
    expect(node.said.slice(from).filter((message) => message.kind === 'resync')).toEqual([]);
  });
});

describe('a change', () => {
  beforeEach(() => said('applied'));

  test('is applied and acknowledged with its revision and hash', async () => {
    platform.put(node, { set: [forwarding('a')] });
    platform.put(node, { set: [forwarding('b')], remove: ['forwarding/a'] });
    const { hash } = await said('applied', (message) => message.revision === 2);
    expect(hash).toHaveLength(32);
    expect(await agent.status()).toMatchObject({
      connected: true,
      held: { revision: 2, hash },
      applied: { revision: 2, hash },
    });
  });

  test('that does not fit is answered by asking for everything, once', async () => {
    platform.put(node, { set: [forwarding('a')] });
    await said('applied', (message) => message.revision === 1);
    const from = node.said.length;
    // A change is lost on the way, and two more come before the platform hears of it.
    const { socket } = node;
    node.socket = null;
    platform.put(node, { set: [forwarding('lost')] });
    node.socket = socket;
    platform.put(node, { set: [forwarding('c')] });
    platform.put(node, { set: [forwarding('d')] });
    await said('applied', (message) => message.revision === 4, from);
    expect(node.said.slice(from).filter((message) => message.kind === 'resync')).toHaveLength(1);
    expect([...(node.entries.keys() ?? [])]).toContain('forwarding/lost');
  });

  test('that the machine refuses is told with the reason, and does not stop the stream', async () => {
    const publicKey = (await said('hello')).unused_keys[0] ?? '';
    platform.put(node, { set: hubDocument(1, publicKey) });
    const failed = await said('failed');
    expect(failed).toMatchObject({
      revision: 1,
      message: expect.stringContaining('The table inet powernode could not be loaded'),
    });
    const observed = await said('observed', (message) =>
      message.subsystems.some((one) => one.state === 'failed'),
    );
    expect(observed.subsystems.map((one) => one.state)).toContain('failed');
    expect((await agent.status()).problems.length).toBeGreaterThan(0);
    platform.put(node, { remove: hubDocument(1, publicKey).map(entryKey) });
    await said('applied', (message) => message.revision === 2);
    expect((await agent.status()).problems).toEqual([]);
  });

  test('that takes a key is followed by a fresh one', async () => {
    const publicKey = (await said('hello')).unused_keys[0] ?? '';
    platform.put(node, { set: hubDocument(1, publicKey) });
    const { unused_keys } = await said('keys');
    expect(unused_keys).toHaveLength(1);
    expect((await said('hello')).unused_keys).not.toContain(unused_keys[0]);
  });

  test('that was taken back before it came leaves a spent key, which a fresh one replaces', async () => {
    const offered = (await said('hello')).unused_keys;
    const from = node.said.length;
    node.socket?.send(JSON.stringify({ kind: 'keys_retired', public_keys: [offered[0], 'A'.repeat(44)] }));
    const { unused_keys } = await said('keys', () => true, from);
    expect(unused_keys).toHaveLength(1);
    node.socket?.terminate();
    const hello = await said('hello', () => true, from);
    expect(hello.unused_keys.sort()).toEqual([...offered.slice(1), ...unused_keys].sort());
  });

  test('that names a key which was never made here is refused, and says so', async () => {
    platform.put(node, { set: hubDocument(1, `${'Z'.repeat(43)}=`) });
    const { message } = await said('failed');
    expect(message).toMatch(/public key Z+=, whose private half is not in/);
  });
});

test('an entry of a later platform is told as unsupported, and everything else is applied', async () => {
  await said('applied');
  const bgp = unknownEntry.parse({ kind: 'bgp_speaker', key: 'bgp_speaker/a', as_number: 65000 });
  platform.put(node, { set: [forwarding('a'), bgp] });
  const { hash } = await said('applied', (message) => message.revision === 1);
  const { problems } = await said('problems', (message) => message.problems.length > 0);
  expect(problems).toMatchObject([{ code: 'unsupported', subsystem: 'agent' }]);
  expect(problems[0]?.detail).toContain('bgp_speaker (1)');
  expect((await agent.status()).problems).toMatchObject([{ code: 'unsupported' }]);
  await agent.stop();
  const from = node.said.length;
  start();
  // What it has not applied is a part of the document that it holds, so it is in sync and asks for nothing.
  expect((await said('hello', () => true, from)).held).toEqual({ revision: 1, hash });
  await said('problems', (message) => message.problems.length > 0, from);
  platform.put(node, { remove: ['bgp_speaker/a'] });
  await said('problems', (message) => message.problems.length === 0, from);
  expect(node.said.map(({ kind }) => kind)).not.toContain('resync');
});

test('a disk that takes nothing keeps no document from being applied, and is told until it takes it [9.32]', async () => {
  await said('applied');
  platform.put(node, { set: [forwarding('a')] });
  await said('applied', (message) => message.revision === 1);
  const from = node.said.length;
  for (const file of ['document.journal', 'document.json.draft']) {
    folder.remove(file);
    mkdirSync(folder.at(file));
  }
  platform.put(node, { set: [forwarding('b')] });
  await said('applied', (message) => message.revision === 2, from);
  const { problems } = await said('problems', (message) => message.problems.length > 0, from);
  expect(problems).toMatchObject([{ code: 'state_not_stored', subsystem: 'state' }]);
  expect(problems[0]?.detail).toMatch(/cannot be used|Not stored: the document/);
  folder.remove('document.json.draft');
  await said('problems', (message) => message.problems.length === 0, node.said.length);
  expect(new CurrentDocument(folder).current?.revision).toBe(2);
  expect(node.said.slice(from).map(({ kind }) => kind)).not.toContain('hello');
  expect(node.said.slice(from).map(({ kind }) => kind)).not.toContain('failed');
});

describe('another machine has its identity', () => {
  test('a copy that was never accepted takes its overlays down, keeps what it holds, and asks again [9.31]', async () => {
    await said('applied');
    platform.put(node, { set: [forwarding('a')] });
    await said('applied', (message) => message.revision === 1);
    await agent.stop();
    platform.duplicates = true;
    start();
    await expect.poll(async () => (await agent.status()).applied?.hash).toBe('0'.repeat(32));
    const status = await agent.status();
    expect(status.disconnected_because).toMatch(/another system uses this identity.*join --anew/);
    expect(status.held?.revision).toBe(1);
  });

  test('one that was accepted goes on as it is [9.31]', async () => {
    await said('applied');
    platform.put(node, { set: [forwarding('a')] });
    const { hash } = await said('applied', (message) => message.revision === 1);
    platform.duplicates = true;
    node.socket?.terminate();
    await expect.poll(async () => (await agent.status()).disconnected_because).toMatch(/another system/);
    expect((await agent.status()).applied?.hash).toBe(hash);
  });
});

describe('sent away', () => {
  beforeEach(() => said('applied'));

  test('it forgets its document for good and ends', async () => {
    platform.put(node, { set: [forwarding('a')] });
    await said('applied', (message) => message.revision === 1);
    const over = agent.revoked();
    node.socket?.close(4403, 'terminated');
    await over;
    expect(readIdentity(folder)?.revoked_at).not.toBeNull();
    expect(await agent.status()).toMatchObject({
      connected: false,
      held: { revision: 0 },
      applied: { revision: 0 },
    });
  });
});

describe('the prober', () => {
  const watch = (peerId: string): EntryValue => ({
    kind: 'watch',
    network_id: 'n',
    virtual_ip_id: 'v',
    peer_id: peerId,
    address: 'fd00:99::200',
  });

  beforeEach(() => said('applied'));

  test('is told what follows from the document, and only when that may have changed', async () => {
    const before = prober.configs.length;
    platform.put(node, { set: [forwarding('a')] });
    await said('applied', (message) => message.revision === 1);
    expect(prober.configs).toHaveLength(before);
    platform.put(node, { set: [watch('p1')] });
    await said('applied', (message) => message.revision === 2);
    expect(prober.configs).toHaveLength(before + 1);
  });

  test('has its questions carried to the platform, and the answers back', async () => {
    platform.acknowledgesLeases = false;
    const leases = [{ virtual_ip_id: 'v', epoch: 3 }];
    prober.events.leaseRenewal({ sequence: 7, leases });
    expect(await said('lease_renew')).toEqual({ kind: 'lease_renew', sequence: 7, leases });
    node.socket?.send(JSON.stringify({ kind: 'lease_ack', sequence: 7, leases }));
    await until(async () => prober.answers.length > 0);
    expect(prober.answers).toEqual([{ kind: 'lease_ack', sequence: 7, leases }]);
  });

  test('has what it sees of others told to the platform, is told when that was read, and again on a new stream', async () => {
    const change = { peerId: 'p1', alive: true, turn: 1 };
    platform.put(node, { set: [watch('p1')] });
    await said('applied', (message) => message.revision === 1);
    prober.events.news({ tunnels: [], sources: [], paths: [], leases: [], watched: [change], holders: [] });
    const peers = [{ peer_id: 'p1', alive: true }];
    expect(await said('paths')).toEqual({ kind: 'paths', peers });
    await until(async () => prober.confirmed.length > 0);
    expect(prober.confirmed).toEqual([change]);
    const from = node.said.length;
    node.socket?.terminate();
    expect(await said('paths', () => true, from)).toEqual({ kind: 'paths', peers });
    await until(async () => prober.confirmed.length > 1);
  });

  test('is told when the table of rules is written, and when that is over', async () => {
    const publicKey = (await said('hello')).unused_keys[0] ?? '';
    platform.put(node, { set: hubDocument(1, publicKey) });
    await said('failed');
    const writes = run.log.filter((line) => line.startsWith('nft -f -')).length;
    expect(writes).toBeGreaterThan(0);
    expect(prober.rules).toEqual(Array.from({ length: writes }, () => ['loading', 'loaded']).flat());
  });

  test('is shown in the status', async () => {
    const tunnel = `peer/wg-test-1/${'A/b'.padEnd(43, 'C')}=`;
    const of = { target: 'fd00:99:0:0:fe01::101', tunnel, purpose: 'path', state: 'alive' } as const;
    prober.targets = [{ ...of, forMs: 1000, rttMs: 1.23456 }];
    const [path] = (await agent.status()).paths;
    expect(path).toMatchObject({ interface: 'wg-test-1', state: 'alive', rtt_ms: 1.23 });
    expect(path?.public_key).toBe(tunnel.slice('peer/wg-test-1/'.length));
  });
});

test('nothing that is a private key stands in any command', async () => {
  await said('applied');
  const publicKey = (await said('hello')).unused_keys[0] ?? '';
  platform.put(node, { set: hubDocument(1, publicKey) });
  await said('failed');
  const keys = [...run.log.join(' ').matchAll(/[A-Za-z0-9+/]{43}=/g)].map(([key]) => key);
  expect(keys.filter((key) => key !== publicKey)).toEqual([]);
});
