// Test support: hubs and spokes of one overlay whose probers run in simulated time, on links that can be cut, lose
// and delay. Every prober is the real one (engine.ts); the rest of the machines is as much as probes meet.
import { probeTickMs } from '@powernode/core/limits/probe';
import { directProbeAddress, probeAddressVia } from '@powernode/core/net/probe-address';
import type { ProberConfig, TargetConfig } from './config.ts';
import { type Endpoint, Engine } from './engine.ts';
import type { LeasedAddress } from './leases.ts';
import type { FromProber } from './messages.ts';
import type { PathState } from './path-state.ts';

export const hubSlots = { j: 1, k: 2, m: 3 } as const;
type Hub = keyof typeof hubSlots;
const numbers: Readonly<Record<string, number>> = {
  j: 0x101,
  k: 0x102,
  m: 0x103,
  s: 0x201,
  t: 0x202,
  u: 0x203,
};

export function hostOf(name: string): string {
  return `fd00:99::${(numbers[name] ?? 0).toString(16)}`;
}

export function tunnelTo(name: string): string {
  return `peer/${name}`;
}

interface Machine {
  readonly name: string;
  readonly engine: Engine;
  readonly posted: FromProber[];
  readonly held: LeasedAddress[];
  /** What the last news said. */
  readonly tunnels: Map<string, PathState>;
  readonly backups: Map<string, string>;
  /** How those who probe it are heard, by address. */
  readonly sources: Map<string, PathState>;
  nextTickMs: number;
}

interface Arrival {
  readonly atMs: number;
  readonly arrive: () => void;
}

export class Simulation {
  nowMs = 0;
  readonly machines = new Map<string, Machine>();
  /** Links are named by both ends in order; a direction that is broken is named by `from>to`. */
  readonly cut = new Set<string>();
  readonly notForwarding = new Set<string>();
  readonly off = new Set<string>();
  loss = 0;
  delayMs = 5;
  /** Called for everything that a prober posts. */
  onPost: (name: string, message: FromProber) => void = () => undefined;
  readonly #arrivals: Arrival[] = [];
  readonly #random: () => number;
  readonly #hubs: readonly Hub[];
  readonly #hosts: ReadonlyMap<string, string>;
  readonly #probed = new Map<string, { readonly goal: Hub; readonly via: Hub }>();
  readonly #frozen = new Map<string, number>();

  constructor(names: readonly string[], random: () => number) {
    this.#random = random;
    this.#hubs = names.filter((name): name is Hub => name in hubSlots);
    this.#hosts = new Map(names.map((name) => [hostOf(name), name]));
    for (const goal of this.#hubs) {
      for (const via of this.#hubs) {
        this.#probed.set(probeAddressVia(hostOf(goal), hubSlots[via]), { goal, via });
      }
    }
    for (const name of names) this.start(name);
  }

  /** Starts a prober, or starts it anew. */
  start(name: string, change: Partial<ProberConfig> = {}): void {
    const posted: FromProber[] = [];
    const held: LeasedAddress[] = [];
    const tunnels = new Map<string, PathState>();
    const backups = new Map<string, string>();
    const sources = new Map<string, PathState>();
    const engine = new Engine({
      nowMs: this.nowMs,
      run: BigInt(Math.floor(this.#random() * 2 ** 50)),
      output: {
        send: (bytes, from, to) => this.#carry(name, { bytes, from: from.address, port: from.port, to }),
        writeLeases: (addresses) => held.push(...addresses),
        post: (message) => {
          posted.push(message);
          if (message.kind === 'news') {
            for (const one of message.news.tunnels) tunnels.set(one.tunnel, one.state);
            for (const one of message.news.sources) {
              sources.set(one.address, one.state);
              if (one.backupVia === null) backups.delete(one.address);
              else backups.set(one.address, one.backupVia);
            }
          }
          this.onPost(name, message);
        },
      },
    });
    const nextTickMs = this.nowMs + this.#random() * probeTickMs;
    this.machines.set(name, { name, engine, posted, held, tunnels, backups, sources, nextTickMs });
    engine.configure({ ...this.configOf(name), ...change }, this.nowMs);
  }

  machine(name: string): Machine {
    const machine = this.machines.get(name);
    if (machine === undefined) throw new Error(`no machine ${name}`);
    return machine;
  }

  state(name: string, hub: string): PathState {
    return this.machine(name).tunnels.get(tunnelTo(hub)) ?? 'untried';
  }

  configOf(name: string): ProberConfig {
    const nothing = { targets: [], watches: [], leases: [], holders: [] };
    if (!(name in hubSlots)) {
      const address = directProbeAddress(hostOf(name));
      const answering = [{ network: 'n', address, purpose: 'direct', relay: null } as const];
      return { ...nothing, answering, relays: [], targets: this.#spokeTargets(name) };
    }
    const slot = hubSlots[name as Hub];
    const others = this.#hubs.filter((hub) => hub !== name);
    return {
      ...nothing,
      targets: others.map((hub) => this.#target(name, { goal: hub, slot, via: hub, purpose: 'path' })),
      answering: this.#hubs.map((hub) => ({
        network: 'n',
        address: probeAddressVia(hostOf(name), hubSlots[hub]),
        purpose: 'hub',
        relay: hub === name ? null : hub,
      })),
      relays: others.map((hub) => ({ interface: hub, tunnel: tunnelTo(hub), addresses: [hostOf(hub)] })),
    };
  }

  /** Lets time pass. Probers that are off do not run; their datagrams wait. */
  advance(byMs: number): void {
    const endMs = this.nowMs + byMs;
    for (;;) {
      const machine = this.#nextMachine();
      const [arrival] = this.#arrivals;
      const atMs = Math.min(machine?.nextTickMs ?? endMs, arrival?.atMs ?? endMs);
      if (atMs >= endMs) break;
      this.nowMs = Math.max(this.nowMs, atMs);
      if (arrival !== undefined && arrival.atMs <= atMs) {
        this.#arrivals.shift();
        arrival.arrive();
      } else if (machine !== undefined) {
        machine.nextTickMs = this.nowMs + probeTickMs;
        machine.engine.tick(this.nowMs);
      }
    }
    this.nowMs = endMs;
  }

  /** A machine does not run for so long, and then finds what came meanwhile. */
  freeze(name: string, forMs: number): void {
    this.machine(name).nextTickMs = this.nowMs + forMs;
    this.#frozen.set(name, this.nowMs + forMs);
  }

  #nextMachine(): Machine | undefined {
    let next: Machine | undefined;
    for (const machine of this.machines.values()) {
      if (this.off.has(machine.name)) continue;
      if (next === undefined || machine.nextTickMs < next.nextTickMs) next = machine;
    }
    return next;
  }

  #enqueue(arrival: Arrival): void {
    let at = this.#arrivals.length;
    while (at > 0 && (this.#arrivals[at - 1]?.atMs ?? 0) > arrival.atMs) at--;
    this.#arrivals.splice(at, 0, arrival);
  }

  #spokeTargets(name: string): TargetConfig[] {
    return this.#hubs.flatMap((via) =>
      this.#hubs.map((goal) =>
        this.#target(name, { goal, slot: hubSlots[via], via, purpose: goal === via ? 'path' : 'forwarding' }),
      ),
    );
  }

  #target(
    name: string,
    at: { goal: string; slot: number; via: string; purpose: TargetConfig['purpose'] },
  ): TargetConfig {
    const target = probeAddressVia(hostOf(at.goal), at.slot);
    const tunnel = tunnelTo(at.via);
    return {
      network: 'n',
      target,
      goal: hostOf(at.goal),
      tunnel,
      purpose: at.purpose,
      rank: this.#hubs.findIndex((hub) => hub === at.via),
      source: hostOf(name),
      mtu: 1420,
    };
  }

  #carry(
    from: string,
    datagram: { bytes: Uint8Array; from: string; port: number | null; to: Endpoint },
  ): void {
    const way = this.#wayOf(from, datagram.to.address);
    const to = way?.at(-1);
    if (way === null || to === undefined || this.#random() < this.loss) return;
    for (let i = 0; i + 1 < way.length; i++) {
      const a = way[i] ?? '';
      const b = way[i + 1] ?? '';
      if (this.cut.has([a, b].sort().join('-')) || this.cut.has(`${a}>${b}`)) return;
      if (i > 0 && this.notForwarding.has(a)) return;
    }
    const place = { address: datagram.from, port: datagram.port ?? 40_000 };
    const atMs = this.nowMs + this.delayMs * (way.length - 1) * (0.5 + this.#random());
    this.#enqueue({
      atMs: Math.max(atMs, this.#frozen.get(to) ?? 0),
      arrive: () => {
        if (this.off.has(to)) return;
        const at = { local: datagram.to.address, from: place };
        this.machine(to).engine.received(datagram.bytes, at, this.nowMs);
      },
    });
  }

  /** Which machines a packet passes; null: it leads nowhere. */
  #wayOf(from: string, address: string): string[] | null {
    const probed = this.#probed.get(address);
    if (probed !== undefined) {
      const { goal, via } = probed;
      // A hub's probe of another one: by its own slot, over the relay between them.
      return from in hubSlots || via === goal ? [from, goal] : [from, via, goal];
    }
    const to = this.#hosts.get(address);
    if (to === undefined) return null;
    const backupVia = this.machine(from).backups.get(address);
    return backupVia === undefined ? [from, to] : [from, backupVia, to];
  }
}
