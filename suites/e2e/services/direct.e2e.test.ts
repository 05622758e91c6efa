// Spokes behind cone NATs meet without a hub soon after they are attached, which the hubs' own counts show; when that
// path is blocked they are back on a hub within a second. Behind symmetric NATs they stay there, and it says why.
import { autonomyActions } from '@powernode/core/actions/autonomy';
import { sdwanActions } from '@powernode/core/actions/sdwan';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ForwardCount } from '../../../packages/lab/lab.ts';
import { waitFor } from '../../../packages/lab/stage/process.ts';
import { ownLabFolder, uniqueName } from '../../../packages/lab/testing/scene.ts';
import { hubs, Services } from '../../../packages/lab/testing/services.ts';
import { lossDuring } from '../../../packages/lab/watch/loss.ts';
import { promisedMs } from '../../stage/quiet.ts';

const limitMs = 60_000;
const directWithinMs = promisedMs(5000);
const gapMaxMs = promisedMs(1000);
const port = 7007;
const pair = { a: 'edge2', b: 'edge3' } as const;

let services: Services;
let removeFolder: () => Promise<void>;

beforeAll(async () => {
  removeFolder = await ownLabFolder();
  services = await Services.up(uniqueName('direct'), (line) => console.log(line));
});

afterAll(async () => {
  await services?.lab.down();
  await removeFolder();
});

interface Addresses {
  readonly a: string;
  readonly b: string;
}

async function addresses(): Promise<Addresses> {
  const peers = await services.peers();
  return { a: peers.get(pair.a)?.host_address ?? '', b: peers.get(pair.b)?.host_address ?? '' };
}

/** Whether both would send to each other without a hub: by the interface that has no hub's number. */
async function meetDirectly({ a, b }: Addresses): Promise<boolean> {
  const ways = [await services.lab.wayTo(pair.a, b), await services.lab.wayTo(pair.b, a)];
  return ways.every((device) => device !== null && /^wg-[^-]+$/.test(device));
}

async function direct(at: Addresses): Promise<void> {
  await waitFor({ what: 'the two to meet without a hub', limitMs }, () => meetDirectly(at));
}

/** How many packets between the two all hubs forward while `from` pings `to` so often. */
async function forwardedDuring(
  count: number,
  flow: { from: string; to: string; source: string; target: string },
) {
  const counts: ForwardCount[] = [];
  for (const hub of hubs) {
    counts.push(await services.lab.countForwarded(hub, { from: flow.source, to: flow.target }));
  }
  const args = ['-n', '-c', String(count), '-i', '0.01', '-W', '1', flow.target];
  const { stdout } = await services.lab.exec(flow.from, { program: 'ping', args });
  let forwarded = 0;
  for (const one of counts) {
    forwarded += await one.read();
    await one.end();
  }
  return { forwarded, answered: Number(/ (\d+) received/.exec(stdout)?.[1] ?? '0') };
}

test('two spokes behind cone NATs meet directly within 5 s of attaching, and not through a hub', async () => {
  const instances = new Map<string, string>();
  for (const host of Object.values(pair)) {
    const { id, node_instance_id } = await services.peer(host);
    await services.call(sdwanActions.detachPeer, { peer_id: id, approve: true });
    instances.set(host, node_instance_id);
  }
  await waitFor({ what: 'the interfaces to be gone', limitMs }, async () => {
    const { hosts } = await services.lab.status();
    const off = hosts.filter(({ name }) => instances.has(name));
    return off.every(({ overlay_addresses }) => overlay_addresses.length === 0);
  });
  const { networkId: network_id } = services;
  const attached: string[] = [];
  for (const node_instance_id of instances.values()) {
    const { peer } = await services.call(sdwanActions.attachPeer, { network_id, node_instance_id });
    attached.push(peer.host_address);
  }
  const attachedMs = performance.now();
  const [a = '', b = ''] = attached;
  await direct({ a, b });
  const tookMs = performance.now() - attachedMs;
  console.log(`direct ${Math.round(tookMs)} ms after both were attached`);
  const sent = { from: pair.a, to: pair.b, source: a, target: b };
  expect(await forwardedDuring(100, sent)).toEqual({ forwarded: 0, answered: 100 });
  expect(tookMs).toBeLessThan(directWithinMs);
  await waitFor({ what: 'the platform to say so', limitMs }, async () => {
    const [one, other] = [await services.peer(pair.a), await services.peer(pair.b)];
    return one.direct_peer_ids.includes(other.id) && other.direct_peer_ids.includes(one.id);
  });
  expect((await services.peer(pair.a)).direct_path.state).toBe('possible');
});

test('the direct path is blocked: a hub takes over within a second; healed, they meet directly again', async () => {
  await services.atRest();
  const at = await addresses();
  const { a, b } = at;
  await direct(at);
  const service = await services.lab.serve(pair.b, { tcp: [{ address: b, port }] });
  const flow = { from: pair.a, to: pair.b, address: b, port };
  const loss = await lossDuring(services.lab, flow, () => services.lab.cut(pair));
  console.log(`blocked: gap ${loss.ping.longestGapMs} ms, stream gap ${loss.stream?.longest_gap_ms} ms`);
  const sent = { from: pair.a, to: pair.b, source: a, target: b };
  expect(await forwardedDuring(20, sent)).toEqual({ forwarded: 40, answered: 20 });
  await services.lab.heal(pair);
  const back = await lossDuring(services.lab, flow, () => direct(at));
  await service.end();
  expect(loss).toMatchObject({ recovered: true, stream: { ended: null } });
  expect(loss.ping.longestGapMs).toBeLessThan(gapMaxMs);
  expect(back).toMatchObject({ recovered: true, ping: { lost: 0 }, stream: { ended: null } });
});

test('behind symmetric NATs they stay on the hub, and the peer says why', async () => {
  const peers = await services.peers();
  const target = peers.get('office2')?.host_address ?? '';
  expect(await services.hubTowards('office1', target)).not.toBe(null);
  const sent = { from: 'office1', to: 'office2', source: peers.get('office1')?.host_address ?? '', target };
  expect(await forwardedDuring(20, sent)).toEqual({ forwarded: 40, answered: 20 });
  for (const host of ['office1', 'office2']) {
    await waitFor({ what: `the reason of ${host}`, limitMs }, async () => {
      return (await services.peer(host)).direct_path.state === 'symmetric_nat';
    });
    const peer = await services.peer(host);
    expect(peer).toMatchObject({ path: 'via hub', direct_peer_ids: [] });
    expect(peer.direct_path.detail).not.toBe('');
  }
});

test('a network whose direct paths are switched off has none', async () => {
  const network_id = services.networkId;
  await services.call(sdwanActions.updateNetwork, { network_id, direct_paths: false, approve: true });
  await waitFor({ what: 'both to use a hub', limitMs }, async () => {
    const { a, b } = await addresses();
    const hubsUsed = [await services.hubTowards(pair.a, b), await services.hubTowards(pair.b, a)];
    return hubsUsed.every((hub) => hub !== null);
  });
  expect((await services.peer(pair.a)).direct_path.state).toBe('switched_off');
  await services.call(sdwanActions.updateNetwork, { network_id, direct_paths: true, approve: true });
  await direct(await addresses());
  const { approvals } = await services.call(autonomyActions.listApprovals, { status: 'pending' });
  expect(approvals).toEqual([]);
});
