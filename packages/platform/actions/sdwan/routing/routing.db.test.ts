// Routing over a real database: route policies and what they compile to, sessions as nodes report them, and why one is
// down.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inAccount } from '../../../store/tenancy.ts';
import { type TestPlatform, withPermissions } from '../../../testing/test-platform.ts';
import { lan, RoutingScene } from './routing-scene.fixture.ts';

let scene: RoutingScene;
let platform: TestPlatform;
let networkId: string;
let run: RoutingScene['run'];
let refusal: RoutingScene['refusal'];
let idOf: RoutingScene['idOf'];
let declare: RoutingScene['declare'];
let sessions: RoutingScene['sessions'];
let sessionOf: RoutingScene['sessionOf'];
let reported: RoutingScene['reported'];
let kinds: RoutingScene['kinds'];

beforeAll(async () => {
  scene = await RoutingScene.make();
  ({ platform, networkId, run, refusal, idOf, declare, sessions, sessionOf, reported, kinds } = scene);
});
afterAll(() => platform.close());

/** As the runbook has it, phase 6. */
const policy = () => ({
  network_id: networkId,
  name: 'prefer-tokyo-via-aggregator',
  direction: 'import',
  statements: [
    { seq: 10, match: { prefix: lan, peer: idOf('b') }, set: { local_pref: 200 }, action: 'permit' },
    { seq: 20, match: { prefix: lan }, action: 'permit', set: { local_pref: 100 } },
  ],
});

describe('route policies', () => {
  test('the one of the runbook is created, listed, compiled and audited', async () => {
    const dry = await run<{ plan: { nodes: unknown[] } }>('createRoutePolicy', {
      ...policy(),
      dry_run: true,
    });
    expect(dry.plan.nodes).toHaveLength(4);
    const { route_policy: made, warnings } = await run<{ route_policy: { id: string }; warnings: unknown[] }>(
      'createRoutePolicy',
      policy(),
    );
    expect(warnings).toEqual([]);
    const { route_policies: listed } = await run<{ route_policies: object[] }>('listRoutePolicies', {
      network_id: networkId,
    });
    expect(listed).toMatchObject([{ ...policy(), id: made.id }]);
    const { text } = await run<{ text: string }>('compileRoutePolicy', { peer_id: idOf('c') });
    expect(text).toContain('set local-preference 200');
    const { config } = await run<{ config: string }>('getBgpConfigForPeer', { peer_id: idOf('c') });
    expect(config).toContain('router bgp 64512');
    expect(config).toContain('set local-preference 200');
    const audit = await run<{ findings: object[] }>('auditRoutePolicies', { network_id: networkId });
    expect(audit).toMatchObject({ findings: [], statements_count: 2 });
  });

  test('every fault of the statements is refused with its place, before anything is written', async () => {
    const gone = '01990000-0000-7000-8000-00000000dead';
    const statements = [
      { seq: 10, match: { peer: gone }, action: 'permit' },
      { seq: 20, set: { next_hop: 'fd00::99', prepend: '64512' }, action: 'permit' },
    ];
    const problem = await refusal('createRoutePolicy', { ...policy(), name: 'wrong', statements });
    const paths = (problem['errors'] as { path: string }[]).map(({ path }) => path);
    expect(paths).toEqual([
      'statements.0.match.peer',
      'statements.1.set.next_hop',
      'statements.1.set.prepend',
    ]);
    expect(problem).toMatchObject({ status: 422, code: 'validation_failed' });
    const preview = { peer_id: idOf('c'), direction: 'import', statements };
    expect(await refusal('compileRoutePolicy', preview)).toMatchObject({ errors: problem['errors'] });
    expect(await refusal('compileRoutePolicy', { peer_id: idOf('c'), direction: 'import' })).toMatchObject({
      errors: [{ path: 'statements', code: 'required' }],
    });
    const { route_policies: listed } = await run<{ route_policies: object[] }>('listRoutePolicies', {
      name: 'wrong',
    });
    expect(listed).toEqual([]);
  });

  test.each([
    ['a seq that two statements have', [{ seq: 10 }, { seq: 10 }], 'statements.1.seq'],
    [
      'lengths that no prefix has',
      [{ seq: 10, match: { prefix: '10.0.0.0/8', prefix_ge: 24, prefix_le: 16 } }],
      'statements.0.match.prefix_le',
    ],
    ['a prefix that cannot be', [{ seq: 10, match: { prefix: '10.0.0.1/8' } }], 'statements.0.match.prefix'],
    [
      'a community that cannot be',
      [{ seq: 10, set: { community: '70000:1' } }],
      'statements.0.set.community',
    ],
  ])('%s is refused with its place, before anything is written', async (_, statements, path) => {
    const permitted = statements.map((one) => ({ ...one, action: 'permit' }));
    const input = { ...policy(), name: 'wrong', statements: permitted };
    expect(await refusal('createRoutePolicy', input)).toMatchObject({ status: 422, errors: [{ path }] });
    const { id } = (await run<{ route_policies: { id: string }[] }>('listRoutePolicies', {}))
      .route_policies[0] ?? { id: '' };
    const before = await run('getRoutePolicy', { route_policy_id: id });
    const change = { route_policy_id: id, statements: permitted };
    expect(await refusal('updateRoutePolicy', change)).toMatchObject({ status: 422, errors: [{ path }] });
    expect(await run('getRoutePolicy', { route_policy_id: id })).toEqual(before);
    expect(await run('listRoutePolicies', { name: 'wrong' })).toMatchObject({ route_policies: [] });
  });

  test('a prefix that nobody announces today is a warning, in the plan and in the answer', async () => {
    const statements = [{ seq: 10, match: { prefix: 'fd00:dead::/64' }, action: 'deny' }];
    const input = { ...policy(), name: 'early', statements };
    const dry = await run<{ plan: { notes: object[] } }>('createRoutePolicy', { ...input, dry_run: true });
    expect(dry.plan.notes).toMatchObject([{ code: 'dead' }]);
    const preview = await run('compileRoutePolicy', { peer_id: idOf('c'), direction: 'import', statements });
    expect(preview).toMatchObject({ warnings: [{ code: 'dead' }] });
    expect(preview['text']).toContain('fd00:dead::/64');
    const { warnings } = await run<{ warnings: object[] }>('createRoutePolicy', input);
    expect(warnings).toMatchObject([{ code: 'dead', detail: expect.stringContaining('Statement 10') }]);
    expect(await refusal('createRoutePolicy', input)).toMatchObject({ code: 'already_exists' });
  });
});

const remediate = (input: object) => run<Record<string, string>>('executeSkill', input);

describe('sessions', () => {
  beforeAll(() => run('updateAccountAsNumber', { as_number: 65_000 }));

  test('those that nobody has reported are idle, each from both ends', async () => {
    const all = await sessions();
    expect(all).toHaveLength(6);
    for (const one of all) {
      expect(one).toMatchObject({ state: 'Idle', uptime: null, last_error: null, observed_at: null });
    }
    expect(new Set(all.map(({ id }) => id)).size).toBe(6);
    expect(await sessions()).toEqual(all);
  });

  test('what a node reports is shown, and events tell of what is established and lost', async () => {
    const established_at = new Date(Date.now() - 90_183_000).toISOString();
    await reported('a', [
      { state: 'Established', established_at, prefixes_received: 2 },
      { peer_id: idOf('b'), state: 'Established', established_at },
      { network_id: idOf('a'), state: 'Established', established_at },
    ]);
    expect(await sessionOf('a')).toMatchObject({
      state: 'Established',
      prefixes_received: 2,
      uptime: '1d01h03m',
      // No stream of this machine is open: what it said may have changed.
      stale: true,
    });
    expect((await sessions()).filter(({ state }) => state === 'Established')).toHaveLength(1);
    await reported('a', [{ state: 'Active', last_error: 'BFD down received' }]);
    const between = { network_id: networkId, peer_id: idOf('a'), neighbor_id: idOf('hub') };
    expect(await kinds()).toMatchObject([
      { kind: 'sdwan.bgp.session.lost', ...between, reason: 'BFD down received' },
      { kind: 'sdwan.bgp.session.established', ...between, reason: null },
    ]);
    const { findings } = await run<{ findings: object[] }>('listFindings', { network_id: networkId });
    expect(findings).toMatchObject([
      { kind: 'sdwan.bgp_session_down', recovered_at: null, detail: expect.stringContaining('BFD down') },
    ]);
  });

  test('what a neighbor may not announce is a finding, an event, evidence, and goes with it', async () => {
    const since = new Date(Date.now() - 5_000).toISOString();
    const from = { state: 'Established' as const, established_at: since, peer_id: idOf('a') };
    const refused = { ipv4: 1, ipv6: 10_000, since };
    const refusals = async () => {
      const { events } = await run<{ events: { kind: string; payload: object }[] }>('recentEvents', {
        kind_prefix: 'sdwan.bgp.routes',
      });
      return events.map(({ kind, payload }) => ({ kind, ...payload }));
    };
    const shown = async () =>
      (await sessions()).find((one) => one.peer_id === idOf('hub') && one.neighbor_id === idOf('a'));
    const findings = async (input: object = {}) => {
      const answer = await run<{ findings: { kind: string }[] }>('listFindings', {
        network_id: networkId,
        ...input,
      });
      return answer.findings.filter(({ kind }) => kind === 'sdwan.bgp_routes_refused');
    };
    await reported('hub', [{ ...from, refused: null }]);
    expect(await refusals()).toEqual([]);
    // Two reports in one flush are one turn; a number that grows is none.
    await reported('hub', [{ ...from, refused }]);
    await reported('hub', [{ ...from, refused: { ...refused, ipv6: 20_000 } }]);
    const between = { network_id: networkId, peer_id: idOf('hub'), neighbor_id: idOf('a') };
    expect(await refusals()).toEqual([
      { kind: 'sdwan.bgp.routes.refused', ...between, refused_ipv4: 1, refused_ipv6: 10_000, since },
    ]);
    expect((await shown())?.refused).toEqual({ ipv4: 1, ipv6: 20_000, since });
    expect(await findings()).toMatchObject([
      {
        began_at: since,
        recovered_at: null,
        detail: expect.stringContaining('20000 IPv6 announcements of a'),
      },
    ]);
    const answer = await remediate({
      skill: 'bgp-session-remediate',
      inputs: { bgp_session_id: (await shown())?.id },
    });
    expect(answer['likely_cause']).toContain('announces prefixes that are not behind it');
    // An agent that was started anew does not know yet: nothing has ended.
    await reported('hub', [from]);
    expect((await shown())?.refused).toEqual({ ipv4: 1, ipv6: 20_000, since });
    await reported('hub', [{ ...from, refused: null }]);
    expect((await shown())?.refused).toBeNull();
    expect(await findings()).toEqual([]);
    expect(await findings({ recovered: true })).toMatchObject([{ recovered_at: expect.any(String) }]);
    expect(await refusals()).toMatchObject([
      { kind: 'sdwan.bgp.routes.refusal_ended', ...between, refused_ipv6: 20_000 },
      { kind: 'sdwan.bgp.routes.refused' },
    ]);
  });

  test('a spoke accuses no hub of anything', async () => {
    const refused = { ipv4: 1, ipv6: 1, since: new Date().toISOString() };
    await reported('a', [{ state: 'Active', last_error: 'BFD down received', refused }]);
    expect(await sessionOf('a')).toMatchObject({ state: 'Active', refused: null });
    expect((await run<{ findings: object[] }>('listFindings', {})).findings).not.toContainEqual(
      expect.objectContaining({ kind: 'sdwan.bgp_routes_refused' }),
    );
  });

  test('the skill says what keeps one down, under each of its names', async () => {
    const session = await sessionOf('a');
    const inputs = { bgp_session_id: session?.id };
    const names = [
      'system-sdwan-bgp-session-remediate',
      'sdwan_bgp_session_remediate',
      'bgp-session-remediate',
    ];
    for (const skill of names) {
      expect(await remediate({ skill, inputs: { ...inputs, dry_run: true } })).toMatchObject({
        session_id: session?.id,
        state: 'active',
        likely_cause: expect.stringContaining('AS number'),
        dry_run: true,
      });
    }
    expect(await refusal('executeSkill', { skill: 'other', inputs })).toMatchObject({
      errors: [{ path: 'skill' }],
    });
    const act = { skill: names[0], inputs, dry_run: false };
    expect(await remediate(act)).toMatchObject({ carried_out: false, safe_step: null, dry_run: false });
    const both = { skill: names[0], inputs: { ...inputs, dry_run: true }, dry_run: false };
    expect(await refusal('executeSkill', both)).toMatchObject({
      errors: [{ path: 'inputs.dry_run', code: 'contradiction' }],
    });
    const absent = { bgp_session_id: '01990000-0000-7000-8000-00000000dead' };
    expect(await refusal('executeSkill', { skill: names[0], inputs: absent })).toMatchObject({ status: 404 });
  });

  test('whoever may only look may have it looked at, and has nothing done', async () => {
    const session = await sessionOf('a');
    const viewer = withPermissions(platform.admin, ['system.sdwan.routing.read']);
    const input = { skill: 'bgp-session-remediate', inputs: { bgp_session_id: session?.id } };
    expect(await platform.call('executeSkill', input, viewer)).toMatchObject({ dry_run: true });
    const acting = platform.call('executeSkill', { ...input, dry_run: false }, viewer);
    await expect(acting).rejects.toMatchObject({ code: 'permission_denied' });
    const inside = { ...input, inputs: { ...input.inputs, dry_run: false } };
    await expect(platform.call('executeSkill', inside, viewer)).rejects.toMatchObject({
      code: 'permission_denied',
    });
    const manager = withPermissions(platform.admin, ['system.sdwan.routing.manage']);
    expect(await platform.call('executeSkill', input, manager)).toMatchObject({ dry_run: true });
    const nobody = withPermissions(platform.admin, []);
    await expect(platform.call('executeSkill', input, nobody)).rejects.toMatchObject({
      code: 'permission_denied',
    });
  });

  test('FRR that is missing is named as the cause', async () => {
    const detail = 'bgpd is not installed.';
    const since = '2026-11-29T10:00:00.000Z';
    await inAccount(platform.store, platform.admin.accountId, (trx) =>
      trx
        .updateTable('instances')
        .set({
          problems: JSON.stringify([{ subsystem: 'routing', code: 'routing_daemon_missing', detail, since }]),
        })
        .where('id', '=', scene.instanceOf('a'))
        .execute(),
    );
    const session = await sessionOf('a');
    const answer = await remediate({
      skill: 'bgp-session-remediate',
      inputs: { bgp_session_id: session?.id },
    });
    expect(answer['likely_cause']).toContain('FRR is missing on a');
    expect(answer['evidence']).toContainEqual({ code: 'routing_daemon_missing', detail: `a: ${detail}` });
  });

  test('a missing route between the two is named as the cause, and no step is safe', async () => {
    const detail = 'wg-tokyo-0 is of another program.';
    const since = '2026-11-29T10:00:00.000Z';
    const problem = { subsystem: 'wireguard', code: 'interface_taken', detail, since };
    const says = (problems: readonly object[]) =>
      inAccount(platform.store, platform.admin.accountId, (trx) =>
        trx
          .updateTable('instances')
          .set({ problems: JSON.stringify(problems) })
          .where('id', '=', scene.instanceOf('b'))
          .execute(),
      );
    await reported('b', [{ state: 'Connect' }]);
    await says([problem]);
    const inputs = { bgp_session_id: (await sessionOf('b'))?.id };
    const skill = 'bgp-session-remediate';
    const answer = await remediate({ skill, inputs });
    expect(answer).toMatchObject({
      likely_cause: expect.stringContaining('There is no route between b and hub: '),
      recommended_action: expect.stringContaining('"port": 179'),
      safe_step: null,
    });
    expect(answer['evidence']).toContainEqual({ code: 'no_route', detail: expect.any(String) });
    await says([]);
    expect((await remediate({ skill, inputs }))['likely_cause']).not.toContain('no route');
    await reported('b', [{ state: null }]);
  });

  test('recovery is recorded with when it was down', async () => {
    await reported('a', [{ state: 'Established', established_at: new Date().toISOString() }]);
    const [event] = await kinds();
    expect(event).toMatchObject({ kind: 'sdwan.bgp.session.established', down_since: expect.any(String) });
    const { findings } = await run<{ findings: object[] }>('listFindings', {});
    expect(findings).toEqual([]);
    const { findings: over } = await run<{ findings: object[] }>('listFindings', {
      recovered: true,
      kind: 'sdwan.bgp_session_down',
    });
    expect(over).toMatchObject([{ recovered_at: expect.any(String) }]);
  });
});

describe('routes', () => {
  test('the path that a policy prefers is best, and the statement that did it is named', async () => {
    const { paths } = await run<{ paths: Record<string, unknown>[] }>('explainRoute', {
      peer_id: idOf('c'),
      prefix: lan,
    });
    expect(paths).toHaveLength(2);
    const best = paths.find((path) => path['best'] === true);
    expect(best).toMatchObject({
      via_peer_id: idOf('b'),
      attributes: { local_pref: 200 },
      policies: [{ seq: 10, effect: 'permits and sets local_pref 200' }],
    });
    expect(best?.['because']).toContain('No instance has reported yet');
    expect(await run('getRoutingSummary', { network_id: networkId })).toMatchObject({
      routing_mode: 'ibgp',
      as_number: 65_000,
      static_routes: [],
      bgp_routes: [
        { prefix: lan, source: `peer:${idOf('b')}`, holders: [idOf('a'), idOf('b')], best: idOf('b') },
      ],
    });
  });

  test('a session that is down is why a path does not arrive', async () => {
    await reported('b', [{ state: 'Connect' }]);
    const { paths } = await run<{ paths: Record<string, unknown>[] }>('explainRoute', {
      peer_id: idOf('c'),
      prefix: lan,
    });
    expect(paths.find((path) => path['via_peer_id'] === idOf('b'))).toMatchObject({
      best: false,
      attributes: null,
      because: expect.stringContaining('no BGP session'),
    });
  });

  test('with static routes the more preferred announcer is used, and sessions and policies rest', async () => {
    await declare('a', 300);
    const input = { network_id: networkId, routing_mode: 'static' };
    const dry = await run<{ plan: { notes: object[] } }>('updateNetwork', { ...input, dry_run: true });
    expect(dry.plan.notes).toMatchObject([{ code: 'sessions_end' }, { code: 'dependent' }]);
    const session = await sessionOf('b');
    await run('updateNetwork', input);
    expect(await sessions()).toEqual([]);
    expect(await run('getRoutingSummary', { network_id: networkId })).toMatchObject({
      routing_mode: 'static',
      static_routes: [{ prefix: lan, via_peer_id: idOf('a'), source: 'declared_lan_subnet' }],
      bgp_routes: [],
    });
    expect(await run('getBgpConfigForPeer', { peer_id: idOf('a') })).toMatchObject({ config: '' });
    const answer = await remediate({
      skill: 'bgp-session-remediate',
      inputs: { bgp_session_id: session?.id },
    });
    expect(answer['likely_cause']).toContain('static');
    await run('updateNetwork', { ...input, routing_mode: 'ibgp' });
  });

  test('the sessions of a peer that goes are gone, and a policy that names it is in the plan', async () => {
    const dry = await run<{ plan: { notes: { detail: string }[] } }>('detachPeer', {
      peer_id: idOf('b'),
      dry_run: true,
    });
    expect(dry.plan.notes.map(({ detail }) => detail).join()).toContain('prefer-tokyo-via-aggregator');
    await reported('b', [{ state: 'Established', established_at: new Date().toISOString() }]);
    await run('detachPeer', { peer_id: idOf('b'), approve: true });
    expect((await sessions()).map(({ hostname }) => hostname)).not.toContain('b');
    const rows = await inAccount(platform.store, platform.admin.accountId, (trx) =>
      trx.selectFrom('bgp_sessions').select('peer_id').execute(),
    );
    expect(rows.map((row) => row.peer_id)).not.toContain(idOf('b'));
  });
});
