// Which way a route goes, as paths live and die.
import type { EntryValue, RouteEntry } from '@powernode/core/wire/document';
import { entryKey } from '@powernode/core/wire/document';
import { expect, test } from 'vitest';
import type { Liveness, PathHealth } from './health.ts';
import { RouteChooser } from './routes.ts';

const prefix = 'fd00::/64';
const hub1 = 'fd00::101/128';
const friend = 'fd00::200/128';

function route(destination: string, ...via: string[]): RouteEntry {
  return { kind: 'route', network_id: 'n', destination, via };
}

function interfaceNamed(name: string, purpose: 'leaf' | 'transit'): EntryValue {
  const of = { network_id: 'n', peer_id: 'p', public_key: 'k', listen_port: 0, mtu: 1420, addresses: [] };
  return { kind: 'interface', name, purpose, ...of };
}

function peer(name: string, publicKey: string, allowed: string): EntryValue {
  const of = { peer_id: publicKey, endpoint: null, allowed_ips: [allowed], keepalive: 25 };
  return { kind: 'peer', interface: name, public_key: publicKey, ...of };
}

/** A spoke with two transit hubs and a friend that it reaches directly. */
const entries = new Map(
  [
    interfaceNamed('wg-a', 'leaf'),
    interfaceNamed('wg-a-1', 'transit'),
    interfaceNamed('wg-a-2', 'transit'),
    peer('wg-a-1', 'hub1', '::/0'),
    peer('wg-a-2', 'hub2', '::/0'),
    peer('wg-a', 'friend', friend),
    route(prefix, 'wg-a-1', 'wg-a-2'),
    route(hub1, 'wg-a-1'),
    route(friend, 'wg-a'),
  ].map((entry) => [entryKey(entry), entry]),
);

class Paths implements PathHealth {
  readonly states: Record<string, Liveness> = { hub1: 'untried', hub2: 'untried', friend: 'untried' };
  of({ publicKey }: { readonly publicKey: string }): Liveness {
    return this.states[publicKey] ?? 'untried';
  }
}

function spoke() {
  const chooser = new RouteChooser();
  const health = new Paths();
  const at = (seconds: number, states: Record<string, Liveness> = {}) => {
    Object.assign(health.states, states);
    chooser.choose({ entries, health, nowMs: seconds * 1000 });
    return Object.fromEntries(chooser.choices);
  };
  return { chooser, at };
}

test('without any path known to be alive, every route keeps its first interface', () => {
  expect(spoke().at(0)).toEqual({ [prefix]: 'wg-a-1', [hub1]: 'wg-a-1', [friend]: 'wg-a' });
});

test('the first hub that answers is used at once, and a route to a silent one goes by way of it', () => {
  const { at } = spoke();
  at(0);
  expect(at(1, { hub2: 'alive' })).toEqual({ [prefix]: 'wg-a-2', [hub1]: null, [friend]: null });
});

test('a better path is gone back to only when it has been alive for a while', () => {
  const { at } = spoke();
  at(0, { hub2: 'alive' });
  expect(at(1, { hub1: 'alive' })[prefix]).toBe('wg-a-2');
  expect(at(10)[prefix]).toBe('wg-a-2');
  expect(at(11)[prefix]).toBe('wg-a-1');
});

test('a path that flaps is not gone back to', () => {
  const { at } = spoke();
  at(0, { hub2: 'alive' });
  for (let second = 1; second < 60; second += 2) {
    at(second, { hub1: 'alive' });
    expect(at(second + 1, { hub1: 'dead' })[prefix]).toBe('wg-a-2');
  }
});

test('a dead path is left at once', () => {
  const { at } = spoke();
  at(0, { hub1: 'alive', hub2: 'alive' });
  expect(at(1, { hub1: 'dead' })[prefix]).toBe('wg-a-2');
});

test('when all paths are dead, the present ones stay where the document says', () => {
  const { at } = spoke();
  at(0, { hub1: 'alive', hub2: 'alive' });
  expect(at(1, { hub1: 'dead', hub2: 'dead' })).toEqual({
    [prefix]: 'wg-a-1',
    [hub1]: 'wg-a-1',
    [friend]: 'wg-a',
  });
});

test('a direct path is used when it is alive, and left out for the hub when it is not', () => {
  const { at } = spoke();
  expect(at(0, { hub1: 'alive', friend: 'alive' })[friend]).toBe('wg-a');
  expect(at(1, { friend: 'dead' })[friend]).toBeNull();
  expect(at(2, { friend: 'alive' })[friend]).toBe('wg-a');
});

test('what the kernel had when the agent came is kept until there is a reason', () => {
  const { chooser, at } = spoke();
  chooser.adopt([[prefix, 'wg-a-2']]);
  expect(at(0, { hub1: 'alive', hub2: 'alive' })[prefix]).toBe('wg-a-2');
  expect(at(11)[prefix]).toBe('wg-a-1');
});

test('a change of choice is told, and only that', () => {
  const chooser = new RouteChooser();
  const health = new Paths();
  expect(chooser.choose({ entries, health, nowMs: 0 }).sort()).toEqual([friend, hub1, prefix].sort());
  expect(chooser.choose({ entries, health, nowMs: 1 })).toEqual([]);
  health.states['hub2'] = 'alive';
  expect(chooser.choose({ entries, health, nowMs: 2 }).sort()).toEqual([friend, hub1, prefix].sort());
});

test('a hub’s route to the whole network stays on its leaf interface', () => {
  const chooser = new RouteChooser();
  const hub = new Map(
    [interfaceNamed('wg-a', 'leaf'), route(prefix, 'wg-a')].map((entry) => [entryKey(entry), entry]),
  );
  chooser.choose({ entries: hub, health: new Paths(), nowMs: 0 });
  expect(chooser.choices.get(prefix)).toBe('wg-a');
});
