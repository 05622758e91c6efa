// The promises of plans, over random documents and random machines.
import { type EntryValue, entryKey } from '@powernode/core/wire/document';
import { NodeDocument } from '@powernode/core/wire/node-document';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applySteps, type ModelKernel } from '../subsystems/model-kernel.fixture.ts';
import { nothingObserved, type ObservedInterface, type ObservedState } from '../subsystems/observed.ts';
import type { Scope } from '../subsystems/subsystem.ts';
import { asDocumented } from '../subsystems/wireguard/calls.ts';
import { makePlan, type Plan } from './plan.ts';

type Entries = ReadonlyMap<string, EntryValue>;

const nowMs = 1_800_000_000_000;
const notHeld = { ipv6: false, ipv4: false };
const empty: ModelKernel = { seen: nothingObserved, forwardingHeld: notHeld };

function keyNumbered(number: number): string {
  return Buffer.alloc(32, number).toString('base64');
}

const handles = ['aa', 'bb', 'cc'] as const;

/** One network as a node has it: a leaf, perhaps transit interfaces, peers with prefixes of their own, routes. */
const network = (handle: string) =>
  fc
    .record({
      transit: fc.integer({ min: 0, max: 2 }),
      peers: fc.array(
        fc.record({
          key: fc.integer({ min: 1, max: 12 }),
          keepalive: fc.constantFrom(0, 25),
          calls: fc.boolean(),
        }),
        { maxLength: 6 },
      ),
      forwards: fc.boolean(),
      key: fc.integer({ min: 100, max: 102 }),
      port: fc.constantFrom(0, 51820, 51821),
      mtu: fc.constantFrom(1280, 1420),
      probed: fc.boolean(),
      virtual: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 2 }),
    })
    .map((shape): EntryValue[] => {
      const name = `wg-${handle}`;
      const of = { network_id: handle, peer_id: 'self', public_key: keyNumbered(shape.key), mtu: shape.mtu };
      const leaf: EntryValue = {
        ...of,
        kind: 'interface',
        name,
        purpose: 'leaf',
        listen_port: shape.port,
        addresses: [`fd00:${handle}::100/128`, ...(shape.probed ? ['100.64.1.1/32'] : [])],
        probe_addresses: shape.probed ? [`fd00:${handle}:0:0:fe01::100/128`] : [],
      };
      const transits = Array.from({ length: shape.transit }, (_, i) => `${name}-${i + 1}`);
      return [
        leaf,
        ...transits.map(
          (one): EntryValue => ({
            ...of,
            kind: 'interface',
            name: one,
            purpose: 'transit',
            listen_port: 0,
            addresses: [],
            probe_addresses: [],
          }),
        ),
        ...transits.map((one, i) => peer(one, { key: 50 + i, keepalive: 25, calls: true, allowed: '::/0' })),
        ...shape.peers.map((one) => peer(name, { ...one, allowed: `fd00:${handle}::${one.key}/128` })),
        {
          kind: 'route',
          network_id: handle,
          destination: `fd00:${handle}::/64`,
          via: transits.length > 0 ? transits : [name],
        },
        ...shape.virtual.map((number): EntryValue => virtualIp(handle, number)),
        ...(shape.forwards ? [{ kind: 'forwarding', network_id: handle, handle } as const] : []),
      ];
    });

function peer(
  name: string,
  at: { key: number; keepalive: number; calls: boolean; allowed: string },
): EntryValue {
  return {
    kind: 'peer',
    interface: name,
    peer_id: `peer ${at.key}`,
    public_key: keyNumbered(at.key),
    endpoint: at.calls ? `203.0.113.${at.key}:51820` : null,
    allowed_ips: [at.allowed],
    keepalive: at.keepalive,
  };
}

function virtualIp(handle: string, number: number): EntryValue {
  return {
    kind: 'virtual_ip',
    network_id: handle,
    virtual_ip_id: `${handle} ${number}`,
    interface: `wg-${handle}`,
    addresses: [`fd00:${handle}::f${number}/128`, `100.64.0.${number}/32`],
    epoch: 1,
    lease: number === 1 ? null : { witnesses: ['fd00::1'], enough: 1 },
  };
}

const document: fc.Arbitrary<Entries> = fc
  .tuple(...handles.map((handle) => fc.option(network(handle), { nil: [] as EntryValue[] })))
  .map((networks) => new Map(networks.flat().map((entry) => [entryKey(entry), entry])));

/** Each route by its first interface, as if every path were alive. */
function choicesOf(entries: Entries): Map<string, string | null> {
  const choices = new Map<string, string | null>();
  for (const entry of entries.values())
    if (entry.kind === 'route') choices.set(entry.destination, entry.via[0] ?? null);
  return choices;
}

function planFor(entries: Entries, kernel: ModelKernel, scope: Scope = 'all'): Plan {
  const { seen, forwardingHeld } = kernel;
  const writtenEndpoints = new Map<string, string>();
  return makePlan({
    document: NodeDocument.of(entries),
    observed: seen,
    scope,
    choices: choicesOf(entries),
    extraAllowedIps: new Map(),
    forwardingHeld,
    writtenEndpoints,
    calls: asDocumented,
    nowMs,
  });
}

function converge(entries: Entries, kernel: ModelKernel): ModelKernel {
  return applySteps(kernel, planFor(entries, kernel).steps);
}

/** Things that somebody did to the machine by hand. */
const damage = fc.array(
  fc.record({
    what: fc.constantFrom(
      'no_peers',
      'no_address',
      'gone',
      'down',
      'mute',
      'no_mark',
      'no_routes',
      'no_rules',
      'psk',
    ),
    handle: fc.constantFrom(...handles),
  }),
  { maxLength: 4 },
);

function damaged(kernel: ModelKernel, hits: readonly { what: string; handle: string }[]): ModelKernel {
  return hits.reduce((at, hit) => ({ ...at, seen: hurt(at.seen, hit) }), kernel);
}

function hurt(seen: ObservedState, { what, handle }: { what: string; handle: string }): ObservedState {
  const one = seen.interfaces.get(`wg-${handle}`);
  if (what === 'no_routes') return { ...seen, routes: new Map() };
  if (what === 'no_rules') return { ...seen, ruleset: null };
  if (one === undefined) return seen;
  const interfaces = new Map(seen.interfaces);
  const routes = new Map(
    [...seen.routes].filter(([, list]) => list.every((route) => route.device !== one.name)),
  );
  if (what === 'gone') interfaces.delete(one.name);
  else interfaces.set(one.name, hurtInterface(one, what));
  return { ...seen, interfaces, routes: what === 'gone' || what === 'down' ? routes : seen.routes };
}

function hurtInterface(one: ObservedInterface, what: string): ObservedInterface {
  if (what === 'down') return { ...one, up: false };
  if (what === 'mute') return { ...one, device: null };
  if (what === 'no_mark') return { ...one, prepared: false };
  if (what === 'no_address') return { ...one, addresses: ['fd00:bad::1/128'] };
  if (one.device === null) return one;
  const peers = [...one.device.peers].map(
    ([key, each]) => [key, { ...each, hasPresharedKey: true }] as const,
  );
  return { ...one, device: { ...one.device, peers: new Map(what === 'psk' ? peers : []) } };
}

describe('a plan', () => {
  test('carried out on any machine gives the document, and then there is nothing left to do', () => {
    fc.assert(
      fc.property(document, document, damage, (before, after, hits) => {
        const machine = damaged(converge(before, empty), hits);
        const done = converge(after, machine);
        expect(planFor(after, done)).toEqual({ steps: [], problems: [] });
      }),
      { numRuns: 400 },
    );
  });

  test('of just the entries that changed does what a plan of everything would do', () => {
    fc.assert(
      fc.property(document, document, (before, after) => {
        const machine = converge(before, empty);
        const keys = [...new Set([...before.keys(), ...after.keys()])];
        const touched = new Set(
          keys.filter((key) => JSON.stringify(before.get(key)) !== JSON.stringify(after.get(key))),
        );
        const done = applySteps(machine, planFor(after, machine, touched).steps);
        expect(planFor(after, done).steps).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });

  test('of an empty document takes away everything that is the agent’s', () => {
    fc.assert(
      fc.property(document, damage, (before, hits) => {
        const done = converge(new Map(), damaged(converge(before, empty), hits));
        expect(done.seen.interfaces.size).toBe(0);
        expect(done.seen.ruleset).toBeNull();
        expect(done.forwardingHeld).toEqual(notHeld);
      }),
    );
  });

  test('never touches an interface that the agent did not make, and says that it is in the way', () => {
    const entries = new Map((fc.sample(network('aa'), 1)[0] ?? []).map((entry) => [entryKey(entry), entry]));
    const foreign: ObservedInterface = {
      name: 'wg-aa',
      ours: false,
      prepared: false,
      grouped: false,
      flavour: 'kernel',
      mtu: 1500,
      up: true,
      addresses: ['10.0.0.1/24'],
      device: null,
    };
    const seen = { ...nothingObserved, interfaces: new Map([['wg-aa', foreign]]) };
    const plan = planFor(entries, { seen, forwardingHeld: notHeld });
    expect(plan.problems).toHaveLength(1);
    expect(plan.problems[0]?.detail).toContain('wg-aa exists and was not created by the agent');
    const about = plan.steps.filter((step) => Object.values(step).includes('wg-aa'));
    expect(about).toEqual([]);
    expect(planFor(new Map(), { seen, forwardingHeld: notHeld }).steps).toEqual([]);
  });

  test('that adds one peer writes that peer and nothing else', () => {
    const before = new Map(
      [
        ...(fc.sample(network('aa'), { numRuns: 1, seed: 7 })[0] ?? []),
        ...Array.from({ length: 5 }, (_, i) =>
          peer('wg-aa', { key: 60 + i, keepalive: 0, calls: false, allowed: `fd00:aa::${60 + i}/128` }),
        ),
      ].map((entry) => [entryKey(entry), entry]),
    );
    const machine = converge(before, empty);
    const added = peer('wg-aa', { key: 99, keepalive: 0, calls: false, allowed: 'fd00:aa::99/128' });
    const after = new Map(before).set(entryKey(added), added);
    const plan = planFor(after, machine, new Set([entryKey(added)]));
    expect(plan.steps.map((step) => step.kind)).toEqual(['set_peer']);
    expect(planFor(after, machine).steps).toEqual(plan.steps);
  });
});
