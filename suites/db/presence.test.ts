// What HTTP, MCP, the command line, topology, explanations, the matrix, metrics and events say of a machine that dies, is
// suspended, or answers the platform and passes nothing: on a running platform, with machines that are simulated. With
// real machines and a browser: suites/e2e/presence.
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type PlatformProgram, startPlatformProgram } from '../stage/platform-program.ts';
import { promisedMs } from '../stage/quiet.ts';
import { Surfaces } from '../stage/surfaces.ts';

interface Member {
  readonly instanceId: string;
  readonly peerId: string;
  readonly address: string;
}

let platform: PlatformProgram;
let surfaces: Surfaces;
let networkId: string;
let hub: Member;
let edge: Member;
let other: Member;

const timeout = 45_000;

async function attach(hostname: string, place: object = {}): Promise<Member> {
  const instanceId = await platform.joinMachine(hostname);
  const { peer } = await platform.action<{ peer: { id: string; host_address: string } }>(
    'system_sdwan_attach_peer',
    { network_id: networkId, node_instance_id: instanceId, approve: true, ...place },
  );
  return { instanceId, peerId: peer.id, address: peer.host_address };
}

const nodeOf = ({ instanceId }: Member) => platform.nodeOf(instanceId);

function hears(heard: boolean, members: readonly Member[]): void {
  nodeOf(hub).probed({ heard: members.map(({ address }) => ({ address, heard, for_ms: 450 })) });
}

function saysOfHub(member: Member, state: 'answers' | 'silent'): void {
  nodeOf(member).probed({
    paths: [{ network_id: networkId, peer_id: hub.peerId, state, for_ms: 450 }],
  });
}

/** From when something is so until each surface shows it. */
const shownWithinMs = promisedMs(2_000);

/** Waits until every surface says so, which each does in a look that begins in time; answers why, by surface. */
async function everywhere(reachable: boolean): Promise<Map<string, string>> {
  const why = new Map<string, string>();
  await inTime(async (name) => {
    const said = await surfaces.look(name);
    why.set(name, said.why);
    return said.reachable === reachable;
  });
  return why;
}

async function inTime(isShown: (name: string) => Promise<boolean>): Promise<void> {
  const startMs = performance.now();
  await Promise.all(
    surfaces.names.map(async (name) => {
      let lookedMs = 0;
      const look = () => {
        lookedMs = performance.now() - startMs;
        return isShown(name);
      };
      await vi.waitUntil(look, { timeout, interval: 50 });
      expect(lookedMs, `${name} after so many ms`).toBeLessThan(shownWithinMs);
    }),
  );
}

async function told(kind: string, since: Date): Promise<Record<string, unknown>> {
  return vi.waitUntil(async () => (await surfaces.events(kind, since))[0] ?? false, {
    timeout,
    interval: 50,
  });
}

beforeAll(async () => {
  platform = await startPlatformProgram();
  const { network } = await platform.action<{ network: { id: string } }>('system_sdwan_create_network', {
    name: 'presence',
  });
  networkId = network.id;
  hub = await attach('hub1', { publicly_reachable: true, endpoint_address: '198.51.100.7' });
  edge = await attach('edge1');
  other = await attach('edge2');
  hears(true, [edge, other]);
  for (const member of [edge, other]) saysOfHub(member, 'answers');
  surfaces = new Surfaces({
    url: platform.url,
    token: platform.token,
    networkId,
    peerId: edge.peerId,
    instanceId: edge.instanceId,
    hostname: 'edge1',
    fromPeerId: other.peerId,
  });
  await surfaces.open();
  await everywhere(true);
});

afterAll(async () => {
  await surfaces?.close();
  await platform?.end();
});

test('a machine that is killed [9.14]', async () => {
  const since = new Date();
  nodeOf(edge).drop();
  hears(false, [edge]);
  const why = await everywhere(false);
  for (const name of ['HTTP', 'list', 'topology', 'MCP', 'CLI']) {
    expect(why.get(name), name).toMatch(
      /^offline: edge1 has not been heard by the platform and hub1 since \d/,
    );
  }
  expect(why.get('explain')).toMatch(/^edge1 has not been heard by the platform and hub1 since /);
  expect(why.get('matrix')).toBe('u');
  expect(await told('sdwan.peer.unreachable', since)).toMatchObject({
    hostname: 'edge1',
    because: { code: 'offline' },
  });
  expect(await told('system.instance.offline', since)).toMatchObject({ hostname: 'edge1' });
  expect(await surfaces.instance()).toMatchObject({
    connected: false,
    offline_since: expect.stringMatching(/Z$/),
  });
  await nodeOf(edge).connect();
  hears(true, [edge]);
  saysOfHub(edge, 'answers');
  await everywhere(true);
  await told('sdwan.peer.reachable', since);
  await told('system.instance.online', since);
  expect(await surfaces.instance()).toMatchObject({ connected: true, offline_since: null });
});

test('a machine that is suspended, whose connections are open [9.14]', async () => {
  const since = new Date();
  nodeOf(edge).isSuspended = true;
  hears(false, [edge]);
  const why = await everywhere(false);
  expect(why.get('HTTP')).toMatch(/^offline: /);
  await told('system.instance.offline', since);
  nodeOf(edge).isSuspended = false;
  hears(true, [edge]);
  await everywhere(true);
  await told('system.instance.online', since);
});

test('a machine that answers the platform, and UDP of which does not pass [9.28]', async () => {
  const since = new Date();
  hears(false, [edge]);
  saysOfHub(edge, 'silent');
  const why = await everywhere(false);
  expect(why.get('HTTP')).toMatch(/^udp_blocked: The agent of edge1 is connected to the platform/);
  expect(why.get('explain')).toContain('UDP between edge1 and them does not pass');
  expect(await told('sdwan.peer.unreachable', since)).toMatchObject({ because: { code: 'udp_blocked' } });
  expect(await surfaces.events('system.instance.offline', since)).toEqual([]);
  expect(await surfaces.instance()).toMatchObject({ connected: true });
  hears(true, [edge]);
  saysOfHub(edge, 'answers');
  await everywhere(true);
});

test('a machine that left is on no surface any more [9.14]', async () => {
  const since = new Date();
  await platform.leave(edge.instanceId);
  await inTime((name) => surfaces.isGone(name));
  expect(await surfaces.instance()).toMatchObject({ connected: false, status: 'terminated' });
  await told('system.instance.', since);
});
