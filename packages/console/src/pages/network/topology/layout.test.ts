// What the topology of a network promises: everyone is in it, nobody covers another, and it does not jump.
import type { Topology } from '@powernode/core/intent/peer';
import { describe, expect, it } from 'vitest';
import { layoutTopology, type Spot } from './layout.ts';

type Node = Topology['nodes'][number];
type Link = Topology['links'][number];
const now = Date.parse('2025-11-21T20:00:00Z');
const justNow = new Date(now - 20_000).toISOString();

function node(id: string, part: Partial<Node> = {}): Node {
  return {
    peer_id: id,
    node_instance_id: id,
    hostname: id,
    role: 'spoke',
    host_address: '',
    status: 'connected',
    reachable: true,
    reachable_since: null,
    unreachable_because: null,
    connected: true,
    path: 'via hub',
    via_hub_peer_id: null,
    desired_revision: 1,
    applied_revision: 1,
    interfaces: [],
    routes: [],
    virtual_ips: [],
    firewall: null,
    port_mappings: [],
    user_devices_count: 0,
    ...part,
  };
}

function link(from: string, to: string, at: string | null = justNow): Link {
  return {
    peer_id: from,
    remote_peer_id: to,
    interface: 'wg-x',
    purpose: 'leaf',
    endpoint: null,
    allowed_ips: [],
    last_handshake_at: at,
    answers: null,
  };
}

function fleet(hubs: number, spokes: number): Pick<Topology, 'nodes' | 'links'> {
  const nodes: Node[] = [];
  const links: Link[] = [];
  for (let i = 0; i < hubs; i++) nodes.push(node(`hub${i}`, { role: 'hub', path: 'direct' }));
  for (let i = 0; i < spokes; i++) {
    const hub = hubs === 0 ? null : `hub${i % hubs}`;
    nodes.push(node(`spoke${i}`, { via_hub_peer_id: hub }));
    for (let h = 0; h < hubs; h++) links.push(link(`spoke${i}`, `hub${h}`), link(`hub${h}`, `spoke${i}`));
  }
  return { nodes, links };
}

function overlaps(spots: readonly Spot[]): string[] {
  return spots.flatMap((a, i) =>
    spots.slice(i + 1).flatMap((b) => {
      const apart =
        Math.abs(a.x - b.x) >= (a.width + b.width) / 2 || Math.abs(a.y - b.y) >= (a.height + b.height) / 2;
      return apart ? [] : [`${a.id} on ${b.id}`];
    }),
  );
}

describe('the topology of a network', () => {
  it.each([
    [0, 1],
    [0, 7],
    [1, 0],
    [1, 1],
    [1, 2],
    [1, 40],
    [2, 3],
    [2, 30],
    [2, 200],
    [3, 12],
    [5, 40],
    [4, 290],
    [30, 0],
    [12, 250],
  ])('of %i hubs and %i spokes shows each of them, none over another', (hubs, spokes) => {
    for (const format of ['wide', 'tall'] as const) {
      const { spots } = layoutTopology(fleet(hubs, spokes), { now, format });
      expect(spots).toHaveLength(hubs + spokes);
      expect(overlaps(spots), format).toEqual([]);
    }
  });

  it('stays as it is when only the state of machines changes', () => {
    const before = fleet(2, 20);
    const after = { ...before, nodes: before.nodes.map((n) => ({ ...n, status: 'silent' as const })) };
    const places = (topology: typeof before) =>
      layoutTopology(topology, { now, format: 'wide' }).spots.map(({ id, x, y }) => [id, x, y]);
    expect(places(after)).toEqual(places(before));
  });

  it('tells tunnels that carry others’ packets from those that wait, and the living from the dead', () => {
    const topology = {
      nodes: [
        node('h1', { role: 'hub', path: 'direct' }),
        node('h2', { role: 'hub', path: 'direct' }),
        node('s1', { via_hub_peer_id: 'h1' }),
        node('s2', { path: 'direct' }),
        node('s3', { path: 'direct' }),
      ],
      links: [
        link('h1', 'h2'),
        link('s1', 'h1', null),
        link('s1', 'h2', new Date(now - 600_000).toISOString()),
        link('s2', 'h1'),
        link('s2', 's1'),
        link('s3', 's1', null),
      ],
    };
    const lines = layoutTopology(topology, { now, format: 'wide' }).lines.map((l) => [
      [l.from, l.to].sort().join(' '),
      l.kind,
      l.health,
    ]);
    expect(lines.sort((a, b) => String(a).localeCompare(String(b)))).toEqual([
      ['h1 h2', 'backbone', 'up'],
      ['h1 s1', 'relay', 'none'],
      ['h1 s2', 'direct', 'up'],
      ['h2 s1', 'standby', 'stale'],
      ['s1 s2', 'shortcut', 'up'],
    ]);
  });

  it('of thousands groups the quiet majority and still shows who is in trouble', () => {
    const topology = fleet(3, 5000);
    const nodes = topology.nodes.map((n, i) => (i > 4990 ? { ...n, status: 'silent' as const } : n));
    const layout = layoutTopology({ ...topology, nodes }, { now, format: 'wide' });
    const groups = layout.spots.flatMap((s) => (s.kind === 'group' ? [s] : []));
    const alone = layout.spots.filter((s) => s.kind === 'spoke');
    expect(layout.grouped).toBe(true);
    expect(groups.map((g) => g.state)).toEqual(['connected', 'connected', 'connected']);
    expect(alone.length + groups.reduce((n, g) => n + g.count, 0)).toBe(5000);
    expect(alone.length).toBe(12);
    expect(overlaps(layout.spots)).toEqual([]);
  });

  it('groups those in trouble too when there are many of them', () => {
    const topology = fleet(2, 400);
    const nodes = topology.nodes.map((n, i) => (i % 2 === 0 ? { ...n, status: 'silent' as const } : n));
    const { spots } = layoutTopology({ ...topology, nodes }, { now, format: 'wide' });
    expect(spots.filter((s) => s.kind === 'spoke')).toEqual([]);
    expect(spots.length).toBeLessThan(12);
  });

  it('of a full mesh leaves out tunnels that nobody could tell apart, and counts them', () => {
    const nodes = Array.from({ length: 100 }, (_, i) => node(`p${i}`, { path: 'direct' }));
    const links = nodes.flatMap((a, i) => nodes.slice(i + 1).map((b) => link(a.peer_id, b.peer_id)));
    const layout = layoutTopology({ nodes, links }, { now, format: 'wide' });
    expect(layout.lines.length + layout.linesLeftOut).toBe(4950);
    expect(layout.lines.length).toBe(900);
  });

  describe('with LANs behind its peers', () => {
    const lanOf = (prefix: string, ...holders: string[]) => ({
      prefix,
      description: '',
      holders: holders.map((peerId, i) => ({ peerId, best: i === 0 })),
    });

    it.each([
      [1, 1, 1],
      [1, 3, 3],
      [1, 2, 12],
      [2, 6, 7],
      [0, 5, 5],
      [3, 40, 40],
      [2, 200, 40],
    ])('of %i hubs and %i spokes has %i LANs around it, none over anything', (hubs, spokes, count) => {
      const topology = fleet(hubs, spokes);
      const lans = Array.from({ length: count }, (_, i) => lanOf(`10.${i}.0.0/16`, `spoke${i % spokes}`));
      for (const format of ['wide', 'tall'] as const) {
        const { spots, lansLeftOut } = layoutTopology(topology, { now, format, lans });
        expect(spots.filter(({ kind }) => kind === 'lan')).toHaveLength(count);
        expect(overlaps(spots), format).toEqual([]);
        expect(lansLeftOut).toBe(0);
      }
    });

    it('shows by which peer a LAN is met, and which is on standby', () => {
      const nodes = [node('hub', { role: 'hub' }), node('a'), node('b', { reachable: false })];
      const lans = [lanOf('10.7.0.0/24', 'a', 'b', 'not drawn')];
      const { lines } = layoutTopology({ nodes, links: [] }, { now, format: 'wide', lans });
      expect(lines.map(({ from, to, kind, health }) => [from, to, kind, health])).toEqual([
        ['a', 'lan 10.7.0.0/24', 'lan', 'up'],
        ['b', 'lan 10.7.0.0/24', 'lan-standby', 'down'],
      ]);
    });

    it('stays as it is when another peer is used, whatever the order of routes', () => {
      const topology = fleet(1, 4);
      const places = (lans: ReturnType<typeof lanOf>[]) =>
        layoutTopology(topology, { now, format: 'wide', lans }).spots.map(({ id, x, y }) => [id, x, y]);
      const [first, second] = [lanOf('10.7.0.0/24', 'spoke0', 'spoke1'), lanOf('10.8.0.0/24', 'spoke0')];
      const moved = { ...first, holders: first.holders.map((one) => ({ ...one, best: !one.best })) };
      expect(places([second, moved])).toEqual(places([first, second]));
    });

    it('draws no more than can be read, and says how many it leaves out', () => {
      const lans = Array.from({ length: 100 }, (_, i) => lanOf(`10.${i}.0.0/16`, `spoke${i % 9}`));
      const few = layoutTopology(fleet(1, 9), { now, format: 'wide', lans });
      expect([few.lansLeftOut, overlaps(few.spots)]).toEqual([60, []]);
      // Nobody of a group is drawn, so that nothing is drawn behind it.
      expect(layoutTopology(fleet(2, 5000), { now, format: 'wide', lans }).lansLeftOut).toBe(100);
    });
  });

  it('is quick for 10,000 machines', () => {
    const layout = layoutTopology(fleet(4, 10_000), { now, format: 'wide' });
    expect(layout.spots.length).toBeLessThan(20);
  });
});
