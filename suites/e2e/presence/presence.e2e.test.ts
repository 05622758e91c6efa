// What every surface shows of a machine that was killed, suspended, cut off, that answers the platform and passes
// nothing, and that left: in a lab of real agents and tunnels, with a browser.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fleetActions } from '@powernode/core/actions/fleet';
import { sdwanActions } from '@powernode/core/actions/sdwan';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ensureConsole } from '../../../launch/console.mjs';
import { type Lab, upSpec } from '../../../packages/lab/lab.ts';
import { waitFor } from '../../../packages/lab/stage/process.ts';
import { ownLabFolder, pings, uniqueName } from '../../../packages/lab/testing/scene.ts';
import { promisedMs } from '../../stage/quiet.ts';
import { Surfaces } from '../../stage/surfaces.ts';

const limitMs = 60_000;
const skips = JSON.parse(process.env['POWERNODE_SKIP'] ?? '{}') as Record<string, string>;
const watched = 'edge1';
const asking = 'edge2';

let lab: Lab;
let surfaces: Surfaces;
let address: string;
let removeFolder: () => Promise<void>;

beforeAll(async () => {
  if ('browser' in skips) return;
  await ensureConsole(process.execPath);
  removeFolder = await ownLabFolder();
  const members = ['hub1', 'hub2', watched, asking];
  lab = await upSpec({
    name: uniqueName('there'),
    platforms: [{ name: 'main' }],
    hosts: members.map((name) => ({
      name,
      on: 'public',
      ...(name.startsWith('hub') ? { role: 'hub' as const } : {}),
    })),
    networks: [{ name: 'net', topology_strategy: 'hub_and_spoke', hosts: members }],
  });
  const call = await lab.platform('main');
  const { peers } = await call(sdwanActions.listPeers, { limit: 500 });
  const of = (name: string) => {
    const peer = peers.find(({ hostname }) => hostname === name);
    if (peer === undefined) throw new Error(`${name} is no peer`);
    return peer;
  };
  const [platform] = (await lab.status()).platforms;
  address = of(watched).host_address;
  surfaces = new Surfaces({
    url: platform?.url ?? '',
    token: (await readFile(platform?.token_file ?? '', 'utf8')).trim(),
    networkId: of(watched).network_id,
    peerId: of(watched).id,
    instanceId: of(watched).node_instance_id,
    hostname: watched,
    fromPeerId: of(asking).id,
  });
  await surfaces.open();
  await surfaces.openConsole();
  await everywhere(true);
});

afterAll(async () => {
  await surfaces?.close();
  await lab?.down();
  await removeFolder?.();
});

/** From when something is so until each surface shows it. */
const shownWithinMs = promisedMs(2_000);

/** Waits until every surface says so, and answers what each said and after how long the look began that said it. */
async function everywhere(reachable: boolean, withinMs = limitMs): Promise<Map<string, string>> {
  const startMs = Date.now();
  const shown = await Promise.all(
    surfaces.names.map(async (name) => {
      const why = await waitFor({ what: `${name} to say ${reachable}`, limitMs }, async () => {
        const ms = Date.now() - startMs;
        const said = await surfaces.look(name);
        return said.reachable === reachable ? { text: said.why, ms } : null;
      });
      return [name, why.text, why.ms] as const;
    }),
  );
  const times = shown.map(([name, , ms]) => `${name} ${ms} ms`).join(', ');
  console.log(`${watched} is ${reachable ? 'reached' : 'not reached'}: ${times}`);
  for (const [name, , ms] of shown) expect(ms, `${name} after so many ms`).toBeLessThan(withinMs);
  return new Map(shown.map(([name, why]) => [name, why]));
}

async function told(kind: string, since: Date): Promise<Record<string, unknown>> {
  return waitFor(
    { what: `the event ${kind}`, limitMs },
    async () => (await surfaces.events(kind, since))[0] ?? null,
  );
}

interface Trouble {
  readonly begin: () => Promise<void>;
  readonly end: () => Promise<void>;
  /** Of `unreachable_because`. */
  readonly codes: readonly string[];
  /** The platform still hears its agent. */
  readonly isConnected: boolean;
}

const nft = (text: string) => lab.exec(watched, { program: 'nft', args: [text] });

const troubles: Readonly<Record<string, Trouble>> = {
  killed: {
    begin: () => lab.kill(watched),
    end: () => lab.start(watched),
    codes: ['offline'],
    isConnected: false,
  },
  suspended: {
    begin: async () => void process.kill(lab.agentPid(watched) ?? 0, 'SIGSTOP'),
    end: async () => void process.kill(lab.agentPid(watched) ?? 0, 'SIGCONT'),
    codes: ['offline'],
    isConnected: false,
  },
  'cut off': {
    begin: () => lab.partition([watched]),
    end: () => lab.unite(),
    codes: ['offline'],
    isConnected: false,
  },
  'half dead (answers the platform, passes nothing)': {
    begin: async () => {
      await nft('add table inet blocked');
      await nft('add chain inet blocked out { type filter hook output priority 0; }');
      await nft('add chain inet blocked in { type filter hook input priority 0; }');
      await nft('add rule inet blocked out meta l4proto udp drop');
      await nft('add rule inet blocked in meta l4proto udp drop');
    },
    end: async () => void (await nft('delete table inet blocked')),
    codes: ['udp_blocked', 'not_heard'],
    isConnected: true,
  },
};

test.skipIf('browser' in skips).each(Object.entries(troubles))(
  'a machine that is %s is shown so on every surface, and told of; and so is its return [9.14] [9.28]',
  async (_, { begin, end, codes, isConnected }) => {
    const since = new Date();
    expect(await pings(lab, asking, address)).toBe(true);
    await begin();
    const said = await everywhere(false, shownWithinMs);
    for (const name of ['HTTP', 'list', 'topology', 'MCP', 'CLI']) {
      expect(codes, name).toContain(said.get(name)?.split(':')[0]);
    }
    expect(said.get('explain')).toContain(watched);
    // An agent that runs says itself that its host's filter drops packets: then that is the reason, and it is denied.
    expect(said.get('matrix')).toMatch(isConnected ? /^[ud]$/ : /^u$/);
    expect(said.get('console')).toContain('unreachable');
    const event = await told('sdwan.peer.unreachable', since);
    expect(codes).toContain((event['because'] as { code: string }).code);
    if (isConnected) {
      expect((await surfaces.instance()).connected).toBe(true);
      expect(await surfaces.events('system.instance.offline', since)).toEqual([]);
    } else {
      const { connected, offline_since } = await surfaces.instance();
      expect([connected, offline_since]).toEqual([false, expect.stringMatching(/Z$/)]);
      await told('system.instance.offline', since);
    }
    await end();
    await everywhere(true);
    await told('sdwan.peer.reachable', since);
    if (!isConnected) await told('system.instance.online', since);
    // A machine that boots may be heard, lost and heard again; it is not told of each time.
    expect((await surfaces.events('sdwan.peer.unreachable', since)).length).toBeLessThanOrEqual(2);
  },
);

test.skipIf('browser' in skips)('a machine that left is on no surface any more [9.14]', async () => {
  const since = new Date();
  const call = await lab.platform('main');
  const main = path.join(import.meta.dirname, '../../../packages/agent/main.ts');
  const state = lab.environment(watched)['POWERNODE_STATE_DIR'] ?? '';
  const args = [main, 'leave', '--state-dir', state];
  expect((await lab.exec(watched, { program: process.execPath, args })).exitCode).toBe(0);
  const leftMs = Date.now();
  await Promise.all(
    surfaces.names.map(async (name) => {
      const { ms } = await waitFor({ what: `${name} to have it no more`, limitMs }, async () => {
        const ms = Date.now() - leftMs;
        return (await surfaces.isGone(name)) ? { ms } : null;
      });
      expect(ms, `${name} after so many ms`).toBeLessThan(shownWithinMs);
    }),
  );
  await waitFor({ what: 'the machine to be gone', limitMs }, async () => {
    const { connected, status, offline_since } = await surfaces.instance();
    return !connected && (status === 'terminated' || offline_since !== null) ? true : null;
  });
  await waitFor({ what: 'a peer that is gone or not reached', limitMs }, async () => {
    const { peers } = await call(sdwanActions.listPeers, { limit: 500 });
    const peer = peers.find(({ hostname }) => hostname === watched);
    return peer === undefined || peer.reachable === false ? true : null;
  });
  const { instances } = await call(fleetActions.listInstances, { limit: 500, connected: true });
  expect(instances.map(({ hostname }) => hostname)).not.toContain(watched);
  await waitFor({ what: 'an event of it', limitMs }, async () => {
    const events = await surfaces.events('system.instance.', since);
    return events.length > 0 ? true : null;
  });
});
