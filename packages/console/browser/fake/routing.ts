// What the fake platform knows of routing: routes, sessions, route policies, and what changes do to them. It decides by a
// few plain rules of its own: a statement matches exactly its prefix and its peer, and sets a local preference.
import { ProductError } from '@powernode/core/errors';
import type { BgpSession, ExplainedPathShown, RouteChangeShown } from '@powernode/core/intent/bgp';
import type { RoutePolicy } from '@powernode/core/intent/route-policy';
import { find, type Input, newId, type Prepare, refuseStale, remove, type Shown } from './prepared.ts';
import { ago, type Network, type Peer, replace, stored, type World } from './world.ts';

type Reader = (world: World, input: Input) => Shown;
type Statements = RoutePolicy['statements'];

export const routingReaders: Readonly<Record<string, Reader>> = {
  getAccountBgp: (world) => ({ account_bgp: accountBgp(world) }),
  getRoutePolicy: (world, input) => ({
    route_policy: find(world.routePolicies, input['route_policy_id'], 'route policy'),
  }),
  getRoutingSummary(world, input) {
    const network = find(world.networks, input['network_id'], 'network');
    const isStatic = network.routing_mode === 'static';
    const own = world.subnets.filter((subnet) => subnet.network_id === network.id);
    const policies = policiesOf(world, network);
    const routes = Array.from(
      Map.groupBy(own, ({ prefix }) => prefix),
      ([prefix, subnets]) => ({
        prefix,
        holders: subnets.map(({ peer_id }) => peer_id),
        best: bestOf(pathsOf({ ...world, subnets }, network, prefix, policies)),
      }),
    );
    return {
      routing_mode: network.routing_mode,
      as_number: accountBgp(world).as_number,
      static_routes: routes.flatMap(({ prefix, best }) =>
        isStatic && best !== null ? [{ prefix, via_peer_id: best, source: 'declared_lan_subnet' }] : [],
      ),
      bgp_routes: isStatic
        ? []
        : [
            ...routes.map((route) => ({ ...route, source: `peer:${route.best ?? ''}`, nearest_of: [] })),
            ...anycastRoutes(world, network),
          ],
    };
  },
  explainRoute(world, input) {
    const network = networkOf(world, find(world.peers, input['peer_id'], 'peer'));
    return { paths: pathsOf(world, network, String(input['prefix']), policiesOf(world, network)) };
  },
  auditRoutePolicies(world, input) {
    const network = find(world.networks, input['network_id'], 'network');
    const policies = policiesOf(world, network);
    const findings = findingsOf(world, network, policies);
    const statements_count = policies.reduce((sum, { statements }) => sum + statements.length, 0);
    return { findings, count: findings.length, truncated: false, statements_count };
  },
  compileRoutePolicy: compile,
};

export const routingChanges: Readonly<Record<string, Prepare>> = {
  executeSkill(world, input) {
    const { bgp_session_id: id } = input['inputs'] as Shown;
    const session = find(world.bgpSessions, id, 'BGP session');
    if (session.state === 'Connect') return clearing(world, session);
    return {
      body: {
        session_id: session.id,
        state: session.state.toLowerCase(),
        likely_cause: `${session.neighbor_hostname} is not reachable.`,
        recommended_action: `Bring ${session.neighbor_hostname} back.`,
        evidence: [{ code: 'session', detail: `${session.hostname} reported ${session.state}.` }],
        safe_step: null,
        carried_out: false,
      },
      reaches: [],
      commit: () => null,
    };
  },
  updateAccountAsNumber(world, input) {
    const before = accountBgp(world);
    const after = { ...before, as_number: Number(input['as_number']), revision: before.revision + 1 };
    return {
      body: { account_bgp: after },
      reaches: world.peers.filter((peer) => networkOf(world, peer).routing_mode === 'ibgp'),
      commit() {
        world.accountBgp.splice(0, 1, after);
        return { kind: 'sdwan.account_bgp.updated', payload: { before, after } };
      },
    };
  },
  createRoutePolicy(world, input) {
    const network = find(world.networks, input['network_id'], 'network');
    refuseNameTaken(policiesOf(world, network), input['name']);
    const after = { ...stored(newId(), 0), ...input } as unknown as RoutePolicy;
    return {
      body: { route_policy: after, warnings: [] },
      reaches: peersOf(world, network),
      commit() {
        world.routePolicies.push(after);
        return { kind: 'sdwan.route_policy.created', payload: { before: null, after } };
      },
    };
  },
  updateRoutePolicy(world, input) {
    const { route_policy_id: id, if_revision, ...part } = input;
    const before = find(world.routePolicies, id, 'route policy');
    refuseStale(before, if_revision);
    const given = Object.fromEntries(Object.entries(part).filter(([, value]) => value !== undefined));
    const after = { ...before, ...given, revision: before.revision + 1, updated_at: ago(0) };
    return {
      body: { route_policy: after, warnings: [] },
      reaches: peersOf(world, find(world.networks, before.network_id, 'network')),
      commit() {
        replace(world.routePolicies, after);
        return { kind: 'sdwan.route_policy.updated', payload: { before, after } };
      },
    };
  },
  deleteRoutePolicy(world, input) {
    const before = find(world.routePolicies, input['route_policy_id'], 'route policy');
    refuseStale(before, input['if_revision']);
    return {
      body: { route_policy: before },
      reaches: peersOf(world, find(world.networks, before.network_id, 'network')),
      commit() {
        remove(world.routePolicies, (one) => one.id === before.id);
        return { kind: 'sdwan.route_policy.deleted', payload: { before, after: null } };
      },
    };
  },
};

function accountBgp(world: World) {
  const [found] = world.accountBgp;
  if (found === undefined) throw new Error('the world has no AS number');
  return found;
}

function networkOf(world: World, peer: Peer): Network {
  return find(world.networks, peer.network_id, 'network');
}

function peersOf(world: World, network: Network): Peer[] {
  return world.peers.filter((peer) => peer.network_id === network.id);
}

function policiesOf(world: World, network: Network): RoutePolicy[] {
  return world.routePolicies.filter((policy) => policy.network_id === network.id);
}

function prefixesOf(world: World, network: Network): string[] {
  const own = world.subnets.filter((subnet) => subnet.network_id === network.id);
  return [...new Set(own.map(({ prefix }) => prefix))];
}

function holdersOf(world: World, network: Network, prefix: string) {
  return world.subnets.filter((subnet) => subnet.network_id === network.id && subnet.prefix === prefix);
}

function pathsOf(
  world: World,
  network: Network,
  prefix: string,
  policies: readonly Pick<RoutePolicy, 'id' | 'direction' | 'statements'>[],
): ExplainedPathShown[] {
  const placed = policies
    .filter(({ direction }) => direction === 'import')
    .flatMap(({ id, statements }) => statements.map((one) => ({ ...one, policy: id })));
  const paths = holdersOf(world, network, prefix).map(({ peer_id: via, preference }) => {
    const peer = find(world.peers, via, 'peer');
    const statement = placed.find(({ match }) => {
      return (match.prefix ?? prefix) === prefix && (match.peer ?? via) === via;
    });
    const local_pref = statement?.set.local_pref ?? preference;
    const policies =
      statement === undefined
        ? []
        : [{ route_policy_id: statement.policy, seq: statement.seq, effect: effectOf(statement) }];
    const attributes =
      statement?.action === 'deny'
        ? null
        : {
            local_pref,
            med: 0,
            as_path: [],
            origin: 'IGP' as const,
            communities: [],
            next_hop: peer.host_address,
          };
    return {
      via_peer_id: via,
      attributes,
      policies,
      isUsable: peer.reachable !== false && attributes !== null,
    };
  });
  const [best] = paths
    .filter(({ isUsable }) => isUsable)
    .sort((a, b) => (b.attributes?.local_pref ?? 0) - (a.attributes?.local_pref ?? 0));
  return paths.map(({ isUsable, ...path }) => ({
    ...path,
    best: best?.via_peer_id === path.via_peer_id,
    because: isUsable ? 'By its local preference.' : 'It cannot be used.',
  }));
}

/** A session that nothing keeps from being established but itself. */
function clearing(world: World, session: BgpSession): ReturnType<Prepare> {
  const { hostname, neighbor_hostname: neighbor } = session;
  const step = {
    code: 'clear_session' as const,
    name: `clear the BGP session of ${hostname} with ${neighbor}`,
    peer_id: session.peer_id,
    detail: `${hostname} clears the session once.`,
  };
  return {
    body: {
      session_id: session.id,
      state: session.state.toLowerCase(),
      likely_cause: `${neighbor} does not answer on TCP port 179.`,
      recommended_action: 'Clear the session.',
      evidence: [{ code: 'session', detail: `${hostname} reported ${session.state}.` }],
      safe_step: step,
      carried_out: true,
    },
    previewed: { carried_out: false },
    reaches: world.peers.filter(({ id }) => id === session.peer_id),
    commit() {
      replace(world.bgpSessions, { ...session, last_reset: { requested_at: ago(0), done_at: null } });
      return { kind: 'sdwan.bgp.session.reset', payload: { peer_id: session.peer_id } };
    },
  };
}

/** Anycast addresses: of several holders that are reached each peer uses the nearest. */
function anycastRoutes(world: World, network: Network) {
  const held = world.virtualIps.filter((ip) => ip.network_id === network.id && ip.anycast);
  return held.map((ip) => {
    const holders = [ip.primary_holder_peer_id, ...ip.failover_holder_peer_ids];
    const used = holders.filter((id) => find(world.peers, id, 'peer').reachable !== false);
    const [best = null, ...others] = used;
    const choice = others.length > 0 ? { best: null, nearest_of: used } : { best, nearest_of: [] };
    return { prefix: `${ip.address}/128`, source: `virtual_ip:${ip.id}`, holders, ...choice };
  });
}

function effectOf({ action, set }: Statements[number]): string {
  if (action === 'deny') return 'denies';
  return set.local_pref === undefined ? 'permits' : `permits and sets local_pref ${set.local_pref}`;
}

function bestOf(paths: readonly ExplainedPathShown[]): string | null {
  return paths.find(({ best }) => best)?.via_peer_id ?? null;
}

function findingsOf(world: World, network: Network, policies: readonly RoutePolicy[]) {
  const prefixes = prefixesOf(world, network);
  return policies.flatMap(({ id, name, statements }) =>
    statements
      .filter(({ match }) => match.prefix !== undefined && !prefixes.includes(match.prefix))
      .map(({ seq }) => ({
        kind: 'dead' as const,
        severity: 'warning' as const,
        object: { type: 'route_policy' as const, id, seq, name },
        by: null,
        detail: 'No peer announces a prefix that it matches today, so it matches nothing yet.',
      })),
  );
}

/** Of a policy that has none yet. */
const newPolicyId = 'new';

function compile(world: World, input: Input): Shown {
  const peer = find(world.peers, input['peer_id'], 'peer');
  const network = networkOf(world, peer);
  const saved = policiesOf(world, network);
  const statements = input['statements'] as Statements | undefined;
  const id = (input['route_policy_id'] as string | undefined) ?? newPolicyId;
  const before = saved.find((one) => one.id === id);
  const direction = input['direction'] ?? before?.direction;
  const draft = { ...before, id, name: 'the preview', direction, statements } as RoutePolicy;
  const others = saved.map((one) => (one.id === id ? draft : one));
  const next = statements === undefined ? saved : id === newPolicyId ? [...others, draft] : others;
  return {
    peer_id: peer.id,
    text: next
      .flatMap((policy) => policy.statements)
      .map(({ seq, action, set }) => `route-map in ${action} ${seq}\n set local-preference ${set.local_pref}`)
      .join('\n'),
    warnings: [],
    findings: findingsOf(world, network, next)
      .filter(({ object }) => object.id === id)
      .map((one) => (id === newPolicyId ? { ...one, object: { ...one.object, id: null } } : one)),
    effect: statements === undefined ? [] : changesOf(world, { network, peer, saved, next }),
    effect_complete: true,
  };
}

function changesOf(
  world: World,
  of: {
    readonly network: Network;
    readonly peer: Peer;
    readonly saved: readonly RoutePolicy[];
    readonly next: readonly RoutePolicy[];
  },
): RouteChangeShown[] {
  const { network, peer, saved, next } = of;
  return prefixesOf(world, network).flatMap((prefix) => {
    const [before, after] = [saved, next].map((policies) =>
      seenIn(pathsOf(world, network, prefix, policies)),
    );
    if (before === undefined || after === undefined || JSON.stringify(before) === JSON.stringify(after))
      return [];
    return [{ prefix, peer_id: peer.id, peers_count: peersOf(world, network).length, before, after }];
  });
}

function seenIn(paths: readonly ExplainedPathShown[]): RouteChangeShown['before'] {
  const best = paths.find((path) => path.best);
  return {
    via_peer_id: best?.via_peer_id ?? null,
    attributes: best?.attributes ?? null,
    denied_peer_ids: paths.filter(({ attributes }) => attributes === null).map((path) => path.via_peer_id),
  };
}

function refuseNameTaken(policies: readonly RoutePolicy[], name: unknown): void {
  if (policies.every((policy) => policy.name !== name)) return;
  const message = 'must be unique in the network';
  throw new ProductError(
    'already_exists',
    `The network already has a route policy named "${String(name)}".`,
    {
      fields: [{ path: 'name', code: 'already_exists', message }],
    },
  );
}
