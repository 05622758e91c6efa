// A machine that lies in every field by turns, over a real database and mutual TLS: the platform keeps nothing that it
// makes up, and no other machine is sent anything or changes its role because of it. The same beside real agents and
// their packets: suites/e2e/hostile-node.e2e.test.ts.
import v8 from 'node:v8';
import vm from 'node:vm';
import { pageBytesMax } from '@powernode/core/limits/requests';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { enrolSimulated } from '../../packages/platform/deliver/simulated-enrolment.ts';
import {
  DocumentHolding,
  type NodeCredentials,
  SimulatedNode,
} from '../../packages/platform/deliver/simulated-node.ts';
import { randomKey } from '../../packages/platform/deliver/testing/stage.fixture.ts';
import { sendLies } from '../../packages/platform/testing/liar.fixture.ts';
import { startTestPlatform, type TestPlatform } from '../../packages/platform/testing/test-platform.ts';
import { makeMachine } from '../../packages/platform/trust/machine.fixture.ts';

const frames = Number(process.env['POWERNODE_HOSTILE_FRAMES'] ?? 1000);
const seed = Number(process.env['POWERNODE_HOSTILE_SEED'] ?? Date.now() % 2 ** 31);
/** What may stay in memory when it is over: what is gathered for the database, caches of compiled code. */
const heapGrowthMax = 64 * 1024 * 1024;

let platform: TestPlatform;
let nodeUrl: string;

beforeAll(async () => {
  platform = await startTestPlatform();
  nodeUrl = `https://127.0.0.1:${(await platform.delivery.listen({ host: '127.0.0.1', port: 0 })).port}`;
});
afterAll(() => platform.close());

interface Machine {
  readonly name: string;
  readonly instanceId: string;
  readonly credentials: NodeCredentials;
  readonly node: SimulatedNode;
  readonly unusedKeys: readonly string[];
  readonly document: DocumentHolding;
}

interface Peer {
  readonly id: string;
  readonly hostname: string;
  readonly role: string;
  readonly endpoint: string | null;
  readonly status: string;
}

async function call<Answer>(key: Parameters<TestPlatform['call']>[0], input: object): Promise<Answer> {
  return (await platform.call(key, input)) as unknown as Answer;
}

async function join(name: string): Promise<Machine> {
  const { join_token } = await call<{ join_token: { token: string } }>('createJoinToken', {
    name_hint: name,
  });
  const machine = await makeMachine();
  const unusedKeys = Array.from({ length: 16 }, randomKey);
  const answer = await enrolSimulated({
    ...machine,
    nodeUrl,
    token: join_token.token,
    fingerprint: platform.authority.fingerprint(),
    hostname: name,
    unusedKeys,
  });
  const credentials = {
    keyPem: machine.keyPem,
    certificatePem: answer.certificate_pem,
    authorityPem: answer.authority_pem,
  };
  const document = new DocumentHolding();
  const node = new SimulatedNode({ nodeUrl, credentials, unusedKeys, holding: document });
  return { name, instanceId: answer.instance_id, credentials, node, unusedKeys, document };
}

const peersOf = async (networkId: string) =>
  (await call<{ peers: Peer[] }>('listPeers', { network_id: networkId, limit: 500 })).peers;

/**
 * What a document says of everybody but the bad machine. That one may say of itself what it likes, and when its networks
 * cover the IPv4 prefix it loses its own address of it: then the routes to it go, and the ways through it as a hub.
 */
function ofOthers({ entries }: DocumentHolding, badInterfaces: ReadonlySet<string>): string[] {
  return [...entries.values()]
    .map((entry) =>
      entry.kind === 'route'
        ? { ...entry, via: entry.via.filter((name) => !badInterfaces.has(name)) }
        : entry,
    )
    .filter((entry) => entry.kind !== 'route' || entry.via.length > 0)
    .map((entry) => JSON.stringify(entry))
    .sort();
}

/** Interfaces that lead to a peer and to nobody else: of a hub, which has one of its own on each machine. */
function interfacesTo({ entries }: DocumentHolding, keys: ReadonlySet<string>): ReadonlySet<string> {
  const peers = [...entries.values()].flatMap((entry) => (entry.kind === 'peer' ? [entry] : []));
  const names = new Set(peers.filter((one) => keys.has(one.public_key)).map((one) => one.interface));
  for (const one of peers) if (!keys.has(one.public_key)) names.delete(one.interface);
  return names;
}

function heapBytes(): number {
  v8.setFlagsFromString('--expose-gc');
  (vm.runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

test(`${frames} frames of lies change no other machine and leave nothing behind [9.6]`, {
  timeout: 1_200_000,
}, async () => {
  const { network } = await call<{ network: { id: string } }>('createNetwork', { name: 'town' });
  const names = ['hub', 'edge1', 'edge2', 'edge3'];
  const honest: Machine[] = [];
  for (const name of names) honest.push(await join(name));
  const bad = await join('bad');
  for (const { name, instanceId, node } of [...honest, bad]) {
    const hub = {
      publicly_reachable: true,
      endpoint_address: name === 'hub' ? '203.0.113.1' : '203.0.113.2',
    };
    await call('attachPeer', {
      network_id: network.id,
      node_instance_id: instanceId,
      ...(name === 'hub' || name === 'bad' ? hub : {}),
    });
    await node.connect();
  }
  const inSync = () =>
    honest.every(({ instanceId, node }) => {
      const { desiredHash } = platform.delivery.nodeDelivery(instanceId);
      return node.held?.hash === desiredHash;
    });
  await expect.poll(inSync).toBe(true);
  bad.node.close();
  await expect.poll(() => platform.delivery.node(bad.instanceId)?.stream ?? null).toBeNull();

  const before = await peersOf(network.id);
  const badInterfaces = new Map(
    honest.map(({ name, document }) => [name, interfacesTo(document, new Set(bad.unusedKeys))]),
  );
  const documents = () =>
    new Map(
      honest.map(({ name, document }) => [name, ofOthers(document, badInterfaces.get(name) ?? new Set())]),
    );
  const documentsBefore = documents();
  for (const [name, interfaces] of badInterfaces) expect(interfaces.size, name).toBe(1);
  const heapBefore = heapBytes();
  const report = await sendLies({ nodeUrl, ...bad.credentials }, { frames, seed });
  process.stdout.write(`hostile node: seed ${seed}, ${JSON.stringify(report)}\n`);
  expect(report.sent, `seed ${seed}`).toBe(frames);
  await expect.poll(() => platform.delivery.node(bad.instanceId)?.stream ?? null).toBeNull();

  const facts = (peers: readonly Peer[]) =>
    peers
      .filter(({ hostname }) => hostname !== 'bad')
      .map(({ hostname, role, endpoint }) => ({ hostname, role, endpoint }));
  const after = await peersOf(network.id);
  expect(facts(after), `seed ${seed}`).toEqual(facts(before));
  expect(after.find(({ hostname }) => hostname === 'bad')?.role).toBe('hub');
  // Edges that never shook hands with each other are not connected because somebody else says so.
  for (const { name, node } of honest) {
    expect(node.ended, name).toBeNull();
    expect(node.connected, name).toBe(true);
  }
  await expect.poll(inSync).toBe(true);
  expect(documents(), `seed ${seed}`).toEqual(documentsBefore);
  for (const { node, instanceId } of honest) {
    node.say({ kind: 'failed', revision: 0, message: 'still heard' });
    await expect
      .poll(() => platform.delivery.node(instanceId)?.subsystems.some(({ name }) => name === 'apply'))
      .toBe(true);
  }
  const list = await call<object>('listInstances', { limit: 500 });
  expect(JSON.stringify(list).length).toBeLessThan(pageBytesMax);
  const events = await call<object>('recentEvents', { limit: 500 });
  expect(JSON.stringify(events).length).toBeLessThan(pageBytesMax * 1.1);
  expect(heapBytes() - heapBefore).toBeLessThan(heapGrowthMax);
});
