// Phases 6 and 8 of the runbook "SDWAN network setup" word for word, over every surface, and the rows of its
// troubleshooting table that are about routes, each made on purpose. Nodes are simulated: what they say of their sessions
// is what a bgpd would say; suites/e2e/session-causes.e2e.test.ts has real ones.
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { SimulatedNode } from '../../packages/platform/deliver/simulated-node.ts';
import { type Answer, type Call, SurfacedPlatform, surfaceNames } from '../stage/every-surface.ts';

// Each call of the command line is a program of its own.
vi.setConfig({ testTimeout: 300_000 });

const platform = new SurfacedPlatform();
const cafe = 'fd00:abcd:1:cafe::/96';
const lan = 'fd00:abcd:1:1::/64';
const names = ['hub', 'tokyo-aggregator', 'server'] as const;
type Name = (typeof names)[number];

let networkId = '';
const nodes = {} as Record<Name, SimulatedNode>;
const peers = {} as Record<Name, { readonly id: string; readonly host_address: string }>;

const http: Call = (action, input) => platform.byGenericRoute(action, input);

beforeAll(async () => {
  await platform.start();
  const { network } = await http('system_sdwan_create_network', {
    name: 'tokyo-edge',
    prefix: 'fd00:abcd:1::/64',
    routing_mode: 'ibgp',
  });
  networkId = String(network?.['id']);
  for (const name of names) {
    const { id, node } = await platform.joinMachine(name);
    nodes[name] = node;
    const reachable = { publicly_reachable: true, endpoint_address: '203.0.113.5:51820' };
    const place = { network_id: networkId, node_instance_id: id };
    const { peer } = await http('system_sdwan_attach_peer', {
      ...place,
      ...(name === 'hub' ? reachable : {}),
    });
    peers[name] = peer as unknown as (typeof peers)[Name];
  }
}, 200_000);
afterAll(() => platform.end());

interface Session {
  readonly id: string;
  readonly peer_id: string;
  readonly neighbor_id: string;
  readonly state: string;
  readonly uptime: string | null;
  readonly last_error: string | null;
  readonly last_reset: { readonly requested_at: string; readonly done_at: string | null } | null;
}

async function sessions(call: Call): Promise<Session[]> {
  const answer = await call('system_sdwan_get_bgp_sessions', { network_id: networkId });
  return answer['sessions'] as unknown as Session[];
}

async function sessionOf(call: Call, name: Name): Promise<Session> {
  const found = (await sessions(call)).find((one) => one.peer_id === peers[name].id);
  if (found === undefined) throw new Error(`${name} has no session`);
  return found;
}

/** What a node says of its session with the hub, until the platform has taken it down. */
async function reports(
  name: Name,
  said: { readonly state: string; readonly last_error?: string },
): Promise<void> {
  const established = said.state === 'Established' ? new Date(Date.now() - 3_600_000).toISOString() : null;
  const session = { network_id: networkId, peer_id: peers.hub.id, prefixes_received: 1, last_error: null };
  nodes[name].observe({ bgp_sessions: [{ ...session, established_at: established, ...said } as never] });
  await vi.waitUntil(
    async () => {
      const { state, last_error: why } = await sessionOf(http, name);
      return state === said.state && why === (said.last_error ?? null);
    },
    { timeout: 20_000 },
  );
}

async function configOf(call: Call, peer_id: string): Promise<string> {
  const answer = (await call('system_sdwan_get_bgp_config_for_peer', { peer_id })) as unknown as {
    config: string;
  };
  return answer.config;
}

const skill = 'system-sdwan-bgp-session-remediate';

async function look(call: Call, name: Name): Promise<Record<string, unknown>> {
  const { id } = await sessionOf(http, name);
  return call('execute_skill', { skill, inputs: { bgp_session_id: id, dry_run: true } });
}

// First: a change of the AS number is what sessions are down for within two minutes of it.
describe('the troubleshooting table', () => {
  test('a session that is stuck Idle or Active has its cause, by every surface', async () => {
    const idle = { state: 'Idle', last_error: 'BGP Notification received: OPEN Message Error/Bad Peer AS' };
    await reports('server', idle);
    for (const surface of surfaceNames) {
      const call = await platform.open(surface);
      expect(await look(call, 'server')).toMatchObject({
        state: 'idle',
        likely_cause: expect.stringContaining('different AS numbers'),
        safe_step: null,
      });
    }
    await reports('server', { state: 'Active' });
    for (const surface of surfaceNames) {
      const call = await platform.open(surface);
      expect(await look(call, 'server')).toMatchObject({
        state: 'active',
        likely_cause: expect.stringContaining('hub does not answer on TCP port 179'),
        recommended_action: expect.stringMatching(
          new RegExp(`^vtysh .*-c 'clear bgp ${peers.hub.host_address}'$`),
        ),
        safe_step: { code: 'clear_session', peer_id: peers.server.id },
      });
    }
  });

  test('what the recommendation names says that the neighbor has a route, and that BGP is let in', async () => {
    const asked = {
      network_id: networkId,
      source: { peer_id: peers.server.id },
      destination: { peer_id: peers.hub.id },
      protocol: 'tcp',
      port: 179,
    };
    expect(await http('system_sdwan_explain_reachability', asked)).toMatchObject({ verdict: 'allowed' });
    const other = { ...asked, destination: { peer_id: peers['tokyo-aggregator'].id } };
    const denied = await http('system_sdwan_explain_reachability', other);
    expect(denied).toMatchObject({ verdict: 'denied' });
    expect(JSON.stringify(denied)).toContain('closed to all but its BGP neighbors');
  });

  test.each(surfaceNames)('the safe step waits for a person, and is done once, by %s', async (surface) => {
    const call = await platform.open(surface);
    const { id } = await sessionOf(http, 'server');
    const answer = await call('execute_skill', { skill, inputs: { bgp_session_id: id, dry_run: false } });
    expect(answer).toMatchObject({
      pending: true,
      deferred_operation: {
        action: 'execute_skill',
        summary: 'Run a skill: clear the BGP session of server with hub',
      },
    });
    const before = (await sessionOf(http, 'server')).last_reset;
    const approval_id = answer['deferred_operation']?.['id'];
    const { approval } = await http('system_decide_approval', { approval_id, decision: 'approve' });
    expect(approval).toMatchObject({
      status: 'approved',
      result: { carried_out: true, dry_run: false, session_id: id },
    });
    const after = (await sessionOf(http, 'server')).last_reset;
    expect(after).toMatchObject({ done_at: null });
    expect(after).not.toEqual(before);
    const { changes } = (await http('system_list_changes', {
      network_id: networkId,
      limit: 1,
    })) as unknown as {
      changes: { action: string }[];
    };
    expect(changes[0]).toMatchObject({ action: 'execute_skill' });
  });

  test('a session whose fault is elsewhere has no safe step, and nothing is changed', async () => {
    nodes.hub.drop();
    const unreachable = async () => String((await look(http, 'server'))['likely_cause']);
    await vi.waitUntil(async () => (await unreachable()).startsWith('hub is not reachable'), {
      timeout: 30_000,
    });
    const { id } = await sessionOf(http, 'server');
    const before = await http('system_list_changes', { network_id: networkId, limit: 1 });
    const answer = await http('execute_skill', { skill, inputs: { bgp_session_id: id }, dry_run: false });
    expect(answer).toMatchObject({ carried_out: false, safe_step: null, dry_run: false });
    expect(await http('system_list_changes', { network_id: networkId, limit: 1 })).toEqual(before);
    await nodes.hub.connect();
  });

  test('a firewall rule that shadows another is a finding of the periodic audit, and over when it is gone', async () => {
    const rule = {
      network_id: networkId,
      direction: 'ingress',
      selector: { kind: 'tag', tag: 'tenant-A' },
      protocol: 'tcp',
      port_range: '5432',
    };
    // Before the rule: one for a tag that nobody has is a finding of its own.
    await http('system_sdwan_set_peer_tags', { peer_id: peers.server.id, tags: ['tenant-A'] });
    const accept = await http('system_sdwan_create_firewall_rule', {
      ...rule,
      name: 'allow',
      action: 'accept',
    });
    await http('system_sdwan_create_firewall_rule', { ...rule, name: 'deny', action: 'drop' });
    const about = async (call: Call, recovered: boolean) => {
      const { findings } = (await call('system_list_findings', {
        network_id: networkId,
        ...(recovered ? { recovered } : {}),
      })) as unknown as { findings: { kind: string; object: { name: string } }[] };
      return findings.filter(
        ({ kind, object }) => kind.startsWith('sdwan.firewall_rule_') && object.name === 'allow',
      );
    };
    await vi.waitUntil(async () => (await about(http, false)).length > 0, { timeout: 50_000 });
    for (const surface of surfaceNames) {
      const call = await platform.open(surface);
      expect(await about(call, false)).toMatchObject([{ by: { name: 'deny' }, recovered_at: null }]);
    }
    const began = await events('sdwan.finding.began');
    expect(began.filter((payload) => JSON.stringify(payload).includes('"allow"'))).toHaveLength(1);
    const firewall_rule_id = accept['firewall_rule']?.['id'];
    await http('system_sdwan_delete_firewall_rule', { firewall_rule_id, approve: true });
    await vi.waitUntil(async () => (await about(http, true)).length > 0, { timeout: 50_000 });
    expect(await about(http, false)).toEqual([]);
    expect(await events('sdwan.finding.recovered')).toMatchObject([{ network_id: networkId }]);
  });

  test('a fail-over of an anycast address says so, and moves nothing', async () => {
    const { virtual_ip: made } = await http('system_sdwan_create_virtual_ip', {
      network_id: networkId,
      name: 'anycast',
      anycast: true,
      primary_holder_peer_id: peers.server.id,
      failover_holder_peer_ids: [peers['tokyo-aggregator'].id],
    });
    const virtual_ip_id = made?.['id'];
    for (const surface of surfaceNames) {
      const call = await platform.open(surface);
      const answer = await call('system_sdwan_failover_virtual_ip', { virtual_ip_id, dry_run: true });
      expect(answer).toMatchObject({ anycast: true, dry_run: true, new_holder: null });
    }
  });
});

describe.each(surfaceNames)('the runbook by %s', (surface) => {
  const open = () => platform.open(surface);

  test('phase 6: a route policy prefers an aggregator, is listed, compiled and audited', async () => {
    const call = await open();
    const wanted = {
      network_id: networkId,
      name: 'prefer-tokyo-via-aggregator',
      direction: 'import',
      statements: [
        {
          seq: 10,
          match: { prefix: cafe, peer: peers['tokyo-aggregator'].id },
          set: { local_pref: 200 },
          action: 'permit',
        },
        { seq: 20, match: { prefix: cafe }, action: 'permit', set: { local_pref: 100 } },
      ],
    };
    const { route_policy: made, warnings } = await platform.decided(
      call,
      'system_sdwan_create_route_policy',
      wanted,
    );
    // Nobody announces that prefix.
    expect(warnings).toMatchObject([{ code: 'dead' }, { code: 'dead' }]);
    expect(made).toMatchObject(wanted);
    const listed = await call('system_sdwan_list_route_policies', { network_id: networkId });
    expect(listed).toMatchObject({ route_policies: [made], count: 1 });
    const config = await configOf(call, peers.server.id);
    expect(config).toMatch(/route-map [\s\S]*set local-preference 200/);
    expect(config).toContain(`permit ${cafe}`);
    const audit = await call('system_sdwan_audit_route_policies', { network_id: networkId });
    expect(audit).toMatchObject({ statements_count: 2 });
    const { policies } = (await call('system_list_policies', { limit: 500 })) as unknown as {
      policies: { category: string; mode: string }[];
    };
    expect(policies.find(({ category }) => category === 'system.sdwan_route_policy_audit')).toMatchObject({
      mode: 'auto_approve',
    });
    await http('system_sdwan_delete_route_policy', { route_policy_id: made?.['id'], approve: true });
  });

  test('phase 8: the AS number, a LAN, and the health of sessions', async () => {
    const call = await open();
    await http('system_sdwan_update_account_as_number', { as_number: 64_600 });
    const { account_bgp: numbers } = await platform.decided(call, 'system_sdwan_update_account_as_number', {
      as_number: 65_000,
    });
    expect(numbers).toMatchObject({ as_number: 65_000 });
    const peer_id = peers['tokyo-aggregator'].id;
    await http('system_sdwan_update_peer_lan_subnets', { peer_id, subnets: [] });
    const { subnet_advertisements: declared } = await platform.decided(
      call,
      'system_sdwan_update_peer_lan_subnets',
      { peer_id, subnets: [{ prefix: lan, description: 'Tokyo office LAN' }] },
    );
    expect(declared).toMatchObject([
      {
        peer_id,
        prefix: lan,
        source: 'declared_lan_subnet',
        description: 'Tokyo office LAN',
        withdrawn_at: null,
      },
    ]);
    const config = await configOf(call, peer_id);
    expect(config).toContain('router bgp 65000');
    expect(config).toMatch(new RegExp(`network ${lan}`));
    await reports('tokyo-aggregator', { state: 'Established' });
    await reports('server', { state: 'Idle', last_error: 'Waiting for peer OPEN' });
    const found = await sessions(call);
    expect(found).toHaveLength(4);
    expect(found.find(({ peer_id: id }) => id === peer_id)).toMatchObject({
      neighbor_id: peers.hub.id,
      state: 'Established',
      uptime: expect.stringMatching(/^1h0\dm$/),
    });
    expect(found.find(({ peer_id: id }) => id === peers.server.id)).toMatchObject({
      state: 'Idle',
      uptime: null,
      last_error: 'Waiting for peer OPEN',
    });
    const answer = await look(call, 'server');
    expect(answer).toMatchObject({
      session_id: (await sessionOf(http, 'server')).id,
      state: 'idle',
      likely_cause: expect.stringContaining('The AS number of the account was changed'),
      recommended_action: expect.stringContaining('system_sdwan_get_bgp_sessions'),
      carried_out: false,
      dry_run: true,
    });
    expect(await look(call, 'tokyo-aggregator')).toMatchObject({ state: 'established', safe_step: null });
  });
});

async function events(kind: string): Promise<Record<string, unknown>[]> {
  const answer = (await http('recent_events', { kind_prefix: kind, limit: 100 })) as unknown as {
    events: { payload: Answer }[];
  };
  return answer.events.map(({ payload }) => payload);
}
