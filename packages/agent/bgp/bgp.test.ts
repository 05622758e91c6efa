// BGP on a machine whose FRR is not there: what is configured when, what is told, what is left.
import { sessionResetsRememberedMax } from '@powernode/core/limits/agent';
import type { EntryValue } from '@powernode/core/wire/document';
import { NodeDocument } from '@powernode/core/wire/node-document';
import { nodeDocumentOf } from '@powernode/core/wire/node-document.fixture';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { FoundProblem } from '../observe/problems.ts';
import { systemClock } from '../ports/clock.ts';
import type { WantedNetwork } from '../subsystems/frr/daemon-specs.ts';
import { FakeDaemon } from '../subsystems/frr/fake-daemon.fixture.ts';
import { Bgp } from './bgp.ts';
import type { Frr, FrrFound } from './frr.ts';
import { SessionResets } from './resets.ts';
import { wantedBgp } from './wanted-bgp.ts';

const own = 'fd00:99::101';

function bgpEntries(network: string): EntryValue[] {
  const of = { network_id: network };
  const leaf = { public_key: 'k', listen_port: 0, mtu: 1420, addresses: [], probe_addresses: [] };
  return [
    { kind: 'interface', name: `wg-${network}`, ...of, peer_id: 'me', purpose: 'leaf', ...leaf },
    {
      ...{ kind: 'bgp', key: `bgp/${network}`, ...of, as_number: 65_010, router_id: '0.0.1.1' },
      ...{ host_address: own, role: 'reflector' },
    },
    neighbor(network, 'a', 'fd00:99::102', 'client'),
    neighbor(network, 'b', 'fd00:99::103', 'reflector'),
  ];
}

function neighbor(network: string, peer: string, address: string, role: 'client' | 'reflector'): EntryValue {
  const key = `bgp_neighbor/${network}/${peer}`;
  return { kind: 'bgp_neighbor', key, network_id: network, peer_id: peer, host_address: address, role };
}

function subnet(network: string, peer: string, next: string, prefix: string): EntryValue {
  const of = { network_id: network, subnet_id: `${peer}-${prefix}`, peer_id: peer, next_hop: next };
  const by = [{ interface: `wg-${network}`, public_key: 'k' }];
  return { kind: 'subnet', key: `subnet/${peer}-${prefix}`, ...of, prefix, preference: 200, by };
}

test('a neighbor may announce the prefixes behind it alone, and a reflector what others announce', () => {
  const document = nodeDocumentOf([
    ...bgpEntries('n'),
    ...bgpEntries('other'),
    subnet('n', 'a', 'fd00:99::102', 'fd00:a::/64'),
    subnet('n', 'b', 'fd00:99::103', 'fd00:b::/64'),
    subnet('n', 'me', own, 'fd00:c::/64'),
    subnet('other', 'a', 'fd00:99::102', 'fd00:d::/64'),
  ]);
  const [first, second] = wantedBgp(document);
  expect(first).toMatchObject({ network: 'n', address: own });
  const prefixLists = first?.text
    .split('\n')
    .filter((line) => line.includes('prefix-list') && line.includes('permit'));
  expect(prefixLists?.map((line) => line.split(' ').at(-1))).toEqual(['fd00:a::/64']);
  expect(first?.text).toMatch(/ {2}network fd00:c::\/64 route-map/);
  expect(first?.text).not.toContain('fd00:b::');
  expect(second?.text).toContain('fd00:d::/64');
});

/** The agent's folder, which outlives the agent. */
class Disk {
  readonly files = new Map<string, string>();
  get text() {
    return this.files.get('bgp-resets.json') ?? null;
  }
  set text(text: string | null) {
    this.files.set('bgp-resets.json', text ?? '');
  }
  read(name: string) {
    return this.files.get(name) ?? null;
  }
  write(name: string, text: string) {
    this.files.set(name, text);
  }
  remove(name: string) {
    this.files.delete(name);
  }
  list(below: string) {
    return [...this.files.keys()]
      .filter((one) => one.startsWith(`${below}/`))
      .map((one) => one.slice(below.length + 1));
  }
  prepare() {}
}

async function machine(find?: () => FrrFound, disk = new Disk()) {
  const log = pino({ level: 'silent' });
  const bgpd = await new FakeDaemon().start();
  const bfdd = await new FakeDaemon().start();
  const kept: (readonly WantedNetwork[])[] = [];
  const told: FoundProblem[][] = [];
  const counts = { removed: 0, finds: 0, told: 0 };
  const others = { inTheWay: null as string | null, changed: () => {} };
  const usable: FrrFound = {
    kind: 'usable',
    daemons: {
      keep: (networks) =>
        Promise.resolve(void kept.push(networks.map(({ network, address }) => ({ network, address })))),
      leave: () => undefined,
    },
    places: { vtyOf: (daemon) => (daemon === 'bfdd' ? bfdd : bgpd).path },
    version: '8.4.4',
    inTheWay: () => others.inTheWay,
  };
  const frr: Frr = {
    look: () => Promise.resolve({ kind: 'usable', version: '8.4.4' }),
    find: ({ othersChanged }) => {
      counts.finds++;
      others.changed = othersChanged;
      return Promise.resolve(find?.() ?? usable);
    },
    remove: () => Promise.resolve(void counts.removed++),
  };
  const bgp = new Bgp({
    ...{ clock: systemClock, log, frr, folder: disk },
    decided: () => undefined,
    sessionsChanged: () => counts.told++,
    problems: (found) => told.push([...found]),
  });
  onTestFinished(async () => {
    await bgp.stop();
    await bgpd.end();
    await bfdd.end();
  });
  const configured = () => bgpd.log.filter((command) => command === 'configure terminal').length;
  return { bgp, bgpd, bfdd, kept, told, counts, configured, disk, others };
}

const document = nodeDocumentOf(bgpEntries('n'));

describe('a document', () => {
  test('without BGP starts nothing, and looks for no FRR', async () => {
    const { bgp, counts, kept } = await machine();
    bgp.apply(nodeDocumentOf(bgpEntries('n').slice(0, 1)));
    await expect.poll(() => counts.removed).toBe(1);
    expect([counts.finds, kept.length]).toEqual([0, 0]);
  });

  test('with BGP is configured once, however many changes come at once', async () => {
    const { bgp, bgpd, bfdd, kept, told, configured, counts } = await machine();
    for (const more of [[], [subnet('n', 'a', 'fd00:99::102', 'fd00:a::/64')]]) {
      bgp.apply(nodeDocumentOf([...bgpEntries('n'), ...more]));
    }
    await expect.poll(() => told.length).toBe(1);
    expect(kept).toEqual([[{ network: 'n', address: own }]]);
    expect(told).toEqual([[]]);
    expect(bgpd.running).toContain('router bgp 65010');
    expect(bfdd.running).toContain('profile powernode');
    bgp.apply(nodeDocumentOf([...bgpEntries('n'), subnet('n', 'a', 'fd00:99::102', 'fd00:a::/64')]));
    await expect.poll(() => told.length).toBe(2);
    expect(configured()).toBe(1);
    await expect.poll(() => counts.told).toBeGreaterThan(0);
    expect(bgp.sessions.map(({ peer_id, state }) => [peer_id, state])).toEqual([
      ['a', 'Idle'],
      ['b', 'Idle'],
    ]);
  });

  test('that FRR refuses is told in its words, and what ran before stays', async () => {
    const { bgp, bgpd, told, disk } = await machine();
    bgp.apply(document);
    await expect.poll(() => told.length).toBe(1);
    const before = bgpd.running;
    const entries = bgpEntries('n');
    const written = disk.files.get('frr/bgpd-n.conf');
    expect(written).toContain('router bgp 65010');
    bgpd.unkept.add('bgp router-id 0.0.1.9');
    const changed = entries.map((one) => (one.kind === 'bgp' ? { ...one, router_id: '0.0.1.9' } : one));
    bgp.apply(nodeDocumentOf(changed));
    await expect.poll(() => told.at(-1)?.map(({ code }) => code)).toEqual(['routing_daemon_refused']);
    expect(told.at(-1)?.[0]).toMatchObject({ networkId: 'n', detail: expect.stringContaining('0.0.1.9') });
    expect(bgpd.running.split('\n').sort()).toEqual(before.split('\n').sort());
    expect(disk.files.get('frr/bgpd-n.conf')).toBe(written);
    expect(bgp.health).toMatchObject({ state: 'failed', message: expect.stringContaining('0.0.1.9') });
    bgp.apply(document);
    await expect.poll(() => told.at(-1)).toEqual([]);
  });

  test('on a machine that cannot have FRR is told, and routes stay static', async () => {
    const { bgp, told, kept } = await machine(() => ({ kind: 'missing', detail: 'FRR is not installed.' }));
    bgp.apply(document);
    await expect
      .poll(() => told.at(-1))
      .toEqual([{ code: 'routing_daemon_missing', detail: 'FRR is not installed.', networkId: 'n' }]);
    expect(kept).toEqual([]);
    expect(bgp.of('n')).toBeNull();
    expect(bgp.missing).toBe('FRR is not installed.');
    expect(bgp.health).toEqual({ state: 'degraded', message: 'FRR is not installed.' });
    bgp.apply(nodeDocumentOf(bgpEntries('n').slice(0, 1)));
    await expect.poll(() => told.at(-1)).toEqual([]);
    expect([bgp.missing, bgp.health]).toEqual([null, null]);
  });

  test('gives way to an FRR of the machine that comes later and needs the same', async () => {
    const { bgp, told, counts, others } = await machine();
    bgp.apply(document);
    await expect.poll(() => told.at(-1)).toEqual([]);
    others.changed();
    await expect.poll(() => told.length).toBe(2);
    expect([told.at(-1), counts.removed]).toEqual([[], 0]);
    others.inTheWay = 'This instance runs a bfdd.';
    others.changed();
    await expect
      .poll(() => told.at(-1))
      .toEqual([{ code: 'routing_daemon_missing', detail: 'This instance runs a bfdd.', networkId: 'n' }]);
    expect([bgp.missing, bgp.of('n'), counts.removed]).toEqual(['This instance runs a bfdd.', null, 1]);
  });

  test('whose network became static keeps its daemon for a while, and one that was left does not', async () => {
    const { bgp, told, kept, counts } = await machine();
    bgp.apply(document);
    await expect.poll(() => told.length).toBe(1);
    bgp.apply(nodeDocumentOf(bgpEntries('n').slice(0, 1)));
    await expect.poll(() => told.length).toBe(2);
    expect(kept.at(-1)).toEqual([{ network: 'n', address: own }]);
    expect(counts.removed).toBe(0);
    bgp.apply(NodeDocument.empty);
    await expect.poll(() => counts.removed).toBe(1);
  });

  test('that is empty is carried out before the agent ends', async () => {
    const { bgp, told, counts } = await machine();
    bgp.apply(document);
    await expect.poll(() => told.length).toBe(1);
    bgp.apply(NodeDocument.of(new Map()));
    await bgp.stop();
    expect(counts.removed).toBe(1);
  });
});

test('a daemon that was started anew is configured at once', async () => {
  const { bgp, bgpd, told, configured } = await machine();
  bgp.apply(document);
  await expect.poll(() => told.length).toBe(1);
  await bgpd.restart();
  bgp.started({ daemon: 'bgpd', network: 'n', address: own });
  await expect.poll(() => bgpd.running).toContain('router bgp 65010');
  expect(configured()).toBe(2);
});

test('a daemon that is not there is configured when it is', async () => {
  const { bgp, bgpd, bfdd, told } = await machine();
  await bfdd.kill();
  bgp.apply(document);
  await expect.poll(() => told.length).toBe(1);
  // The other one did not wait for it.
  expect(bgpd.running).toContain('router bgp 65010');
  await bfdd.start();
  await expect.poll(() => bfdd.running).toContain('profile powernode');
});

test('a daemon that dies again and again is a problem', async () => {
  const { bgp, told } = await machine();
  bgp.apply(document);
  await expect.poll(() => told.length).toBe(1);
  const spec = { daemon: 'bgpd', network: 'n', address: own } as const;
  for (let i = 0; i < 3; i++) bgp.failed(spec, 'SIGSEGV');
  bgp.started(spec);
  await expect.poll(() => told.at(-1)).toMatchObject([{ code: 'routing_daemon_missing', networkId: 'n' }]);
});

test('what daemons run is in files, one for each, which go with their network', async () => {
  const { bgp, told, disk } = await machine();
  bgp.apply(nodeDocumentOf([...bgpEntries('n'), ...bgpEntries('other')]));
  await expect.poll(() => told.length).toBe(1);
  expect(disk.list('frr').sort()).toEqual(['bfdd.conf', 'bgpd-n.conf', 'bgpd-other.conf']);
  expect(disk.read('frr/bgpd-n.conf')).toBe(wantedBgp(document)[0]?.text);
  expect(disk.read('frr/bfdd.conf')).toContain('profile powernode');
  expect(bgp.health).toEqual({ state: 'ok', message: 'FRR 8.4.4, iBGP in wg-n, wg-other' });
  bgp.apply(document);
  await expect.poll(() => disk.list('frr').sort()).toEqual(['bfdd.conf', 'bgpd-n.conf']);
  bgp.apply(NodeDocument.empty);
  await expect.poll(() => disk.list('frr')).toEqual([]);
});

describe('a session that is to be cleared', () => {
  const reset = (resetId: string): EntryValue => ({
    ...{ kind: 'bgp_reset', key: 'bgp_reset/s', network_id: 'n', peer_id: 'a' },
    ...{ host_address: 'fd00:99::102', reset_id: resetId },
  });
  const wanted = (resetId: string) => nodeDocumentOf([...bgpEntries('n'), reset(resetId)]);
  /** As bgpd says it of a neighbor. */
  const neighborIs = (bgpd: FakeDaemon, bgpState: string) =>
    bgpd.answers.set(
      'show bgp neighbors json',
      JSON.stringify({ 'fd00:99::102': { bgpState, addressFamilyInfo: {} } }),
    );
  const cleared = (bgpd: FakeDaemon) => bgpd.log.filter((command) => command.startsWith('clear '));
  const doneOf = (bgp: Bgp) => bgp.sessions.map((session) => session.reset_done);

  test('is cleared once for each request, also when the agent starts anew', async () => {
    const disk = new Disk();
    const { bgp, bgpd, told } = await machine(undefined, disk);
    neighborIs(bgpd, 'Active');
    bgp.apply(wanted('first'));
    await expect.poll(() => cleared(bgpd)).toEqual(['clear bgp fd00:99::102']);
    await expect.poll(() => doneOf(bgp)).toEqual(['first', undefined]);
    const turns = told.length;
    bgp.apply(
      nodeDocumentOf([...bgpEntries('n'), reset('first'), subnet('n', 'a', 'fd00:99::102', 'fd00:a::/64')]),
    );
    await expect.poll(() => told.length).toBeGreaterThan(turns);
    expect(cleared(bgpd)).toHaveLength(1);
    const again = await machine(undefined, disk);
    neighborIs(again.bgpd, 'Active');
    again.bgp.apply(wanted('first'));
    await expect.poll(() => again.told.length).toBe(1);
    expect(cleared(again.bgpd)).toEqual([]);
    expect(doneOf(again.bgp)).toEqual(['first', undefined]);
    again.bgp.apply(wanted('second'));
    await expect.poll(() => cleared(again.bgpd)).toEqual(['clear bgp fd00:99::102']);
  });

  test('is only refreshed when it is established by then', async () => {
    const { bgp, bgpd } = await machine();
    neighborIs(bgpd, 'Established');
    bgp.apply(wanted('first'));
    await expect.poll(() => cleared(bgpd)).toEqual(['clear bgp fd00:99::102 soft']);
  });

  test('waits for a daemon that is not there, and for one that does not have it yet', async () => {
    const { bgp, bgpd, told } = await machine();
    bgpd.answers.set('show bgp neighbors json', '{}');
    bgp.apply(wanted('first'));
    await expect.poll(() => told.length).toBeGreaterThan(0);
    expect(doneOf(bgp)).toEqual([undefined, undefined]);
    neighborIs(bgpd, 'Idle');
    await bgpd.restart();
    bgp.started({ daemon: 'bgpd', network: 'n', address: own });
    await expect.poll(() => cleared(bgpd)).toEqual(['clear bgp fd00:99::102']);
    await expect.poll(() => doneOf(bgp)).toEqual(['first', undefined]);
  });

  test('is cleared also where what was done cannot be read, and the memory of it has an end', async () => {
    const disk = new Disk();
    disk.text = '{"broken';
    const log = pino({ level: 'silent' });
    const resets = new SessionResets({ folder: disk, log });
    const entry = reset('first');
    if (entry.kind !== 'bgp_reset') throw new Error('another kind');
    expect(resets.due(wanted('first'), 'n')).toEqual([entry]);
    const earlier = Array.from({ length: sessionResetsRememberedMax }, (_, i) => [`n peer-${i}`, 'done']);
    disk.text = JSON.stringify(Object.fromEntries(earlier));
    new SessionResets({ folder: disk, log }).remember(entry);
    expect(Object.keys(JSON.parse(disk.text) as object)).toHaveLength(sessionResetsRememberedMax);
    const afterwards = new SessionResets({ folder: disk, log });
    const done = ['a', 'peer-0', 'peer-1'].map((peer) => afterwards.done('n', peer));
    expect(done).toEqual(['first', undefined, 'done']);
  });
});
