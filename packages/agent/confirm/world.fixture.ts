// Test support: a machine whose document decides whether it reaches its platform and its hub, with everything else that
// can go wrong meanwhile: a dead platform, a pulled cable, a dead hub, an agent that is killed. Time is a fake clock's.
import { addDigests, entryDigest, formatDigest, subtractDigests } from '@powernode/core/compile/digest';
import { withLength } from '@powernode/core/net/address';
import { contains, parsePrefix } from '@powernode/core/net/prefix';
import { type EntryValue, entryKey } from '@powernode/core/wire/document';
import { NodeDocument } from '@powernode/core/wire/node-document';
import { pino } from 'pino';
import { addressOf, leaf, networkId, peerOf, route, transit } from '../fixtures/documents.ts';
import type { FoundProblem } from '../observe/problems.ts';
import { PathIndex } from '../plan/path-index.ts';
import { FakeClock } from '../ports/clock.fixture.ts';
import type { PathState } from '../probe/path-state.ts';
import { CurrentDocument, type Held } from '../state/current-document.ts';
import type { StateFolder } from '../state/folder.ts';
import { ChangeGuard } from './guard.ts';
import type { PathFinding } from './trial.ts';

export const platformAddress = '192.0.2.1';
export const hubAddress = '192.0.2.2';
const ownKey = Buffer.alloc(32, 1).toString('base64');
const hubKey = Buffer.alloc(32, 2).toString('base64');
export const hubPeer = (address = hubAddress): EntryValue =>
  peerOf({
    interface: 'wg-test-1',
    number: 1,
    publicKey: hubKey,
    endpoint: `${address}:51820`,
    allowedIps: ['::/0', '0.0.0.0/0'],
  });

export const ownLeaf = (change: object = {}): EntryValue => ({ ...leaf(2, ownKey), ...change });
export const ipv4PrefixOf = (prefix: string): EntryValue => route(prefix, 'wg-test-1');

/** A spoke of one hub. */
export const connected: readonly EntryValue[] = [
  ownLeaf(),
  transit(2, 1, ownKey),
  hubPeer(),
  route('fd00:99::/64', 'wg-test-1'),
  route(`${addressOf(1)}/128`, 'wg-test-1'),
  {
    kind: 'firewall',
    network_id: networkId,
    handle: 'test',
    prefixes: ['fd00:99::/64'],
    default_policy: 'accept',
    rematch: false,
  },
];

/** A stream whose pings are answered when the platform hears them. */
class FakeStream {
  isOpen = true;
  heardAtMs = 0;
  readonly remote = { address: platformAddress, port: 7443 };
  readonly #parts: { readonly hears: () => boolean; readonly nowMs: () => number };

  constructor(parts: { readonly hears: () => boolean; readonly nowMs: () => number }) {
    this.#parts = parts;
  }

  ping(): void {
    if (this.#parts.hears()) this.heardAtMs = this.#parts.nowMs();
  }

  restart(): void {
    this.isOpen = false;
  }
}

/** Every path is that to the one hub. */
class FakePaths {
  readonly #of: () => PathState;

  constructor(of: () => PathState) {
    this.#of = of;
  }

  get health() {
    return { of: () => this.#of() };
  }

  get isAnyHeard(): boolean {
    return this.#of() === 'alive';
  }
}

export class World {
  readonly clock = new FakeClock();
  readonly #folder: StateFolder;
  #held: CurrentDocument;
  #index = new PathIndex();
  #guard: ChangeGuard;
  #effective: Held | null = null;
  readonly #stream = new FakeStream({
    hears: () => this.isPlatformUp && this.leads(platformAddress),
    nowMs: () => this.clock.monotonicMs(),
  });
  readonly #paths = new FakePaths(() => this.#pathOf());
  isPlatformUp = true;
  /** The platform's machine, which refuses connections while the platform is down. */
  isPlatformMachineUp = true;
  isCableIn = true;
  isHubUp = true;
  problems: readonly FoundProblem[] = [];
  /** How often something was taken back. */
  rolledBack = 0;
  #revision = 0;

  constructor(folder: StateFolder) {
    this.#folder = folder;
    this.#held = new CurrentDocument(folder);
    this.#guard = this.#newGuard();
  }

  /** Takes the first document and waits until it is confirmed. */
  async begin(): Promise<void> {
    this.#guard.start();
    this.deliver([...connected]);
    await this.run(50);
  }

  get effective(): ReadonlyMap<string, EntryValue> {
    return this.#effective?.entries ?? new Map();
  }

  get wanted(): ReadonlyMap<string, EntryValue> {
    return this.#held.current?.entries ?? new Map();
  }

  get isOpen(): boolean {
    return this.#stream.isOpen;
  }

  /** Whether packets to an address leave the machine by its cable. */
  leads(address: string): boolean {
    return this.isCableIn && !this.captures(address);
  }

  captures(address: string): boolean {
    const host = parsePrefix(withLength(address));
    for (const entry of this.effective.values()) {
      const blocks =
        entry.kind === 'route' ? [entry.destination] : entry.kind === 'interface' ? entry.addresses : [];
      for (const text of blocks) {
        const block = parsePrefix(text);
        if (block !== null && host !== null && contains(block, host)) return true;
      }
    }
    return false;
  }

  /** As the platform would: only when the stream is open and leads there. */
  deliver(set: readonly EntryValue[], remove: readonly string[] = []): boolean {
    if (!this.#stream.isOpen || !this.isPlatformUp || !this.leads(platformAddress)) return false;
    const current = this.#held.current;
    const entries = new Map(current?.entries);
    let digest = current === null ? 0n : BigInt(`0x${current.hash}`);
    const drop = (key: string) => {
      const old = entries.get(key);
      if (old !== undefined) digest = subtractDigests(digest, entryDigest(old));
      entries.delete(key);
    };
    for (const key of remove) drop(key);
    for (const value of set) {
      drop(entryKey(value));
      entries.set(entryKey(value), value);
      digest = addDigests(digest, entryDigest(value));
    }
    const revision = ++this.#revision;
    const hash = formatDigest(digest);
    const message =
      current === null
        ? { kind: 'document' as const, revision, hash, entries: [...entries.values()] }
        : {
            kind: 'delta' as const,
            base: current.revision,
            revision,
            hash,
            set: [...set],
            remove: [...remove],
          };
    this.#stream.heardAtMs = this.clock.monotonicMs();
    const accepted = this.#guard.around(message, () =>
      message.kind === 'document' ? this.#held.acceptDocument(message) : this.#held.applyDelta(message),
    );
    if (accepted.kind !== 'changed')
      throw new Error(`the document was not accepted: ${JSON.stringify(accepted)}`);
    this.#guard.accepted(accepted.held);
    this.#apply();
    return true;
  }

  /** The agent is killed, and another one starts after a moment. */
  async kill(): Promise<void> {
    this.#guard.stop();
    this.#stream.isOpen = false;
    this.#stream.heardAtMs = 0;
    await this.clock.advance(1000);
    this.#held = new CurrentDocument(this.#folder);
    this.#index = new PathIndex();
    this.#guard = this.#newGuard();
    this.#apply();
    this.#guard.start();
  }

  retry(): void {
    this.#guard.retry();
  }

  /** So many seconds. `each` is called after each of them. */
  async run(seconds: number, each: () => void = () => undefined): Promise<void> {
    for (let i = 0; i < seconds; i++) {
      await this.clock.advance(1000);
      this.#tend();
      each();
    }
  }

  stop(): void {
    this.#guard.stop();
  }

  #tend(): void {
    const isThere = this.isPlatformUp && this.leads(platformAddress);
    const nowMs = this.clock.monotonicMs();
    if (isThere && !this.#stream.isOpen) {
      this.#stream.isOpen = true;
      this.#stream.heardAtMs = nowMs;
    }
    // A process that ends closes its connections; a path that is lost does not.
    if (!this.isPlatformUp && this.leads(platformAddress)) this.#stream.isOpen = false;
    if (!isThere && nowMs - this.#stream.heardAtMs > 25_000) this.#stream.isOpen = false;
  }

  #apply(): void {
    const held = this.#held.current;
    if (held === null) return;
    this.#effective = this.#guard.effective(held);
    this.#index.update(NodeDocument.of(this.#effective.entries), 'all');
    const guard = this.#guard;
    this.clock.after(100, () => guard.applied(held.revision));
  }

  #pathOf(): PathState {
    const peer = this.effective.get(entryKey(hubPeer()));
    const isRight = peer?.kind === 'peer' && peer.endpoint === `${hubAddress}:51820`;
    return isRight && this.isHubUp && this.leads(hubAddress) ? 'alive' : 'dead';
  }

  #newGuard(): ChangeGuard {
    return new ChangeGuard({
      clock: this.clock,
      folder: this.#folder,
      log: pino({ level: 'silent' }),
      outside: {
        isCaptured: async (address) => this.captures(address),
        pathTo: async ({ address }): Promise<PathFinding> => {
          if (this.captures(address)) return 'captured';
          return this.isCableIn && this.isPlatformMachineUp ? 'answers' : 'silent';
        },
      },
      stream: this.#stream,
      paths: this.#paths,
      index: this.#index,
      held: () => this.#held.current,
      apply: () => this.#apply(),
      report: (problems) => {
        if (problems.length > 0 && this.problems.length === 0) this.rolledBack++;
        this.problems = problems;
      },
    });
  }
}
