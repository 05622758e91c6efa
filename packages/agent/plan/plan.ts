// The plan: what differs between the document and what was seen, as steps in an order that is safe at every point
// (rules before what they guard, addresses before routes that use them). Pure; carrying out is apply/.
import type { EntryValue, InterfaceEntry, PeerEntry } from '@powernode/core/wire/document';
import { planPeers } from './peers.ts';
import { planRoutes } from './route-plan.ts';
import { isLoaded, rulesetIntentOf, rulesetOf } from './ruleset.ts';
import type { Seen, SeenInterface } from './seen.ts';
import type { Step } from './step.ts';

/** Which entries may differ: their keys, or all of them. Whatever is not in it is neither looked at nor touched. */
export type Scope = ReadonlySet<string> | 'all';

export interface PlanInput {
  readonly entries: ReadonlyMap<string, EntryValue>;
  readonly seen: Seen;
  readonly scope: Scope;
  /** For each destination of a route entry the interface that it is to go through; null: left out for now. */
  readonly choices: ReadonlyMap<string, string | null>;
  /** The agent switched forwarding on and remembers how it was before. */
  readonly forwardingHeld: boolean;
  /** The endpoint last written for a peer, by its key. Absent: not known. */
  readonly writtenEndpoints: ReadonlyMap<string, string>;
  readonly nowMs: number;
}

export interface Plan {
  readonly steps: readonly Step[];
  /** What cannot be done, for people; the rest can. */
  readonly problems: readonly string[];
}

export function makePlan(input: PlanInput): Plan {
  const problems: string[] = [];
  const interfaces = planInterfaces(input, problems);
  const rebuilt = new Set<string>();
  for (const step of interfaces) {
    if (step.kind === 'remove_interface' || step.kind === 'create_interface') rebuilt.add(step.name);
  }
  const routes =
    touches(input.scope, 'route/', 'interface/') || rebuilt.size > 0 ? planRoutes(input, rebuilt) : [];
  const forwarding = touches(input.scope, 'interface/', 'forwarding')
    ? planForwarding(input)
    : nothingToForward;
  const steps = [
    ...routes.filter((step) => step.kind === 'remove_route'),
    ...forwarding.before,
    ...interfaces.filter((step) => step.kind === 'remove_interface'),
    ...interfaces.filter((step) => step.kind !== 'remove_interface'),
    ...routes.filter((step) => step.kind !== 'remove_route'),
    ...forwarding.after,
  ];
  return { steps, problems };
}

function touches(scope: Scope, ...heads: readonly string[]): boolean {
  if (scope === 'all') return true;
  for (const key of scope) if (heads.some((head) => key.startsWith(head))) return true;
  return false;
}

function planInterfaces(input: PlanInput, problems: string[]): Step[] {
  const steps: Step[] = [];
  const peers = new PeerLookup(input.entries);
  for (const name of interfaceNames(input)) {
    const wanted = input.entries.get(`interface/${name}`);
    const seen = input.seen.interfaces.get(name);
    if (wanted?.kind === 'interface') steps.push(...planInterface({ input, wanted, seen, peers }, problems));
    else if (seen?.ours) steps.push({ kind: 'remove_interface', name });
  }
  return steps;
}

/** The interfaces that the scope names, by themselves or by a peer of theirs. */
function interfaceNames(input: PlanInput): Set<string> {
  const names = new Set<string>();
  if (input.scope === 'all') {
    for (const entry of input.entries.values()) if (entry.kind === 'interface') names.add(entry.name);
    for (const seen of input.seen.interfaces.values()) if (seen.ours) names.add(seen.name);
    return names;
  }
  for (const key of input.scope) {
    const [kind, name] = key.split('/', 2);
    if ((kind === 'interface' || kind === 'peer') && name !== undefined) names.add(name);
  }
  return names;
}

interface InterfaceCase {
  readonly input: PlanInput;
  readonly wanted: InterfaceEntry;
  readonly seen: SeenInterface | undefined;
  readonly peers: PeerLookup;
}

function planInterface(at: InterfaceCase, problems: string[]): Step[] {
  const { wanted, seen, input } = at;
  if (seen !== undefined && !seen.ours) {
    problems.push(
      `Interface ${wanted.name} exists and was not made by the agent. Rename it, or detach this machine from the network.`,
    );
    return [];
  }
  const steps: Step[] = [];
  const alive = seen !== undefined && seen.device !== null ? seen : undefined;
  if (alive === undefined) {
    if (seen !== undefined) steps.push({ kind: 'remove_interface', name: wanted.name });
    steps.push({ kind: 'create_interface', name: wanted.name });
  }
  if (alive?.prepared !== true) steps.push({ kind: 'prepare_interface', name: wanted.name });
  const device = alive?.device ?? null;
  const keyDiffers = device?.publicKey !== wanted.public_key;
  const portDiffers = wanted.listen_port !== 0 && device?.listenPort !== wanted.listen_port;
  if (keyDiffers || portDiffers) {
    const publicKey = keyDiffers ? wanted.public_key : null;
    steps.push({
      kind: 'set_device',
      name: wanted.name,
      publicKey,
      listenPort: portDiffers ? wanted.listen_port : null,
    });
  }
  const whole = input.scope === 'all' || device === null || keyDiffers;
  const keys = whole ? null : peersInScope(input.scope, wanted.name);
  steps.push(
    ...planPeers(
      {
        wanted: at.peers.of(wanted.name, keys),
        seen: device?.peers ?? new Map(),
        keys,
        renew: keyDiffers && device !== null,
      },
      { name: wanted.name, writtenEndpoints: input.writtenEndpoints, nowMs: input.nowMs, problems },
    ),
  );
  if (input.scope !== 'all' && !input.scope.has(`interface/${wanted.name}`) && alive !== undefined)
    return steps;
  return [...steps, ...planAddresses(wanted, alive)];
}

function planAddresses(wanted: InterfaceEntry, alive: SeenInterface | undefined): Step[] {
  const steps: Step[] = [];
  const name = wanted.name;
  for (const address of alive?.addresses ?? []) {
    if (!wanted.addresses.includes(address)) steps.push({ kind: 'remove_address', interface: name, address });
  }
  for (const address of wanted.addresses) {
    if (!alive?.addresses.includes(address)) steps.push({ kind: 'add_address', interface: name, address });
  }
  if (alive === undefined || !alive.up || alive.mtu !== wanted.mtu) {
    steps.push({ kind: 'set_link', name, mtu: wanted.mtu });
  }
  return steps;
}

function peersInScope(scope: ReadonlySet<string>, name: string): Set<string> {
  const head = `peer/${name}/`;
  const keys = new Set<string>();
  for (const key of scope) if (key.startsWith(head)) keys.add(key.slice(head.length));
  return keys;
}

const nothingToForward: { before: Step[]; after: Step[] } = { before: [], after: [] };

function planForwarding(input: PlanInput): { before: Step[]; after: Step[] } {
  const closedOtherwise = input.forwardingHeld || !input.seen.forwarding;
  const intent = rulesetIntentOf(input.entries.values(), closedOtherwise);
  const ruleset = rulesetOf(intent);
  const before: Step[] = [];
  const after: Step[] = [];
  if (ruleset !== null && !isLoaded(ruleset, input.seen.ruleset))
    before.push({ kind: 'set_ruleset', ruleset });
  const needed = intent.forwarding.length > 0;
  if (needed && !input.seen.forwarding) after.push({ kind: 'start_forwarding' });
  if (!needed && input.forwardingHeld) after.push({ kind: 'stop_forwarding' });
  if (ruleset === null && input.seen.ruleset !== null) after.push({ kind: 'remove_ruleset' });
  return { before, after };
}

/** The peers of the document by interface, sorted out at most once and only when somebody asks for all of them. */
class PeerLookup {
  readonly #entries: ReadonlyMap<string, EntryValue>;
  #byInterface: Map<string, Map<string, PeerEntry>> | undefined;

  constructor(entries: ReadonlyMap<string, EntryValue>) {
    this.#entries = entries;
  }

  /** Those with the public keys given, or all (null). */
  of(name: string, keys: ReadonlySet<string> | null): ReadonlyMap<string, PeerEntry> {
    if (keys === null) return this.#all().get(name) ?? new Map();
    const found = new Map<string, PeerEntry>();
    for (const key of keys) {
      const entry = this.#entries.get(`peer/${name}/${key}`);
      if (entry?.kind === 'peer') found.set(key, entry);
    }
    return found;
  }

  #all(): Map<string, Map<string, PeerEntry>> {
    if (this.#byInterface !== undefined) return this.#byInterface;
    const sorted = new Map<string, Map<string, PeerEntry>>();
    for (const entry of this.#entries.values()) {
      if (entry.kind !== 'peer') continue;
      const peers = sorted.get(entry.interface) ?? new Map<string, PeerEntry>();
      peers.set(entry.public_key, entry);
      sorted.set(entry.interface, peers);
    }
    this.#byInterface = sorted;
    return sorted;
  }
}
