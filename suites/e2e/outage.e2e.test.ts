// The platform dies while packets flow, and comes back: no packet is lost, no tunnel shakes hands because of it, and
// no node is sent a document that it has. Nodes that missed something get just that.
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { fleetActions } from '@powernode/core/actions/fleet';
import { sdwanActions } from '@powernode/core/actions/sdwan';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkout } from '../../packages/lab/fleet/programs.ts';
import { type Lab, upFile } from '../../packages/lab/lab.ts';
import { waitFor } from '../../packages/lab/stage/process.ts';
import { ownLabFolder, uniqueName } from '../../packages/lab/testing/scene.ts';
import { type KernelInterface, type KernelPeer, readTunnels } from './chaos/kernel.ts';
import { hostLog } from './chaos/logs.ts';

const limitMs = 180_000;
/** WireGuard makes new keys for a tunnel in use after so long (REKEY_AFTER_TIME), and never sooner by itself. */
const rekeyAfterS = 120;
/** Two that call each other at the same moment shake hands twice; after so long that is over. */
const calmS = 6;
const hosts = ['hub1', 'hub2', 'edge1', 'edge2', 'edge3'] as const;
const pairs = hosts.length * (hosts.length - 1);

let lab: Lab;
let url: string;
let tokenFile: string;
let removeFolder: () => Promise<void>;

beforeAll(async () => {
  removeFolder = await ownLabFolder();
  lab = await upFile(path.join(checkout, 'examples/labs/quickstart.yaml'), { name: uniqueName('outage') });
  const [platform] = (await lab.status()).platforms;
  url = platform?.url ?? '';
  tokenFile = platform?.token_file ?? '';
});

afterAll(async () => {
  await lab?.down();
  await removeFolder();
});

async function ofEachHost<T>(read: (host: string) => Promise<T>): Promise<Map<string, T>> {
  return new Map(await Promise.all(hosts.map(async (host) => [host, await read(host)] as const)));
}

/** Every tunnel end of every host, by a name that says which. */
async function tunnels(): Promise<Map<string, KernelPeer>> {
  const found = await ofEachHost((host) => readTunnels(lab, host));
  const ends = (host: string, [name, { peers }]: [string, KernelInterface]) =>
    [...peers].map(([key, peer]) => [`${host} ${name} ${key}`, peer] as const);
  return new Map(
    [...found].flatMap(([host, interfaces]) => [...interfaces].flatMap((one) => ends(host, one))),
  );
}

/** All tunnels have shaken hands, and none of them lately. */
async function calm(): Promise<Map<string, KernelPeer>> {
  return waitFor({ what: 'tunnels to be calm', limitMs }, async () => {
    const revisions = await syncedRevisions();
    const now = await tunnels();
    const youngest = Math.max(...[...now.values()].map((peer) => peer.handshakeS));
    const all = [...now.values()].every((peer) => peer.handshakeS > 0);
    if (!all || Date.now() / 1000 - youngest <= calmS) return null;
    // Hosts are read one by one: what was read is one state only when none of them was to change meanwhile.
    return revisions !== null && revisions === (await syncedRevisions()) ? now : null;
  });
}

/** The revision of every node, when all are connected and have what they should; else null. */
async function syncedRevisions(): Promise<string | null> {
  const call = await lab.platform('main');
  const { instances } = await call(fleetActions.listInstances, { limit: 500 });
  const all = instances.length === hosts.length && instances.every((one) => one.connected && one.in_sync);
  const revisions = instances.map((one) => `${one.hostname} ${one.applied_revision}`).sort();
  return all ? revisions.join() : null;
}

async function inSync(): Promise<void> {
  await waitFor({ what: 'every node to be connected and in sync', limitMs }, syncedRevisions);
}

/** Hubs have said where they see every spoke, so the platform has nothing more to find out. */
async function placesKnown(): Promise<void> {
  const known = { edge1: 'possible', edge2: 'possible', edge3: 'symmetric_nat' };
  await waitFor({ what: 'the platform to know which spokes can meet', limitMs }, async () => {
    const { peers } = await (await lab.platform('main'))(sdwanActions.listPeers, { limit: 500 });
    const states = new Map(peers.map((peer) => [peer.hostname, peer.direct_path.state]));
    return Object.entries(known).every(([host, state]) => states.get(host) === state);
  });
}

/** How often each agent has lost its platform, by its log. */
function losses(): Promise<Map<string, number>> {
  return ofEachHost(async (host) => {
    const text = await readFile(hostLog(lab, host), 'utf8');
    return text.split('the platform is not connected').length - 1;
  });
}

async function everyAgentNotices(before: ReadonlyMap<string, number>): Promise<void> {
  await waitFor({ what: 'every agent to notice that the platform is gone', limitMs }, async () => {
    return [...(await losses())].every(([host, count]) => count > (before.get(host) ?? 0));
  });
}

/** What the platform's present process has delivered. */
async function delivered(): Promise<Record<string, number>> {
  const token = (await readFile(tokenFile, 'utf8')).trim();
  const headers = { authorization: `Bearer ${token}` };
  const text = await (await fetch(`${url}/metrics`, { headers })).text();
  const lines = text.matchAll(/^powernode_delivery_total\{what="(\w+)"\} (\d+)/gm);
  return Object.fromEntries(
    Array.from(lines, ([, what = '', count]): [string, number] => [what, Number(count)]),
  );
}

/** A write would give a file another time, size or number. */
async function documentFiles(host: string): Promise<string[]> {
  const folder = lab.environment(host)['POWERNODE_STATE_DIR'] ?? '';
  return Promise.all(
    ['document.json', 'document.journal'].map(async (name) => {
      const file = await stat(path.join(folder, name)).catch(() => null);
      return file === null ? `no ${name}` : `${name} ${file.ino} ${file.size} ${file.mtimeMs}`;
    }),
  );
}

test('the platform is killed and comes back: no packet, no handshake, no document', async () => {
  await placesKnown();
  const before = await calm();
  const files = await ofEachHost(documentFiles);
  const lostBefore = await losses();
  const pings = await lab.startPings();
  await lab.killPlatform('main');
  await everyAgentNotices(lostBefore);
  await lab.startPlatform('main');
  await inSync();
  const reports = await pings.stop();
  expect(reports.filter((report) => report.lost > 0)).toEqual([]);
  expect(reports).toHaveLength(pairs);
  for (const report of reports) expect(report.sent).toBeGreaterThan(100);

  const after = await tunnels();
  expect([...after.keys()].sort()).toEqual([...before.keys()].sort());
  for (const [end, { handshakeS, allowedIps, rxBytes, txBytes }] of before) {
    const now = after.get(end);
    const movedS = (now?.handshakeS ?? 0) - handshakeS;
    // Read in whole seconds, so that 120 may look like 119.
    if (movedS !== 0) expect(movedS, `${end} shook hands`).toBeGreaterThanOrEqual(rekeyAfterS - 1);
    // A tunnel that was taken out and put in again counts from nothing. One without addresses, by which hubs only see
    // where a spoke is, carries a packet every 25 s; all others carry pings or probes.
    const least = allowedIps.length > 0 ? 1 : 0;
    expect(now?.rxBytes, end).toBeGreaterThanOrEqual(rxBytes + least);
    expect(now?.txBytes, end).toBeGreaterThanOrEqual(txBytes + least);
  }
  expect(await delivered()).toMatchObject({
    documents_sent: 0,
    deltas_sent: 0,
    currents_sent: hosts.length,
    resyncs: 0,
    changes_taken: 0,
  });
  expect(await ofEachHost(documentFiles)).toEqual(files);
});

test('nodes that were away while the platform died get what they missed, and no more', async () => {
  const call = await lab.platform('main');
  const { peers } = await call(sdwanActions.listPeers, { limit: 500 });
  const edge = peers.find((peer) => peer.hostname === 'edge3');
  for (const host of hosts) await lab.killAgent(host);
  await call(sdwanActions.rotatePeerKey, { peer_id: edge?.id ?? '' });
  await lab.killPlatform('main');
  await lab.startPlatform('main');
  for (const host of hosts) await lab.startAgent(host);
  await inSync();
  // The change reaches the machine itself and both hubs; for the other two spokes nothing is new.
  expect(await delivered()).toMatchObject({
    documents_sent: 0,
    deltas_sent: 3,
    currents_sent: 2,
    resyncs: 0,
  });
  await waitFor({ what: 'everyone to reach everyone', limitMs }, async () => {
    const results = await lab.matrix();
    return results.length === pairs && results.every((pair) => pair.roundTripMs !== null);
  });
});
