// The plan: what differs between the document and what was seen, as steps in an order that is safe at every point
// (rules before what they guard, addresses before routes that use them). Pure; carrying out is apply/.
import type { EntryValue, InterfaceEntry, PeerEntry } from '@powernode/core/wire/document';
import { AddressLookup, planAddresses } from './addresses.ts';
import { asCarried, type Carried, planPeers } from './peers.ts';
import { planRoutes } from './route-plan.ts';
import type { ByFamily } from './ruleset-intent.ts';
import { planForwarding } from './ruleset-plan.ts';
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
  readonly carried: Carried;
  /** The agent switched forwarding of the family on and remembers how it was before. */
  readonly forwardingHeld: ByFamily;
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
  const forwarding = planForwarding(input);
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
  const peers = new PeerLookup(input);
  const addresses = new AddressLookup(input.entries);
  for (const name of interfaceNames(input)) {
    const wanted = input.entries.get(`interface/${name}`);
    const seen = input.seen.interfaces.get(name);
    if (wanted?.kind === 'interface')
      steps.push(...planInterface({ input, wanted, seen, peers, addresses }, problems));
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
  // A virtual address that is gone does not say any more where it was; what one interface has, others may have too.
  if (touches(input.scope, 'interface/', 'virtual_ip/')) {
    for (const one of input.seen.interfaces.values()) if (one.ours) names.add(one.name);
  }
  return names;
}

interface InterfaceCase {
  readonly input: PlanInput;
  readonly wanted: InterfaceEntry;
  readonly seen: SeenInterface | undefined;
  readonly peers: PeerLookup;
  readonly addresses: AddressLookup;
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
  if (alive !== undefined && !touches(input.scope, 'interface/', 'virtual_ip/')) return steps;
  return [...steps, ...planAddresses(wanted, alive, at.addresses)];
}

function peersInScope(scope: ReadonlySet<string>, name: string): Set<string> {
  const head = `peer/${name}/`;
  const keys = new Set<string>();
  for (const key of scope) if (key.startsWith(head)) keys.add(key.slice(head.length));
  return keys;
}

/** The peers of the document by interface, sorted out at most once and only when somebody asks for all of them. */
class PeerLookup {
  readonly #entries: ReadonlyMap<string, EntryValue>;
  readonly #carried: PlanInput['carried'];
  #byInterface: Map<string, Map<string, PeerEntry>> | undefined;

  constructor({ entries, carried }: Pick<PlanInput, 'entries' | 'carried'>) {
    this.#entries = entries;
    this.#carried = carried;
  }

  /** Those with the public keys given, or all (null). */
  of(name: string, keys: ReadonlySet<string> | null): ReadonlyMap<string, PeerEntry> {
    if (keys === null) return this.#all().get(name) ?? new Map();
    const found = new Map<string, PeerEntry>();
    for (const key of keys) {
      const entry = this.#entries.get(`peer/${name}/${key}`);
      if (entry?.kind === 'peer') found.set(key, asCarried(entry, this.#carried));
    }
    return found;
  }

  #all(): Map<string, Map<string, PeerEntry>> {
    if (this.#byInterface !== undefined) return this.#byInterface;
    const sorted = new Map<string, Map<string, PeerEntry>>();
    for (const entry of this.#entries.values()) {
      if (entry.kind !== 'peer') continue;
      const peers = sorted.get(entry.interface) ?? new Map<string, PeerEntry>();
      peers.set(entry.public_key, asCarried(entry, this.#carried));
      sorted.set(entry.interface, peers);
    }
    this.#byInterface = sorted;
    return sorted;
  }
}
