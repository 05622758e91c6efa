// How the two ends of tunnels become one.
import type { Topology } from '@powernode/core/intent/peer';
import { describe, expect, it } from 'vitest';
import { homesOf, tunnelsOf } from './tunnels.ts';

type Topo = Pick<Topology, 'nodes' | 'links'>;
const now = Date.parse('2025-11-21T20:00:00Z');
const at = (secondsAgo: number) => new Date(now - secondsAgo * 1000).toISOString();

function link(from: string, to: string, seen: string | null, name = 'wg'): Topo['links'][number] {
  return {
    peer_id: from,
    remote_peer_id: to,
    interface: name,
    purpose: 'leaf',
    endpoint: null,
    allowed_ips: [],
    last_handshake_at: seen,
    answers: null,
  };
}

function node(id: string, role: 'hub' | 'spoke', via: string | null = null): Topo['nodes'][number] {
  return {
    peer_id: id,
    node_instance_id: id,
    hostname: id,
    role,
    host_address: '',
    status: 'connected',
    reachable: true,
    reachable_since: null,
    unreachable_because: null,
    connected: true,
    path: via === null ? 'direct' : 'via hub',
    via_hub_peer_id: via,
    desired_revision: 1,
    applied_revision: 1,
    interfaces: [],
    routes: [],
    virtual_ips: [],
    firewall: null,
    port_mappings: [],
    user_devices_count: 0,
  };
}

describe('tunnels', () => {
  const nodes = [node('a', 'hub'), node('b', 'spoke', 'a')];

  it('have two ends, and live by whichever saw the newer handshake', () => {
    const [tunnel, ...more] = tunnelsOf(
      { nodes, links: [link('b', 'a', at(400)), link('a', 'b', at(10))] },
      now,
    );
    expect(more).toEqual([]);
    expect(tunnel).toMatchObject({ health: 'up', kind: 'relay', lastHandshakeAt: at(10) });
    expect([tunnel?.fromA?.peer_id, tunnel?.fromB?.peer_id]).toEqual(['a', 'b']);
  });

  it('are known from one end, too', () => {
    const [tunnel] = tunnelsOf({ nodes, links: [link('b', 'a', null)] }, now);
    expect(tunnel).toMatchObject({ health: 'none', fromA: null });
  });

  it('of one pair over two interfaces are the one that speaks', () => {
    const links = [link('a', 'b', at(10), 'leaf'), link('a', 'b', at(900), 'transit')];
    expect(tunnelsOf({ nodes, links }, now)[0]?.fromA?.interface).toBe('leaf');
  });

  it('are dead when their probes say so, or one of their ends is not reached, however fresh a handshake is [9.14]', () => {
    const fresh = [link('b', 'a', at(10)), link('a', 'b', at(10))];
    const silent = [{ ...link('b', 'a', at(10)), answers: false }, link('a', 'b', at(10))];
    expect(tunnelsOf({ nodes, links: silent }, now)[0]?.health).toBe('down');
    const [hub, spoke] = [node('a', 'hub'), node('b', 'spoke', 'a')];
    const gone = { ...spoke, reachable: false };
    expect(tunnelsOf({ nodes: [hub, gone], links: fresh }, now)[0]?.health).toBe('down');
    expect(tunnelsOf({ nodes: [hub, spoke], links: fresh }, now)[0]?.health).toBe('up');
  });

  it('between spokes live when only their hubs are gone [9.14]', () => {
    const because = { code: 'hubs_dead', detail: '' } as const;
    const without = (id: string) => ({
      ...node(id, 'spoke'),
      reachable: false,
      unreachable_because: because,
    });
    const links = [link('b', 'c', at(10))];
    expect(tunnelsOf({ nodes: [without('b'), without('c')], links }, now)[0]?.health).toBe('up');
  });

  it('to peers that are not in the topology are not either', () => {
    expect(tunnelsOf({ nodes, links: [link('a', 'gone', at(1))] }, now)).toEqual([]);
  });
});

describe('the home of a spoke', () => {
  it('is the hub that it goes through, else one that it has a tunnel with, else any', () => {
    const nodes = [
      node('h1', 'hub'),
      node('h2', 'hub'),
      node('x', 'spoke', 'h2'),
      node('y', 'spoke'),
      node('z', 'spoke'),
    ];
    const homes = homesOf({ nodes, links: [link('x', 'h1', null), link('h2', 'y', null)] });
    expect(Object.fromEntries(homes)).toEqual({ x: 'h2', y: 'h2', z: 'h1' });
  });

  it('is nowhere without a hub', () => {
    expect(homesOf({ nodes: [node('x', 'spoke', 'gone')], links: [] }).size).toBe(0);
  });
});
