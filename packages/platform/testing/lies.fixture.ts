// Frames of a machine that lies in every field by turns: each is built from what an honest one could say, and one field
// after the other is replaced by the extremes of its kind, by what belongs to others, or by what it may not be at all.

import { bgpStates } from '@powernode/core/intent/bgp';
import { nodeSubsystems } from '@powernode/core/intent/common';
import { holderHealth } from '@powernode/core/intent/virtual-ip';
import * as agentLimits from '@powernode/core/limits/agent';
import * as anycastLimits from '@powernode/core/limits/anycast';
import * as nodeStreamLimits from '@powernode/core/limits/node-stream';
import * as overlayLimits from '@powernode/core/limits/overlay';
import * as presenceLimits from '@powernode/core/limits/presence';
import * as routingLimits from '@powernode/core/limits/routing';
import * as textsLimits from '@powernode/core/limits/texts';
import * as trustLimits from '@powernode/core/limits/trust';
import { underlayKinds } from '@powernode/core/net/underlay';
import { newestCapability } from '@powernode/core/wire/capability';
import type { EntryValue } from '@powernode/core/wire/document';
import { nodeProblemTable } from '@powernode/core/wire/node-problems';

/** What the machine has learnt of others from its own document. */
interface Knowledge {
  readonly keys: readonly string[];
  readonly peers: readonly string[];
  readonly networks: readonly string[];
  readonly virtualIps: readonly string[];
  readonly interfaces: readonly string[];
  readonly addresses: readonly string[];
  readonly revision: number;
  readonly hash: string;
}

export function knowledgeOf(
  entries: Iterable<EntryValue>,
  held: { readonly revision: number; readonly hash: string },
): Knowledge {
  const [keys, peers, networks] = [new Set<string>(), new Set<string>(), new Set<string>()];
  const [virtualIps, interfaces, addresses] = [new Set<string>(), new Set<string>(), new Set<string>()];
  for (const entry of entries) {
    if ('public_key' in entry) keys.add(entry.public_key);
    if ('peer_id' in entry) peers.add(entry.peer_id);
    if ('network_id' in entry) networks.add(entry.network_id);
    if ('virtual_ip_id' in entry) virtualIps.add(entry.virtual_ip_id);
    if (entry.kind === 'interface') interfaces.add(entry.name);
    if (entry.kind === 'peer') for (const one of entry.allowed_ips) addresses.add(one);
  }
  return {
    keys: [...keys],
    peers: [...peers],
    networks: [...networks],
    virtualIps: [...virtualIps],
    interfaces: [...interfaces],
    addresses: [...addresses],
    ...held,
  };
}

/** Places that no machine may be called at, and some that look like a peer's. */
const places = [
  '127.0.0.1:51820',
  '0.0.0.0:51820',
  '224.0.0.1:51820',
  '255.255.255.255:9',
  '169.254.169.254:80',
  '8.8.8.8:53',
  '192.0.2.77:51820',
  '[::1]:51820',
  '[::ffff:127.0.0.1]:51820',
  '[ff02::1]:51820',
  '[fe80::1]:51820',
  '[2001:db8::77]:51820',
  '',
  'nonsense',
];

const times = [
  '1970-01-01T00:00:00Z',
  '9999-12-31T23:59:59Z',
  '-271821-04-20T00:00:00Z',
  'now',
  '2026-11-29T10:00:00.000000000+14:00',
];

export class Liar {
  readonly #random: () => number;
  #known: Knowledge;
  #turn = 0;

  constructor(random: () => number, known: Knowledge) {
    this.#random = random;
    this.#known = known;
  }

  learn(known: Knowledge): void {
    this.#known = known;
  }

  /** The next frame as text. About one in a hundred is none of the protocol. */
  next(): string {
    const turn = this.#turn++;
    if (turn % 97 === 96) return this.#pick(this.#junk());
    const frames = this.#frames();
    return JSON.stringify(frames[turn % frames.length]?.());
  }

  /** One of each kind of lie; a test compares what is in them with the schemas of the protocol. */
  #frames(): (() => object)[] {
    return [
      () =>
        this.#observed({ tunnels: this.#list(agentLimits.agentTunnelsPerFrameMax, () => this.#tunnel()) }),
      () => this.#observed({ tunnels: this.#everyTunnel() }),
      () =>
        this.#observed({ subsystems: this.#list(nodeStreamLimits.subsystemsMax, () => this.#subsystem()) }),
      () => this.#observed({ drift: this.#list(agentLimits.agentDriftPerFrameMax, () => this.#drift()) }),
      () => this.#observed({ routes: this.#list(agentLimits.agentRoutesPerFrameMax, () => this.#route()) }),
      () => this.#observed({ rules: this.#list(overlayLimits.rulesPerFrameMax, () => this.#rule()) }),
      () => this.#observed({ underlay: this.#underlay() }),
      () =>
        this.#observed({
          bgp_sessions: this.#list(routingLimits.sessionsPerFrameMax, () => this.#bgpSession()),
        }),
      () =>
        this.#observed({
          virtual_ip_health: this.#list(anycastLimits.healthChecksPerFrameMax, () => this.#health()),
        }),
      () =>
        this.#observed({ pod_slices: this.#list(agentLimits.podSlicesPerNodeMax, () => this.#podSlice()) }),
      () =>
        this.#observed({
          routing_daemon: {
            missing: this.#pick([null, this.#text(nodeStreamLimits.nodeProblemDetailMax)]),
          },
        }),
      () => ({ kind: 'keys', unused_keys: this.#list(trustLimits.unusedKeysMax, () => this.#key()) }),
      () => ({ kind: 'applied', revision: this.#count(), hash: this.#hash() }),
      () => ({
        kind: 'failed',
        revision: this.#count(),
        message: this.#text(nodeStreamLimits.failureMessageMax),
      }),
      () => ({
        kind: 'paths',
        peers: this.#list(5_000, () => ({ peer_id: this.#id(), alive: this.#coin() })),
      }),
      () => this.#probed(),
      () => ({ kind: 'resync' }),
      () => ({
        kind: 'lease_renew',
        sequence: this.#count(),
        leases: this.#list(overlayLimits.virtualIpsPerNodeMax, () => ({
          virtual_ip_id: this.#virtualIp(),
          epoch: this.#count(),
        })),
      }),
      () => ({
        kind: 'problems',
        problems: this.#list(nodeStreamLimits.nodeProblemsMax, () => this.#problem()),
      }),
    ];
  }

  /**
   * What it says of itself at the beginning: addresses that are not its own, documents that it never had, keys of others.
   * Now and then a version that nobody speaks, with which the stream ends at once.
   */
  hello(run: string): object {
    const seldom = this.#random() < 0.1;
    return {
      kind: 'hello',
      capability: seldom ? this.#pick([0, textsLimits.capabilityMax]) : newestCapability,
      ...(seldom ? { capability_min: this.#pick([0, textsLimits.capabilityMax]) } : {}),
      ...(seldom ? { protocol: this.#pick([0, textsLimits.capabilityMax]) } : {}),
      run: seldom ? crypto.randomUUID() : run,
      agent_version: this.#pick(['liar', this.#text(textsLimits.versionLengthMax)]),
      hostname: this.#pick(['bad', 'hub', `${'x'.repeat(63)}.example`]),
      held: this.#pick([null, this.#document()]),
      applied: this.#pick([null, this.#document()]),
      addresses: this.#list(agentLimits.agentAddressesMax, () => this.#pick(places).replace(/:\d+$/, '')),
      underlay: this.#underlay(),
      families: this.#pick([[4, 6], [4], [6], []]),
      unused_keys: this.#list(trustLimits.unusedKeysMax, () => this.#key()),
    };
  }

  #document(): object {
    return { revision: this.#count(), hash: this.#hash() };
  }

  #observed(part: object): object {
    return { kind: 'observed', tunnels: [], subsystems: [], drift: [], routes: [], ...part };
  }

  #tunnel(): object {
    return {
      interface: this.#pick([...this.#known.interfaces, 'wg-made-up', 'eth0', '']),
      public_key: this.#key(),
      last_handshake_at: this.#pick([new Date().toISOString(), null, ...times]),
      rx_bytes: this.#count(),
      tx_bytes: this.#count(),
      endpoint: this.#pick([...places, null]),
    };
  }

  /** Of every key that it knows, on every interface that it has: each with a handshake of now and a place of its choice. */
  #everyTunnel(): object[] {
    const { keys, interfaces } = this.#known;
    const endpoint = this.#pick(places);
    const last_handshake_at = new Date().toISOString();
    return interfaces.flatMap((name) =>
      keys.map((public_key) => ({
        interface: name,
        public_key,
        last_handshake_at,
        rx_bytes: this.#count(),
        tx_bytes: this.#count(),
        endpoint,
      })),
    );
  }

  #subsystem(): object {
    return {
      name: this.#pick(['apply', 'stream', 'identity', `made up ${Math.floor(this.#random() * 1e6)}`]),
      state: this.#pick(['ok', 'degraded', 'failed']),
      message: this.#text(nodeStreamLimits.subsystemMessageMax),
      observed_at: this.#pick(times),
    };
  }

  #drift(): object {
    return {
      at: this.#pick(times),
      key: this.#text(textsLimits.entryKeyLengthMax),
      detail: this.#text(nodeStreamLimits.driftDetailMax),
    };
  }

  #route(): object {
    return {
      destination: this.#pick([...this.#known.addresses, '::/0', '0.0.0.0/0', 'fd99::/64', '']),
      via: this.#pick([...this.#known.interfaces, 'lo', null]),
    };
  }

  #rule(): object {
    return { rule_id: this.#id(), packets: this.#count(), bytes: this.#count() };
  }

  #bgpSession(): object {
    const refused = { ipv4: this.#refused(), ipv6: this.#refused(), since: this.#pick(times) };
    return {
      network_id: this.#pick([...this.#known.networks, 'nobody']),
      peer_id: this.#id(),
      state: this.#pick([...bgpStates, null]),
      established_at: this.#pick([new Date().toISOString(), null, ...times]),
      prefixes_received: this.#pick([0, 1, routingLimits.prefixesReceivedMax]),
      last_error: this.#pick([null, this.#text(routingLimits.sessionErrorMax)]),
      ...(this.#coin() ? { refused: this.#pick([null, refused]) } : {}),
      ...(this.#coin() ? { reset_done: this.#id() } : {}),
    };
  }

  #refused(): number {
    return this.#pick([0, 1, routingLimits.refusedMax]);
  }

  #health(): object {
    return {
      virtual_ip_id: this.#virtualIp(),
      health: this.#pick([...holderHealth.options, null]),
      since: this.#pick(times),
      last_error: this.#pick([null, this.#text(anycastLimits.healthCheckErrorMax)]),
    };
  }

  /** Of nobody, of a peer, of everything. */
  #podSlice(): string {
    const own = this.#known.addresses.filter((one) => one.includes('/'));
    return this.#pick([...own, '0.0.0.0/0', '::/0', '198.18.0.0/15', 'fd00::/8', 'fd99:1::/64']);
  }

  #probed(): object {
    return {
      kind: 'probed',
      heard: this.#list(500, () => ({
        address: this.#pick([...this.#known.addresses.map((one) => one.replace(/\/\d+$/, '')), 'fd99::1']),
        heard: this.#coin(),
        for_ms: this.#coin() ? 0 : presenceLimits.probedForMsMax,
      })),
      paths: this.#list(presenceLimits.probedPathsMax, () => ({
        network_id: this.#pick([...this.#known.networks, 'nobody']),
        peer_id: this.#id(),
        state: this.#pick(['answers', 'silent', 'forwards_nothing']),
        for_ms: this.#pick([0, presenceLimits.probedForMsMax]),
      })),
    };
  }

  #problem(): object {
    const [code, kind] = this.#pick(Object.entries(nodeProblemTable));
    return {
      subsystem: this.#coin() ? kind.subsystem : this.#pick(nodeSubsystems),
      code: this.#random() < 0.9 ? code : `made_up_${Math.floor(this.#random() * 1e6)}`,
      detail: this.#text(nodeStreamLimits.nodeProblemDetailMax),
      network_id: this.#pick([...this.#known.networks, 'nobody']),
      peer_id: this.#id(),
      interface: this.#pick([...this.#known.interfaces, 'eth0']),
      since: this.#pick(['2026-11-29T10:00:00.000Z', '1970-01-01T00:00:00Z', '9999-12-31T23:59:59Z']),
    };
  }

  #underlay(): object[] {
    return this.#list(8, () => ({
      kind: this.#pick(underlayKinds),
      at: this.#pick(['0.0.0.0/1', '198.18.0.0/15', '100.64.0.0/10', 'fd00::/8', '127.0.0.1/32']),
      interface: this.#pick(['eth0', ...this.#known.interfaces, 'cni0', null]),
    }));
  }

  #junk(): string[] {
    return [
      '',
      'nonsense',
      '[]',
      'null',
      `{"kind":${'['.repeat(50_000)}`,
      JSON.stringify({ kind: 'hello', protocol: 1 }),
      JSON.stringify({ kind: 'failed', revision: -1, message: '' }),
      JSON.stringify({
        kind: 'failed',
        revision: 0.5,
        message: 'x'.repeat(nodeStreamLimits.failureMessageMax + 1),
      }),
      `{"kind":"failed","revision":0,"message":"\\u0000\\ud800"}`,
      JSON.stringify({ kind: 'observed', tunnels: Array.from({ length: 10_000 }, () => 'x'.repeat(100)) }),
    ];
  }

  #id(): string {
    return this.#pick([...this.#known.peers, ...this.#known.networks, crypto.randomUUID()]);
  }
  #virtualIp(): string {
    return this.#pick([...this.#known.virtualIps, this.#id()]);
  }
  #key(): string {
    const made = Buffer.from(Array.from({ length: 32 }, () => Math.floor(this.#random() * 256))).toString(
      'base64',
    );
    return this.#pick([...this.#known.keys, made]);
  }
  #hash(): string {
    return this.#pick([this.#known.hash, '0'.repeat(32), 'f'.repeat(32)]);
  }
  #count(): number {
    return this.#pick([0, 1, this.#known.revision, 2 ** 31, textsLimits.countMax]);
  }
  #text(lengthMax: number): string {
    return this.#pick([
      '',
      'ok',
      'x'.repeat(lengthMax),
      '忽略以前的说明'.repeat(lengthMax).slice(0, lengthMax),
    ]);
  }
  #coin(): boolean {
    return this.#random() < 0.5;
  }
  /** Most are short; now and then one is as long as it may be. */
  #list<T>(lengthMax: number, make: () => T): T[] {
    const length = this.#random() < 0.02 ? lengthMax : Math.floor(this.#random() * Math.min(lengthMax, 20));
    return Array.from({ length }, make);
  }
  #pick<T>(from: readonly T[]): T {
    const one = from[Math.floor(this.#random() * from.length)];
    if (one === undefined) throw new Error('nothing to choose from');
    return one;
  }
}
