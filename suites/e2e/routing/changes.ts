// Random changes of the routing lab: what each asks of the platform, and what is declared after it. Drawn from a seed.
import { routingActions } from '@powernode/core/actions/routing';
import { sdwanActions } from '@powernode/core/actions/sdwan';
import { subnetActions } from '@powernode/core/actions/subnets';
import type { PolicyStatement } from '@powernode/core/intent/route-policy';
import type { Call } from '../../../packages/lab/fleet/api.ts';
import type { Chance } from '../../stage/random.ts';
import { type Declared, hasTie, lans, type Policy, type State } from './model.ts';
import { edges, hubs } from './routed-lab.ts';

/** As a preview, or carried out. */
export type Manner = { readonly dry_run: true } | { readonly approve: true };

export interface Change {
  readonly kind: ChangeKind;
  /** For people. */
  readonly text: string;
  /** One after the other. The answer to the last one makes the state. */
  readonly steps: readonly ((manner: Manner) => Promise<unknown>)[];
  readonly after: (answer: unknown) => State;
}

export const changeKinds = [
  'policy created',
  'policy changed',
  'policy deleted',
  'prefix added',
  'prefix removed',
  'shared LAN moved',
  'LAN withdrawn',
  'LAN declared',
  'peer detached',
  'peer attached',
  'direct paths switched',
  'AS number changed',
] as const;
export type ChangeKind = (typeof changeKinds)[number];

/** What names stand for. */
export interface World {
  readonly call: Call;
  readonly networkId: string;
  /** A peer that comes back has its id of before. */
  readonly peerIds: ReadonlyMap<string, string>;
  readonly instanceIds: ReadonlyMap<string, string>;
}

const policiesMax = 6;
const extraPrefixesMax = 6;
const singleLans = lans.filter(({ name }) => name !== 'nagoya');
const shared = lans
  .filter(({ name }) => name === 'nagoya')
  .flatMap(({ prefixes }) => Object.values(prefixes));
const known = new Set(lans.flatMap(({ prefixes }) => Object.values(prefixes)));

export class Draw {
  readonly #chance: Chance;
  readonly #world: World;
  #count = 0;

  constructor(chance: Chance, world: World) {
    // The generator's first number is near one for every small seed.
    chance.next();
    this.#chance = chance;
    this.#world = world;
  }

  /** A change that can be made in this state, and whose outcome the model knows. */
  next(state: State): Change {
    this.#count++;
    for (;;) {
      const change = this.#of(this.#kind(state), state);
      if (change !== null) return change;
    }
  }

  #kind(state: State): ChangeKind {
    const isWhole = this.#detached(state) === null;
    const hasPolicy = state.policies.length > 0;
    return this.#chance.weighted({
      'policy created': state.policies.length < policiesMax ? 4 : 0,
      'policy changed': hasPolicy ? 3 : 0,
      'policy deleted': hasPolicy ? 3 : 0,
      'prefix added': 3,
      'prefix removed': 2,
      'shared LAN moved': 4,
      'LAN withdrawn': 2,
      'LAN declared': 3,
      'peer detached': isWhole ? 1.5 : 0,
      'peer attached': isWhole ? 0 : 5,
      'direct paths switched': 1,
      'AS number changed': 0.4,
    });
  }

  #of(kind: ChangeKind, state: State): Change | null {
    switch (kind) {
      case 'policy created':
        return this.#createPolicy(state);
      case 'policy changed':
        return this.#changePolicy(state);
      case 'policy deleted':
        return this.#deletePolicy(state);
      case 'prefix added':
        return this.#addPrefix(state);
      case 'prefix removed':
        return this.#removePrefix(state);
      case 'shared LAN moved':
        return this.#moveShared(state);
      case 'LAN withdrawn':
        return this.#withdraw(state);
      case 'LAN declared':
        return this.#declareAgain(state);
      case 'peer detached':
        return this.#detach(state);
      case 'peer attached':
        return this.#attach(state);
      case 'direct paths switched':
        return this.#switchDirectPaths(state);
      case 'AS number changed':
        return this.#changeAsNumber(state);
    }
  }

  #detached(state: State): string | null {
    return [...hubs, ...edges].find((name) => !state.attached.has(name)) ?? null;
  }

  #attachedEdge(state: State): string {
    return this.#chance.oneOf(edges.filter((edge) => state.attached.has(edge))) ?? '';
  }

  #drawStatement(state: State): Pick<Policy, 'match' | 'set' | 'action'> {
    const prefix = this.#chance.oneOf([...shared, ...shared, ...known]) ?? '';
    const announcers = edges.filter(
      (edge) => state.attached.has(edge) && state.declared.get(edge)?.some((one) => one.prefix === prefix),
    );
    const peer = this.#chance.next() < 0.8 ? this.#chance.oneOf(announcers) : null;
    const match = { prefix, ...(peer === null ? {} : { peer }) };
    const set = this.#chance.weighted({ prefer: 5, mark: 4, deny: 1 });
    if (set === 'deny') return { match, set: {}, action: 'deny' };
    if (set === 'prefer')
      return { match, set: { local_pref: 101 + this.#chance.below(300) }, action: 'permit' };
    const number = this.#chance.below(1000);
    const mark = this.#chance.next() < 0.5 ? { med: number } : { community: `65000:${number}` };
    return { match, set: mark, action: 'permit' };
  }

  /** As the action takes it. */
  #statements({ match, set, action }: Pick<Policy, 'match' | 'set' | 'action'>): PolicyStatement[] {
    const { prefix, peer } = match;
    const id = peer === undefined ? {} : { peer: this.#world.peerIds.get(peer) ?? '' };
    return [{ seq: 10, match: { prefix, ...id }, set, action }];
  }

  #createPolicy(state: State): Change | null {
    const { call, networkId } = this.#world;
    const direction = this.#chance.oneOf(['import', 'export'] as const) ?? 'import';
    const drawn = { name: `policy ${this.#count}`, direction, ...this.#drawStatement(state) };
    const withId = (id: string): State => ({ ...state, policies: [...state.policies, { id, ...drawn }] });
    if (hasTie(withId(''))) return null;
    return {
      kind: 'policy created',
      text: textOf(drawn),
      steps: [
        (manner) =>
          call(routingActions.createRoutePolicy, {
            ...{ network_id: networkId, name: drawn.name, direction, ...manner },
            statements: this.#statements(drawn),
          }),
      ],
      after: (answer) => withId((answer as { route_policy: { id: string } }).route_policy.id),
    };
  }

  #changePolicy(state: State): Change | null {
    const before = this.#chance.oneOf(state.policies);
    if (before === null) return null;
    const drawn = { ...before, ...this.#drawStatement(state) };
    const policies = state.policies.map((one) => (one === before ? drawn : one));
    const after = { ...state, policies };
    if (hasTie(after)) return null;
    return {
      kind: 'policy changed',
      text: textOf(drawn),
      steps: [
        (manner) =>
          this.#world.call(routingActions.updateRoutePolicy, {
            route_policy_id: before.id,
            statements: this.#statements(drawn),
            ...manner,
          }),
      ],
      after: () => after,
    };
  }

  #deletePolicy(state: State): Change | null {
    const before = this.#chance.oneOf(state.policies);
    const after = { ...state, policies: state.policies.filter((one) => one !== before) };
    if (before === null || hasTie(after)) return null;
    return {
      kind: 'policy deleted',
      text: before.name,
      steps: [
        (manner) =>
          this.#world.call(routingActions.deleteRoutePolicy, { route_policy_id: before.id, ...manner }),
      ],
      after: () => after,
    };
  }

  /** Other lists behind edges. */
  #declare(
    state: State,
    kind: ChangeKind,
    lists: Readonly<Record<string, readonly Declared[]>>,
    text: string,
  ): Change | null {
    const declared = new Map([...state.declared, ...Object.entries(lists)]);
    const after = { ...state, declared };
    if (hasTie(after) || Object.keys(lists).some((edge) => !state.attached.has(edge))) return null;
    const steps = Object.entries(lists).map(([edge, list]) => this.#declaring(edge, list));
    return { kind, text, steps, after: () => after };
  }

  #declaring(edge: string, list: readonly Declared[]): Change['steps'][number] {
    return (manner) =>
      this.#world.call(subnetActions.declareLanSubnets, {
        ...{ peer_id: this.#world.peerIds.get(edge) ?? '', ...manner },
        subnets: list.map((one) => ({ ...one })),
      });
  }

  #addPrefix(state: State): Change | null {
    const edge = this.#attachedEdge(state);
    const list = state.declared.get(edge) ?? [];
    if (list.filter(({ prefix }) => !known.has(prefix)).length >= extraPrefixesMax) return null;
    const number = this.#count % 250;
    const prefix = this.#chance.next() < 0.5 ? `10.99.${number}.0/24` : `fd00:99:${number}::/64`;
    if ([...state.declared.values()].flat().some((one) => one.prefix === prefix)) return null;
    const added = { prefix, preference: 100 + this.#chance.below(100), source_nat: false };
    return this.#declare(state, 'prefix added', { [edge]: [...list, added] }, `${prefix} behind ${edge}`);
  }

  #removePrefix(state: State): Change | null {
    const edge = this.#attachedEdge(state);
    const list = state.declared.get(edge) ?? [];
    const gone = this.#chance.oneOf(list.filter(({ prefix }) => !known.has(prefix)));
    if (gone === null) return null;
    const rest = list.filter((one) => one !== gone);
    return this.#declare(state, 'prefix removed', { [edge]: rest }, `${gone.prefix} behind ${edge}`);
  }

  /** One of its two edges has another preference for it, or no longer declares it, or does again. */
  #moveShared(state: State): Change | null {
    const edge = this.#chance.oneOf(['edge4', 'edge5']) ?? '';
    const others = (state.declared.get(edge) ?? []).filter(({ prefix }) => !shared.includes(prefix));
    const isWithdrawn = this.#chance.next() < 0.3;
    const preference = 100 + this.#chance.below(200);
    const list = isWithdrawn ? [] : shared.map((prefix) => ({ prefix, preference, source_nat: true }));
    const how = isWithdrawn ? 'withdrawn' : `preference ${preference}`;
    return this.#declare(state, 'shared LAN moved', { [edge]: [...others, ...list] }, `${edge}: ${how}`);
  }

  #withdraw(state: State): Change | null {
    const lan = this.#chance.oneOf(singleLans);
    if (lan === null) return null;
    const prefixes = Object.values(lan.prefixes);
    const list = state.declared.get(lan.gateway) ?? [];
    const rest = list.filter(({ prefix }) => !prefixes.includes(prefix));
    if (rest.length === list.length) return null;
    return this.#declare(state, 'LAN withdrawn', { [lan.gateway]: rest }, lan.name);
  }

  #declareAgain(state: State): Change | null {
    const lan = this.#chance.oneOf(
      singleLans.filter(
        ({ gateway, prefixes }) =>
          state.declared.get(gateway)?.some(({ prefix }) => prefix === prefixes[4]) === false,
      ),
    );
    if (lan === null) return null;
    const added = Object.values(lan.prefixes).map((prefix) => ({
      prefix,
      preference: 100,
      source_nat: false,
    }));
    const list = [...(state.declared.get(lan.gateway) ?? []), ...added];
    return this.#declare(state, 'LAN declared', { [lan.gateway]: list }, lan.name);
  }

  #detach(state: State): Change | null {
    const name = this.#chance.oneOf([...hubs, ...edges]) ?? '';
    const attached = new Set(state.attached);
    attached.delete(name);
    const peerId = this.#world.peerIds.get(name) ?? '';
    return {
      kind: 'peer detached',
      text: name,
      steps: [(manner) => this.#world.call(sdwanActions.detachPeer, { peer_id: peerId, ...manner })],
      after: () => ({ ...state, attached }),
    };
  }

  /** As the same peer, with the LANs that it had. */
  #attach(state: State): Change | null {
    const name = this.#detached(state);
    if (name === null) return null;
    const { call, networkId, instanceIds } = this.#world;
    const list = state.declared.get(name) ?? [];
    return {
      kind: 'peer attached',
      text: name,
      steps: [
        (manner) =>
          call(sdwanActions.attachPeer, {
            ...{ network_id: networkId, node_instance_id: instanceIds.get(name) ?? '' },
            ...{ publicly_reachable: hubs.some((hub) => hub === name), ...manner },
          }),
        ...(list.length === 0 ? [] : [this.#declaring(name, list)]),
      ],
      after: () => ({ ...state, attached: new Set([...state.attached, name]) }),
    };
  }

  #switchDirectPaths(state: State): Change {
    const directPaths = !state.directPaths;
    return {
      kind: 'direct paths switched',
      text: directPaths ? 'on' : 'off',
      steps: [
        (manner) =>
          this.#world.call(sdwanActions.updateNetwork, {
            ...{ network_id: this.#world.networkId, direct_paths: directPaths, ...manner },
          }),
      ],
      after: () => ({ ...state, directPaths }),
    };
  }

  #changeAsNumber(state: State): Change {
    const asNumber = 64_600 + this.#chance.below(900);
    return {
      kind: 'AS number changed',
      text: String(asNumber),
      steps: [
        (manner) =>
          this.#world.call(routingActions.updateAccountAsNumber, { as_number: asNumber, ...manner }),
      ],
      after: () => ({ ...state, asNumber }),
    };
  }
}

function textOf({ name, direction, match, set, action }: Omit<Policy, 'id'>): string {
  const where = `${match.prefix}${match.peer === undefined ? '' : ` of ${match.peer}`}`;
  return `${name}, ${direction}: ${where} ${action} ${JSON.stringify(set)}`;
}
