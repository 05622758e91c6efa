// What changes do in the fake platform, to accounts, machines and networks; services have theirs in service-changes.ts.
import { actions } from '@powernode/core/actions/catalogue';
import { ProductError } from '@powernode/core/errors';
import { keyOf } from './ids.ts';
import {
  find,
  type Input,
  made,
  newId,
  type Prepare,
  type Prepared,
  preparedPlan,
  refuseStale,
  remove,
  status,
} from './prepared.ts';
import { routingChanges } from './routing.ts';
import { serviceChanges } from './service-changes.ts';
import {
  type Approval,
  ago,
  makeInstance,
  makeNetwork,
  makePeer,
  type Operation,
  replace,
  stored,
  type World,
} from './world.ts';

const changes: Readonly<Record<string, Prepare>> = {
  ...serviceChanges,
  ...routingChanges,
  createNetwork(world, input) {
    if (world.networks.some((network) => network.name === input['name'])) {
      throw new ProductError(
        'already_exists',
        `There is already a network named "${String(input['name'])}".`,
        {
          fields: [{ path: 'name', code: 'already_exists', message: 'must be unique in the account' }],
        },
      );
    }
    const part = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
    const network = {
      ...makeNetwork(world.networks.length + 40, { name: String(input['name']), ...part }),
      id: newId(),
    };
    return {
      body: { network },
      reaches: [],
      commit() {
        world.networks.push(network);
        return { kind: 'sdwan.network.created', payload: { before: null, after: network, notify: true } };
      },
    };
  },
  updateNetwork(world, input) {
    const { network_id, if_revision, ...part } = input;
    const before = find(world.networks, network_id, 'network');
    refuseStale(before, if_revision);
    const after = { ...before, ...part, revision: before.revision + 1, updated_at: ago(0) };
    return {
      body: { network: after },
      // Names are for people.
      reaches: reachesNodes(before, part) ? world.peers.filter((peer) => peer.network_id === before.id) : [],
      commit() {
        replace(world.networks, after);
        return { kind: 'sdwan.network.updated', payload: { before, after } };
      },
    };
  },
  deleteNetwork(world, input) {
    const before = find(world.networks, input['network_id'], 'network');
    return {
      body: { network: before },
      reaches: world.peers.filter((peer) => peer.network_id === before.id),
      commit() {
        remove(world.networks, (one) => one.id === before.id);
        remove(world.peers, (one) => one.network_id === before.id);
        return { kind: 'sdwan.network.deleted', payload: { before, after: null } };
      },
    };
  },
  attachPeer(world, input) {
    const network = find(world.networks, input['network_id'], 'network');
    const instance = find(world.instances, input['node_instance_id'], 'machine');
    const role = input['publicly_reachable'] === true ? 'hub' : 'spoke';
    const id = newId();
    const n = Number.parseInt(id.slice(-6), 16) % 60_000;
    const hub = world.peers.find((one) => one.network_id === network.id && one.role === 'hub');
    const via = role === 'hub' ? null : (hub?.id ?? null);
    const peer = {
      ...makePeer(n, { network, instance }, { role, status: 'handshake_pending', via_hub_peer_id: via }),
      id,
      tags: (input['tags'] as string[] | undefined) ?? [],
    };
    return {
      body: { peer },
      reaches: world.peers.filter((one) => one.network_id === network.id && one.role === 'hub'),
      commit() {
        world.peers.push(peer);
        const peer_count = network.peer_count + 1;
        replace(world.networks, {
          ...network,
          peer_count,
          hub_count: network.hub_count + (role === 'hub' ? 1 : 0),
        });
        return { kind: 'sdwan.peer.attached', payload: { before: null, after: peer } };
      },
    };
  },
  updatePeer: (world, input) => changePeer(world, input, 'updated'),
  rotatePeerKey: (world, input) =>
    changePeer(world, { ...input, public_key: keyOf(Number.parseInt(newId().slice(-6), 16)) }, 'key_rotated'),
  detachPeer(world, input) {
    const before = find(world.peers, input['peer_id'], 'peer');
    return {
      body: { peer: before },
      reaches: world.peers.filter(
        (one) => one.network_id === before.network_id && (one.role === 'hub' || one.id === before.id),
      ),
      commit() {
        remove(world.peers, (one) => one.id === before.id);
        return { kind: 'sdwan.peer.detached', payload: { before, after: null } };
      },
    };
  },
  updateInstance(world, input) {
    const { instance_id, if_revision, ...part } = input;
    const before = find(world.instances, instance_id, 'machine');
    refuseStale(before, if_revision);
    const after = { ...before, ...part, revision: before.revision + 1, updated_at: ago(0) };
    return {
      body: { instance: after },
      reaches: [],
      commit() {
        replace(world.instances, after);
        return { kind: 'system.instance.updated', payload: { before, after } };
      },
    };
  },
  retryRolledBack(world, input) {
    const before = find(world.instances, input['instance_id'], 'machine');
    if (!before.connected) {
      throw new ProductError('conflict', `"${before.hostname}" is offline. Try again when it is online.`);
    }
    const after = {
      ...before,
      problems: before.problems.filter(({ code }) => code !== 'change_rolled_back'),
    };
    return {
      body: { instance: before },
      reaches: world.peers.filter((one) => one.node_instance_id === before.id).slice(0, 1),
      commit() {
        replace(world.instances, after);
        for (const peer of world.peers.filter((one) => one.node_instance_id === before.id))
          replace(world.peers, { ...peer, problem: null });
        const { id, hostname, problems } = before;
        return { kind: 'system.instance.retried', payload: { node_instance_id: id, hostname, problems } };
      },
    };
  },
  terminateInstance(world, input) {
    const before = find(world.instances, input['instance_id'], 'machine');
    const after = { ...before, status: 'terminated' as const, connected: false };
    return {
      body: { instance: after },
      reaches: world.peers.filter((one) => one.node_instance_id === before.id),
      commit() {
        replace(world.instances, after);
        remove(world.peers, (one) => one.node_instance_id === before.id);
        return { kind: 'system.instance.terminated', payload: { before, after } };
      },
    };
  },
  drainInstance(world, input) {
    const before = find(world.instances, input['instance_id'], 'machine');
    const drain = input['drain'] !== false;
    const after = { ...before, status: drain ? ('draining' as const) : ('running' as const) };
    const own = world.peers.filter((one) => one.node_instance_id === before.id);
    const ids = new Set(own.map((one) => one.id));
    const spokes = world.peers.filter((one) => one.via_hub_peer_id !== null && ids.has(one.via_hub_peer_id));
    const moves = drain
      ? [
          ...own
            .filter((one) => one.role === 'hub')
            .map((one) => ({
              object: 'hub',
              id: one.id,
              detail: `${spokes.length} spokes go through another hub`,
            })),
          ...world.virtualIps
            .filter((ip) => ids.has(ip.current_holder_peer_id ?? ''))
            .map((ip) => ({ object: 'virtual_ip', id: ip.id, detail: `${ip.name} goes to its next holder` })),
        ]
      : [];
    const operation = drain ? drainOf(world, after) : null;
    return {
      body: { instance: after, moves, operation_id: operation?.id ?? null },
      reaches: [...own, ...spokes],
      commit() {
        replace(world.instances, after);
        if (operation !== null) world.operations.unshift(operation);
        for (const peer of own) replace(world.peers, { ...peer, draining: drain });
        return { kind: `system.instance.${drain ? 'drained' : 'taken_back'}`, payload: { before, after } };
      },
    };
  },
  createJoinToken(world, input) {
    const { shown, secret } = newJoinToken(input);
    return made(world.joinTokens, 'join_token', shown, secret);
  },
  createInstance(world, input) {
    find(world.regions, input['provider_region_id'], 'region');
    const { shown, secret } = newJoinToken({ ...input, name_hint: input['hostname'] });
    const instance = {
      ...makeInstance(0, { hostname: String(input['hostname']), connected: false }),
      ...stored(newId(), 0),
      ...{ status: 'pending' as const, provider: 'own', applied_revision: null, last_heartbeat_at: null },
      ...{ subsystems: [], in_sync: false, unused_keys: 0, certificate_expires_at: null },
      ...{ observed_address: null, agent_version: null, platform_version: null, tags: shown.tags },
    };
    return {
      body: { instance, join_token: { ...shown, ...secret } },
      reaches: [],
      commit() {
        world.instances.push(instance);
        world.joinTokens.unshift(shown);
        return { kind: 'system.instance.created', payload: { before: null, after: instance } };
      },
    };
  },
  revokeJoinToken: (world, input) =>
    status(world.joinTokens, input['join_token_id'], 'join_token', { status: 'revoked' }),
  createOperator(world, input) {
    const { name, role } = input as { name: string; role: 'viewer' };
    const operator = {
      ...stored(newId(), 0),
      name,
      role,
      platform_admin: false,
      disabled: false,
      disabled_at: null,
    };
    return made(world.operators, 'operator', operator, {});
  },
  updateOperator(world, input) {
    const { operator_id, ...part } = input;
    return status(world.operators, operator_id, 'operator', part);
  },
  disableOperator: (world, input) =>
    status(world.operators, input['operator_id'], 'operator', {
      disabled: true,
      if_revision: input['if_revision'],
    }),
  createApiToken(world, input) {
    const token = {
      ...stored(newId(), 0),
      operator_id: (input['operator_id'] as string | undefined) ?? world.whoami.operator.id,
      created_by: world.whoami.operator.id,
      created_with: world.apiTokens[0]?.id ?? null,
      for_model: input['for_model'] === true,
      name: String(input['name']),
      permissions: (input['permissions'] as never) ?? null,
      expires_at: null,
      last_used_at: null,
      status: 'active' as const,
    };
    return made(world.apiTokens, 'api_token', token, { token: `pnt_${keyOf(11).slice(0, 40)}` });
  },
  revokeApiToken: (world, input) =>
    status(world.apiTokens, input['api_token_id'], 'api_token', { status: 'revoked' }),
  createAccount(world, input) {
    const id = newId();
    return made(
      world.accounts,
      'account',
      { ...stored(id, 0), account_id: id, name: String(input['name']), pool_prefix: 'fd99::/48' },
      {},
    );
  },
};

export function prepare(key: string, world: World, input: Input): Prepared {
  const change = changes[key];
  if (change === undefined) throw new Error(`the fake platform has no ${key}`);
  return change(world, input);
}

function reachesNodes(before: object, part: Input): boolean {
  const now = before as Input;
  return Object.entries(part).some(
    ([name, value]) => name !== 'name' && name !== 'description' && value !== now[name],
  );
}

function changePeer(world: World, input: Input, verb: string): Prepared {
  const { peer_id, if_revision, ...part } = input;
  const before = find(world.peers, peer_id, 'peer');
  refuseStale(before, if_revision);
  const given = Object.fromEntries(Object.entries(part).filter(([, value]) => value !== null));
  const declared = typeof part['publicly_reachable'] === 'boolean';
  const after = {
    ...before,
    ...given,
    ...(declared ? { publicly_reachable_source: 'declared' as const } : {}),
    revision: before.revision + 1,
  };
  return {
    body: { peer: after },
    reaches: [],
    commit() {
      replace(world.peers, after);
      return { kind: `sdwan.peer.${verb}`, payload: { before, after } };
    },
  };
}

/** What waits instead of being done. */
export function defer(
  world: World,
  wanted: { readonly key: keyof typeof actions; readonly input: Input; readonly prepared: Prepared },
): Approval {
  const action = actions[wanted.key];
  const approval: Approval = {
    ...stored(newId(), 0),
    action: action.name,
    category: action.category?.name ?? '',
    summary: action.title,
    input: wanted.input,
    plan: preparedPlan(world, wanted.prepared),
    status: 'pending',
    requested_by: { id: world.whoami.operator.id, name: world.whoami.operator.name },
    decided_by: null,
    decided_at: null,
    reason: null,
    expires_at: ago(-4 * 3600),
    result: null,
    error: null,
    secret: null,
  };
  world.approvals.unshift(approval);
  return approval;
}

function newJoinToken(input: Input) {
  const shown = {
    ...stored(newId(), 0),
    name_hint: (input['name_hint'] as string | undefined) ?? null,
    tags: (input['tags'] as string[] | undefined) ?? [],
    status: 'unused' as const,
    expires_at: ago(-Number(input['expires_in_seconds'])),
    used_at: null,
    instance_id: null,
  };
  const token = `pnj_${keyOf(7).slice(0, 40)}`;
  const script = 'https://platform.example:7443/install.sh';
  const pin = `sha256//${keyOf(8)}`;
  const command = `curl -fsSL ${script} --insecure --pinnedpubkey ${pin} | sh -s -- --token ${token}`;
  return { shown, secret: { token, command } };
}

function drainOf(world: World, { id, hostname }: World['instances'][number]): Operation {
  return {
    ...stored(newId(), 0),
    kind: 'instance_drain',
    summary: `Drain the instance ${hostname}`,
    subject_id: id,
    state: 'running',
    steps: ['move_virtual_ips', 'leave_hubs'],
    step: 'leave_hubs',
    steps_done: 1,
    detail: 'Waiting until 2 instances use another hub: store-1, store-2',
    attempts: 0,
    next_attempt_at: null,
    cancellable: true,
    cancel_requested_at: null,
    input: { instance_id: id, sequence: 7 },
    result: null,
    error: null,
    requested_by: { id: world.whoami.operator.id, name: world.whoami.operator.name },
    correlation_id: newId(),
    ended_at: null,
  };
}
