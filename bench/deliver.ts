// Benchmark (b): from the commit of a change to the last machine that has it, over real mutual TLS streams; beside
// polling every 30 s and beside sending each machine its whole document.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pino } from 'pino';
import { openStore } from '../packages/platform/store/open-store.ts';
import { type ChangeCost, ChangeMaker } from './deliver/changes.ts';
import { bench, pollEveryMs, showLargeChanges, showSmallChanges, type Whole } from './deliver/figures.ts';
import { type Fleet, writeFleet } from './deliver/fleet.ts';
import { bareBytesPerConnection, collectedBytesOf } from './deliver/memory.ts';
import { NodesProcess } from './deliver/nodes-process.ts';
import type { Report } from './report.ts';
import { type Call, callsOf } from './stage/calls.ts';
import { databaseUrlOf } from './stage/database.ts';
import { Inspector } from './stage/inspector.ts';
import { type PlatformProcess, startPlatform, withFolder } from './stage/platform.ts';
import { ProcessorMeter, residentBytesOf } from './stage/processes.ts';

const machines = 5000;
/** One of them changes, and 1,000 others have to know. */
const meshed = 1001;
/** Four changes each. Fewer once the first ones have shown the spread. */
const rounds = 25;
const roundsOfMore = 10;
const roundsOfFew = 8;
const atOnce = 32;
const polls = 200;
const restMs = 12_000;

export async function benchDeliver(report: Report): Promise<void> {
  report.heading('(b) delivery over mutual TLS streams');
  await withFolder(async (dataDir) => {
    const first = await startPlatform({ dataDir });
    await first.stop();
    const fleet = await writeFleet(dataDir, { machines, meshed });
    const bare = await bareBytesPerConnection(fleet, { connections: meshed, atOnce });
    const platform = await startPlatform({ dataDir, inspect: true });
    const log = pino({ level: 'silent' });
    const store = await openStore({ dataDir, databaseUrl: await databaseUrlOf(dataDir), log });
    const nodes = new NodesProcess({ nodeUrl: platform.nodeUrl, credentialsFile: fleet.credentialsFile });
    try {
      const call = callsOf(platform);
      const { accountId } = fleet;
      const changes = new ChangeMaker({ call, nodes, platformPid: platform.pid, store, accountId });
      await new DeliverBench({ report, fleet, platform, nodes, call, changes, bare }).run();
    } finally {
      await nodes.end();
      await store.close();
      await platform.stop();
    }
  });
}

interface Parts {
  readonly report: Report;
  readonly fleet: Fleet;
  readonly platform: PlatformProcess;
  readonly nodes: NodesProcess;
  readonly call: Call;
  readonly changes: ChangeMaker;
  /** Bytes that a connection costs a server that does nothing. */
  readonly bare: number;
}

class DeliverBench {
  readonly #parts: Parts;
  readonly #processor: ProcessorMeter;
  #places = 0;
  #polled: number | null = null;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#processor = new ProcessorMeter(() => [parts.platform.pid]);
  }

  async run(): Promise<void> {
    const empty = await collectedBytesOf(this.#parts.platform);
    await this.#connect({ from: 0, to: meshed });
    await this.#memory(empty, meshed);
    const whole = await this.#wholeDocuments();
    await this.#rest(meshed);
    await this.#mesh({ connected: meshed, rounds }, whole);
    await this.#spoke(meshed);
    await this.#connect({ from: meshed, to: machines });
    await this.#memory(empty, machines);
    await this.#rest(machines);
    await this.#mesh({ connected: machines, rounds: roundsOfMore }, whole);
    await this.#spoke(machines);
    await this.#hub();
  }

  async #connect(some: { readonly from: number; readonly to: number }): Promise<void> {
    const count = some.to - some.from;
    this.#processor.readMs();
    const began = performance.now();
    await this.#parts.nodes.tell({ kind: 'connect', ...some, atOnce });
    const seconds = (performance.now() - began) / 1000;
    // What they said on arriving is written by then.
    await pause(2000);
    this.#parts.report.add({
      bench,
      what: `opening streams, ${count} machines`,
      value: count / seconds,
      unit: 'per s',
      note: `processor time of the platform ${(this.#processor.readMs() / count).toFixed(1)} ms each`,
    });
  }

  async #memory(empty: number, connected: number): Promise<void> {
    const { report, platform, bare } = this.#parts;
    const grown = residentBytesOf(platform.pid) - empty;
    const collected = (await collectedBytesOf(platform)) - empty;
    report.add({
      bench,
      what: `memory of the platform per connected machine, ${connected} connected`,
      value: collected / connected / 1000,
      unit: 'kB',
      beside: { what: 'a TLS server that does nothing', value: bare / 1000 },
      target: { value: 150, better: 'lower' },
      note: `${Math.round(grown / connected / 1000)} kB before garbage was collected`,
    });
  }

  /** The same machines get their whole document, as they would for every change without deltas. */
  async #wholeDocuments(): Promise<Whole> {
    this.#processor.readMs();
    const { begunAtMs, lastAtMs, bytes } = await this.#parts.nodes.tell({
      kind: 'resync',
      from: 0,
      to: meshed,
    });
    await pause(1000);
    return {
      toLastMs: lastAtMs - begunAtMs,
      bytesEach: bytes / meshed,
      processorMs: this.#processor.readMs(),
    };
  }

  /** What it costs that they are there. */
  async #rest(connected: number): Promise<void> {
    const { changes, report } = this.#parts;
    await pause(2000);
    this.#processor.readMs();
    await pause(restMs);
    changes.rest = this.#processor.readMs() / (restMs / 1000);
    report.add({
      bench,
      what: `processor time of the platform at rest, ${connected} connected`,
      value: changes.rest,
      unit: 'ms per s',
      beside: {
        what: 'polling every 30 s',
        value: (connected / (pollEveryMs / 1000)) * (await this.#pollMs()),
      },
    });
  }

  /** What one machine's asking costs: it connects, says what it holds, hears that it is current, and leaves. */
  async #pollMs(): Promise<number> {
    if (this.#polled !== null) return this.#polled;
    const { changes, nodes } = this.#parts;
    await nodes.tell({ kind: 'drop', from: 0, to: polls });
    await pause(1000);
    this.#processor.readMs();
    const began = performance.now();
    await nodes.tell({ kind: 'poll', from: 0, to: polls });
    const seconds = (performance.now() - began) / 1000;
    this.#polled = (this.#processor.readMs() - changes.rest * seconds) / polls;
    await nodes.tell({ kind: 'connect', from: 0, to: polls, atOnce });
    await pause(2000);
    return this.#polled;
  }

  /** Changes of one peer that reach 1,000 others, in turn: a new key, another place, away, back again. */
  async #mesh(of: { readonly connected: number; readonly rounds: number }, whole: Whole): Promise<void> {
    const { connected } = of;
    const { fleet, changes } = this.#parts;
    const all = Array.from({ length: meshed }, (_, i) => i);
    const costs: ChangeCost[] = [];
    const endProfile = await this.#beginProfile(`mesh-${connected}`);
    for (let round = 0; round < of.rounds; round++) {
      // Not the first few, which are hubs for whoever cannot be called: everything that is said of them is more.
      const chosen = 100 + round;
      const { instanceId } = memberOf(fleet.mesh, chosen);
      const peer_id = await this.#peerOf(instanceId);
      const endpoint_address = `[2001:db8:1::${(++this.#places).toString(16)}]:51821`;
      const others = all.filter((i) => i !== chosen);
      const again = {
        network_id: fleet.mesh.networkId,
        node_instance_id: instanceId,
        publicly_reachable: true,
        endpoint_address,
      };
      for (const [action, input, affected] of [
        ['system_sdwan_rotate_peer_key', { peer_id }, all],
        ['system_sdwan_update_peer', { peer_id, endpoint_address }, others],
        ['system_sdwan_detach_peer', { peer_id, approve: true }, all],
        ['system_sdwan_attach_peer', again, all],
      ] as const) {
        costs.push(await changes.make({ action, input, affected }));
      }
    }
    await endProfile();
    const label = `1,000 of ${connected} affected`;
    showLargeChanges(this.#parts.report, { costs, label }, whole);
  }

  /** A new key of a spoke concerns its hubs and itself, however many others there are. */
  async #spoke(connected: number): Promise<void> {
    const { star } = this.#parts.fleet;
    const costs = await this.#rotations((round) => {
      const chosen = star.hubs + 10 + round;
      return { chosen, affected: [0, 1, chosen] };
    });
    showSmallChanges(this.#parts.report, { costs, label: `3 of ${connected} affected` });
  }

  /** A new key of a hub concerns every machine of its network. */
  async #hub(): Promise<void> {
    const { star } = this.#parts.fleet;
    const affected = Array.from({ length: machines }, (_, i) => i);
    const costs = await this.#rotations((round) => ({ chosen: round % star.hubs, affected }));
    showSmallChanges(this.#parts.report, { costs, label: `all ${machines} affected` });
  }

  async #rotations(
    next: (round: number) => { readonly chosen: number; readonly affected: readonly number[] },
  ): Promise<ChangeCost[]> {
    const { fleet, changes } = this.#parts;
    const costs: ChangeCost[] = [];
    for (let round = 0; round < roundsOfFew; round++) {
      const { chosen, affected } = next(round);
      const input = { peer_id: memberOf(fleet.star, chosen).peerId };
      costs.push(await changes.make({ action: 'system_sdwan_rotate_peer_key', input, affected }));
    }
    return costs;
  }

  /** It was attached again since the fleet was written, so it may be another one. */
  async #peerOf(instanceId: string): Promise<string> {
    const { call, fleet } = this.#parts;
    const { peers } = await call<{ peers: { id: string }[] }>('system_sdwan_list_peers', {
      network_id: fleet.mesh.networkId,
      node_instance_id: instanceId,
    });
    const [peer] = peers;
    if (peer === undefined) throw new Error(`the machine ${instanceId} is not in the mesh`);
    return peer.id;
  }

  /** With PROFILE_DIR set, what the platform does meanwhile is written there, and costs some of what it shows. */
  async #beginProfile(name: string): Promise<() => Promise<void>> {
    const folder = process.env['PROFILE_DIR'];
    if (folder === undefined) return async () => undefined;
    const inspector = await Inspector.open(this.#parts.platform.inspectorUrl);
    await inspector.beginProfile();
    return async () => {
      await writeFile(path.join(folder, `${name}.cpuprofile`), JSON.stringify(await inspector.endProfile()));
      inspector.close();
    };
  }
}

function memberOf(network: Fleet['mesh'], index: number): Fleet['mesh']['members'][number] {
  const member = network.members[index];
  if (member === undefined) throw new Error(`the network has no member ${index}`);
  return member;
}
