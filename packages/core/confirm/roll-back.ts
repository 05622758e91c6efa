// What a node does not apply of its document after a change of it cut the node off (decision 10). It goes back to the
// document before in what leads packets; what the change took away, denied or rotated stays taken away, denied and
// rotated. Pure: when to go back is decided by the agent.
import { canonicalJson } from '../compile/digest.ts';
import { withLength } from '../net/address.ts';
import { contains, type Prefix, parsePrefix } from '../net/prefix.ts';
import type { EntryValue, PeerEntry, RuleEntry, RuleSide } from '../wire/document.ts';

export type Entries = ReadonlyMap<string, EntryValue>;

/** What the entries that a change touches were before it, by key; null: there was none. */
export type Before = ReadonlyMap<string, EntryValue | null>;

/**
 * A value of the document that is not applied. It stays so as long as the document wants this very value: another one
 * is another intent, and is applied.
 */
export interface Reverted {
  readonly key: string;
  /** null: the entry as a whole. */
  readonly field: string | null;
  /** The value in canonical JSON; null: that there is no such entry. */
  readonly rejected: string | null;
  /** What is applied instead; null for a whole entry: none. */
  readonly instead: unknown;
  /** Another value that has to be wanted as well; null: none. */
  readonly along: Pick<Reverted, 'key' | 'field' | 'rejected'> | null;
}

/** What of the change from `before` to `current` is taken back. */
export function rollBack(before: Before, current: Entries): Reverted[] {
  const blocks = new Blocks(before, current);
  return [...before].flatMap(([key, was]) => {
    const is = current.get(key) ?? null;
    if (was === null) return is === null ? [] : takeBackAdded(key, is, { before, current, blocks });
    if (is === null) return takeBackRemoved(key, was, blocks);
    return takeBackChanged(key, { was, is }, blocks);
  });
}

interface Around {
  readonly before: Before;
  readonly current: Entries;
  readonly blocks: Blocks;
}

function takeBackAdded(key: string, is: EntryValue, around: Around): Reverted[] {
  const whole: Reverted = { key, field: null, rejected: canonicalJson(is), instead: null, along: null };
  switch (is.kind) {
    case 'interface':
    case 'route':
    case 'forwarding':
    case 'port_mapping':
    case 'subnet':
    case 'lan':
      return [whole];
    case 'peer': {
      const old = sameEnd(is, around);
      return old === null ? [whole] : peerFields(key, { was: old, is }, around.blocks);
    }
    case 'virtual_ip':
      return withoutIntroduced(key, { field: 'addresses', list: is.addresses, of: is }, around.blocks);
    case 'anycast':
      return withoutIntroduced(key, { field: 'destinations', list: is.destinations, of: is }, around.blocks);
    default:
      return [];
  }
}

/** The entry of the same peer under the key that it had before: then this one is a rotation, which stays. */
function sameEnd(is: PeerEntry, { before, current }: Around): PeerEntry | null {
  for (const [key, was] of before) {
    if (was?.kind !== 'peer' || current.has(key)) continue;
    if (was.peer_id === is.peer_id && was.interface === is.interface) return was;
  }
  return null;
}

/** What was taken away stays away, but for routes into a block that the network had before. */
function takeBackRemoved(key: string, was: EntryValue, blocks: Blocks): Reverted[] {
  if (was.kind !== 'route' || !blocks.isDropped(was.network_id, was.destination)) return [];
  return [{ key, field: null, rejected: null, instead: was, along: blocks.wanted(was.network_id) }];
}

interface Change<Entry extends EntryValue = EntryValue> {
  readonly was: Entry;
  readonly is: Entry;
}

function takeBackChanged(key: string, { was, is }: Change, blocks: Blocks): Reverted[] {
  if (was.kind === 'interface' && is.kind === 'interface') {
    // Another peer's or network's interface under the same name is another interface; its key may be rotated.
    const isSame = was.purpose === is.purpose && was.peer_id === is.peer_id;
    return isSame ? fields(key, { was, is }, ['listen_port', 'mtu', 'addresses', 'probe_addresses']) : [];
  }
  if (was.kind === 'peer' && is.kind === 'peer') return peerFields(key, { was, is }, blocks);
  if (was.kind === 'route' && is.kind === 'route') return fields(key, { was, is }, ['via']);
  if (was.kind === 'port_mapping' && is.kind === 'port_mapping') {
    // Whom it lets in, and how many, is as narrow as it was made.
    const leading = [
      'external_address',
      'external_port',
      'protocol',
      'target_address',
      'target_port',
    ] as const;
    return fields(key, { was, is }, [...leading, 'source_address']);
  }
  if (was.kind === 'virtual_ip' && is.kind === 'virtual_ip') {
    return mergedField(key, { field: 'addresses', was: was.addresses, is: is.addresses }, blocks.of(is));
  }
  if (was.kind === 'anycast' && is.kind === 'anycast') {
    return mergedField(
      key,
      { field: 'destinations', was: was.destinations, is: is.destinations },
      blocks.of(is),
    );
  }
  return keptByRules(key, { was, is }, blocks);
}

/** Policy stays as it was made; addresses that come back are those of the same peers and are judged like the others. */
function keptByRules(key: string, { was, is }: Change, blocks: Blocks): Reverted[] {
  if (was.kind === 'firewall' && is.kind === 'firewall') {
    return added(key, 'prefixes', { is: is.prefixes, more: was.prefixes });
  }
  if ((was.kind === 'member' && is.kind === 'member') || (was.kind === 'device' && is.kind === 'device')) {
    return added(key, 'addresses', {
      is: is.addresses,
      more: blocks.droppedOf(is.network_id, was.addresses),
    });
  }
  if (was.kind === 'rule' && is.kind === 'rule') {
    return (['from', 'to'] as const).flatMap((field) => sideField(key, field, { was, is }, blocks));
  }
  return [];
}

function sideField(
  key: string,
  field: 'from' | 'to',
  { was, is }: Change<RuleEntry>,
  blocks: Blocks,
): Reverted[] {
  const [old, now]: RuleSide[] = [was[field], is[field]];
  if (old?.kind !== 'host' || now?.kind !== 'host' || old.addresses[0] !== now.addresses[0]) return [];
  const more = blocks.droppedOf(is.network_id, old.addresses).filter((one) => !now.addresses.includes(one));
  if (more.length === 0) return [];
  const instead: RuleSide = { kind: 'host', addresses: [...now.addresses, ...more] };
  return [{ key, field, rejected: canonicalJson(now), instead, along: null }];
}

function added(
  key: string,
  field: string,
  { is, more }: { readonly is: readonly string[]; readonly more: readonly string[] },
): Reverted[] {
  const missing = more.filter((one) => !is.includes(one));
  if (missing.length === 0) return [];
  return [{ key, field, rejected: canonicalJson(is), instead: [...is, ...missing], along: null }];
}

function peerFields(key: string, { was, is }: Change<PeerEntry>, blocks: Blocks): Reverted[] {
  const allowed = { field: 'allowed_ips', was: was.allowed_ips, is: is.allowed_ips };
  return [
    ...fields(key, { was, is }, ['endpoint', 'fallback_endpoints', 'keepalive']),
    ...mergedField(key, allowed, blocks.ofInterface(is.interface)),
  ];
}

function fields<Entry extends EntryValue>(
  key: string,
  { was, is }: Change<Entry>,
  names: readonly (keyof Entry & string)[],
): Reverted[] {
  return names.flatMap((field): Reverted[] => {
    const rejected = canonicalJson(is[field] ?? null);
    const instead = was[field] ?? null;
    if (canonicalJson(instead) === rejected) return [];
    return [{ key, field, rejected, instead, along: null }];
  });
}

/**
 * Of a list of addresses: what was taken off it stays off, unless the whole block went; what was put on it stays on when
 * it is in a block that the network has before and after.
 */
function mergedField(
  key: string,
  {
    field,
    was,
    is,
  }: { readonly field: string; readonly was: readonly string[]; readonly is: readonly string[] },
  blocks: NetworkBlocks,
): Reverted[] {
  const kept = was.filter((one) => is.includes(one) || blocks.isDropped(one));
  const more = is.filter((one) => !was.includes(one) && blocks.isCommon(one));
  const instead = [...kept, ...more];
  const rejected = canonicalJson(is);
  return canonicalJson(instead) === rejected ? [] : [{ key, field, rejected, instead, along: null }];
}

function withoutIntroduced(
  key: string,
  { field, list, of }: { readonly field: string; readonly list: readonly string[]; readonly of: EntryValue },
  blocks: Blocks,
): Reverted[] {
  const instead = list.filter((one) => blocks.of(of).isCommon(one));
  if (instead.length === list.length) return [];
  if (instead.length === 0)
    return [{ key, field: null, rejected: canonicalJson(of), instead: null, along: null }];
  return [{ key, field, rejected: canonicalJson(list), instead, along: null }];
}

/** The blocks of one network: those that it has before and after the change, and those that it had only before. */
class NetworkBlocks {
  readonly #common: readonly Prefix[];
  readonly #dropped: readonly Prefix[];

  constructor(was: readonly string[], is: readonly string[]) {
    const parsed = (texts: readonly string[]) => texts.flatMap((text) => parsePrefix(text) ?? []);
    this.#common = parsed(was.filter((one) => is.includes(one)));
    this.#dropped = parsed(was.filter((one) => !is.includes(one)));
  }

  isCommon(text: string): boolean {
    return isIn(this.#common, text);
  }

  isDropped(text: string): boolean {
    return isIn(this.#dropped, text);
  }
}

function isIn(blocks: readonly Prefix[], text: string): boolean {
  if (blocks.length === 0) return false;
  const prefix = parsePrefix(text.includes('/') ? text : withLength(text));
  return prefix !== null && blocks.some((block) => contains(block, prefix));
}

class Blocks {
  readonly #networks = new Map<string, NetworkBlocks>();
  readonly #interfaces = new Map<string, string>();
  readonly #wanted = new Map<string, NonNullable<Reverted['along']>>();

  constructor(before: Before, current: Entries) {
    for (const [key, entry] of current) {
      if (entry.kind === 'interface') this.#interfaces.set(entry.name, entry.network_id);
      if (entry.kind !== 'firewall') continue;
      const rejected = canonicalJson(entry.prefixes);
      this.#wanted.set(entry.network_id, { key, field: 'prefixes', rejected });
      const was = before.get(key);
      const prefixes = was === undefined ? entry.prefixes : was?.kind === 'firewall' ? was.prefixes : [];
      this.#networks.set(entry.network_id, new NetworkBlocks(prefixes, entry.prefixes));
    }
  }

  /** The blocks that the document wants for a network now. */
  wanted(networkId: string): Reverted['along'] {
    return this.#wanted.get(networkId) ?? null;
  }

  of(entry: EntryValue): NetworkBlocks {
    return this.#network('network_id' in entry ? entry.network_id : '');
  }

  ofInterface(name: string): NetworkBlocks {
    return this.#network(this.#interfaces.get(name) ?? '');
  }

  isDropped(networkId: string, text: string): boolean {
    return this.#network(networkId).isDropped(text);
  }

  droppedOf(networkId: string, texts: readonly string[]): string[] {
    return texts.filter((one) => this.isDropped(networkId, one));
  }

  #network(id: string): NetworkBlocks {
    return this.#networks.get(id) ?? new NetworkBlocks([], []);
  }
}

/** Whether the document still wants what was taken back. */
export function isReverted(one: Reverted, entries: Entries): boolean {
  return isWanted(one, entries) && (one.along === null || isWanted(one.along, entries));
}

function isWanted(
  { key, field, rejected }: Pick<Reverted, 'key' | 'field' | 'rejected'>,
  entries: Entries,
): boolean {
  const is = entries.get(key);
  if (is === undefined) return rejected === null;
  if (rejected === null) return false;
  return canonicalJson(field === null ? is : valueOf(is, field)) === rejected;
}

function valueOf(entry: EntryValue, field: string): unknown {
  return new Map<string, unknown>(Object.entries(entry)).get(field) ?? null;
}

/** Fields that are left out where they have no value; all others are null then. */
const optionalFields: ReadonlySet<string> = new Set(['fallback_endpoints']);

function withField(entry: EntryValue, field: string, value: unknown): EntryValue {
  const others = Object.entries(entry).filter(([name]) => name !== field);
  const own = value === null && optionalFields.has(field) ? [] : [[field, value] as const];
  return Object.fromEntries([...others, ...own]) as EntryValue;
}

/** The document without what was taken back, and without what can only be with it. */
export function effectiveEntries(entries: Entries, reverted: readonly Reverted[]): Entries {
  const active = reverted.filter((one) => isReverted(one, entries));
  if (active.length === 0) return entries;
  const effective = new Map(entries);
  for (const { key, field, instead } of active) {
    const is = effective.get(key);
    if (field === null) {
      if (instead === null) effective.delete(key);
      else effective.set(key, instead as EntryValue);
    } else if (is !== undefined) effective.set(key, withField(is, field, instead));
  }
  return whatHolds(effective);
}

/** Without entries on interfaces that are not there, and without routes that lead to nobody. */
function whatHolds(entries: ReadonlyMap<string, EntryValue>): Entries {
  const interfaces = new Set<string>();
  const peered = new Set<string>();
  for (const entry of entries.values()) {
    if (entry.kind === 'interface') interfaces.add(entry.name);
    if (entry.kind === 'peer') peered.add(entry.interface);
  }
  const holding = new Map<string, EntryValue>();
  for (const [key, entry] of entries) {
    const held = whatHoldsOf(entry, { interfaces, peered });
    if (held !== null) holding.set(key, held);
  }
  return holding;
}

interface Present {
  readonly interfaces: ReadonlySet<string>;
  readonly peered: ReadonlySet<string>;
}

function whatHoldsOf(entry: EntryValue, { interfaces, peered }: Present): EntryValue | null {
  switch (entry.kind) {
    case 'peer':
    case 'probe':
    case 'virtual_ip':
      return interfaces.has(entry.interface) ? entry : null;
    case 'route': {
      const via = entry.via.filter((name) => interfaces.has(name) && peered.has(name));
      if (via.length === entry.via.length) return entry;
      return via.length === 0 ? null : { ...entry, via };
    }
    case 'anycast':
    case 'anycast_holder': {
      const by = entry.by.filter((one) => interfaces.has(one.interface));
      if (by.length === entry.by.length) return entry;
      return by.length === 0 ? null : { ...entry, by };
    }
    default:
      return entry;
  }
}
