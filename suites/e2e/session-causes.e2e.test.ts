// Sessions of BGP between real machines with real FRR that are made to fail, as the rows of the runbook's troubleshooting
// table have it: what the skill says of each, and its safe step. Needs root and FRR.
import { existsSync } from 'node:fs';
import { autonomyActions } from '@powernode/core/actions/autonomy';
import type { OutputOf } from '@powernode/core/actions/define';
import { fleetActions } from '@powernode/core/actions/fleet';
import { routingActions } from '@powernode/core/actions/routing';
import { sdwanActions } from '@powernode/core/actions/sdwan';
import { skillActions } from '@powernode/core/actions/skills';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Call } from '../../packages/lab/fleet/api.ts';
import { type Lab, upSpec } from '../../packages/lab/lab.ts';
import { ownLabFolder, uniqueName } from '../../packages/lab/testing/scene.ts';

const canRun = process.platform === 'linux' && process.getuid?.() === 0 && existsSync('/usr/lib/frr/bgpd');
const waitMs = 60_000;

type Session = OutputOf<typeof routingActions.getBgpSessions>['sessions'][number];
type Said = OutputOf<typeof skillActions.executeSkill>;

describe.skipIf(!canRun)('a session that fails', () => {
  let lab: Lab;
  let removeFolder: () => Promise<void>;
  let call: Call;
  let networkId = '';
  const addresses = new Map<string, string>();

  beforeAll(async () => {
    removeFolder = await ownLabFolder();
    lab = await upSpec({
      name: uniqueName('causes'),
      platforms: [{ name: 'main' }],
      hosts: [
        { name: 'hub1', on: 'public', role: 'hub' },
        { name: 'edge1', on: 'public' },
        { name: 'edge2', on: 'public' },
      ],
      networks: [{ name: 'office', hosts: ['hub1', 'edge1', 'edge2'] }],
    });
    call = await lab.platform('main');
    const { networks } = await call(sdwanActions.listNetworks, {});
    networkId = networks[0]?.id ?? '';
    await call(sdwanActions.updateNetwork, { network_id: networkId, routing_mode: 'ibgp', approve: true });
    const { peers } = await call(sdwanActions.listPeers, { limit: 500 });
    for (const { hostname, host_address } of peers) addresses.set(hostname, host_address);
  });
  afterAll(async () => {
    await lab?.down();
    await removeFolder();
  });

  async function sessionOf(own: string, other: string): Promise<Session> {
    const { sessions } = await call(routingActions.getBgpSessions, { network_id: networkId });
    const found = sessions.find((one) => one.hostname === own && one.neighbor_hostname === other);
    if (found === undefined) throw new Error(`${own} has no session with ${other}`);
    return found;
  }

  const becomes = (own: string, other: string, state: string) =>
    expect.poll(async () => (await sessionOf(own, other)).state, { timeout: waitMs }).toBe(state);

  async function look(own: string, other: string): Promise<Said> {
    const { id } = await sessionOf(own, other);
    const skill = 'system-sdwan-bgp-session-remediate';
    return call(skillActions.executeSkill, { skill, inputs: { bgp_session_id: id } });
  }

  /** What the skill takes for the cause, once it is the expected one. */
  const says = (own: string, other: string, cause: RegExp) =>
    expect.poll(async () => (await look(own, other)).likely_cause, { timeout: waitMs }).toMatch(cause);

  /** Commands of the bgpd of a host. */
  async function vtysh(host: string, ...lines: string[]): Promise<void> {
    const commands = lines.map((line) => `-c '${line}'`).join(' ');
    const folder = `/run/powernode-frr/*-$(stat -L -c %i /proc/self/ns/net)/bgpd-${networkId}`;
    const args = ['-c', `exec vtysh --vty_socket ${folder} ${commands}`];
    const { exitCode, stdout, stderr } = await lab.exec(host, { program: 'sh', args });
    expect([exitCode, exitCode === 0 ? '' : `${stdout}${stderr}`]).toEqual([0, '']);
  }

  const nft = async (host: string, text: string) => {
    const { exitCode, stderr } = await lab.exec(host, { program: 'nft', args: [text] });
    expect([exitCode, stderr]).toEqual([0, '']);
  };

  test('is shown by agent status as the others are', async () => {
    for (const edge of ['edge1', 'edge2']) await becomes('hub1', edge, 'Established');
    const status = async (host: string, ...more: string[]) => {
      const cli = new URL('../../powernode', import.meta.url).pathname;
      const env = Object.entries(lab.environment(host)).map(([name, value]) => `${name}=${value}`);
      const args = [...env, cli, 'agent', 'status', ...more];
      const { exitCode, stdout, stderr } = await lab.exec(host, { program: 'env', args });
      expect([exitCode, exitCode === 0 ? '' : stderr]).toEqual([0, '']);
      return stdout;
    };
    const hub = addresses.get('hub1') ?? '';
    expect(await status('edge1')).toMatch(
      new RegExp(`^bgp {8}wg-\\S+ with ${hub} Established for \\S+, 0 prefixes received$`, 'm'),
    );
    const { bgp_sessions: sessions } = JSON.parse(await status('hub1', '--json')) as {
      bgp_sessions: { neighbor: string; state: string }[];
    };
    expect(new Map(sessions.map(({ neighbor, state }) => [neighbor, state]))).toEqual(
      new Map(['edge1', 'edge2'].map((edge) => [addresses.get(edge), 'Established'])),
    );
  });

  test('because the ports of BGP are closed on the way: it does not answer, and the safe step is done once', async () => {
    await nft(
      'edge1',
      'table inet test_closed { chain test_input { type filter hook input priority -500; tcp dport 179 drop; tcp sport 179 drop; }; }',
    );
    await says('hub1', 'edge1', /^edge1 does not answer on TCP port 179 \(BGP\)/);
    // The kernel goes on trying, in which FRR is in either of the two.
    expect((await sessionOf('hub1', 'edge1')).state).toMatch(/^(?:Active|Connect)$/);
    const { id } = await sessionOf('hub1', 'edge1');
    const skill = 'bgp_session_remediate';
    const input = { skill, inputs: { bgp_session_id: id }, dry_run: false };
    await expect(call(skillActions.executeSkill, input)).rejects.toMatchObject({ refusal: 'pending' });
    expect((await sessionOf('hub1', 'edge1')).last_reset).toBeNull();
    const { approvals } = await call(autonomyActions.listApprovals, { status: 'pending' });
    expect(approvals).toMatchObject([{ summary: 'Run a skill: clear the BGP session of hub1 with edge1' }]);
    const approval_id = approvals[0]?.id ?? '';
    await call(autonomyActions.decideApproval, { approval_id, decision: 'approve' });
    await expect
      .poll(async () => (await sessionOf('hub1', 'edge1')).last_reset?.done_at ?? null, { timeout: waitMs })
      .not.toBeNull();
    const { events } = await call(fleetActions.recentEvents, {
      kind_prefix: 'sdwan.bgp.session.reset',
      limit: 10,
    });
    expect(events.map(({ kind }) => kind)).toEqual([
      'sdwan.bgp.session.reset',
      'sdwan.bgp.session.reset_requested',
    ]);
    await nft('edge1', 'delete table inet test_closed');
    await becomes('hub1', 'edge1', 'Established');
    // The other session of the hub goes on, and the same reset is not done again.
    const uptime = (await sessionOf('hub1', 'edge2')).uptime_seconds ?? 0;
    await lab.killAgent('hub1');
    await lab.startAgent('hub1');
    await becomes('hub1', 'edge1', 'Established');
    await expect
      .poll(async () => (await sessionOf('hub1', 'edge2')).uptime_seconds ?? 0, { timeout: waitMs })
      .toBeGreaterThan(uptime);
    const again = await call(fleetActions.recentEvents, {
      kind_prefix: 'sdwan.bgp.session.reset',
      limit: 10,
    });
    expect(again.events).toHaveLength(2);
  });

  test('because the bgpd at the other end has another AS number: that is the cause, and nothing is safe', async () => {
    const hub = addresses.get('hub1') ?? '';
    const { account_bgp: numbers } = await call(routingActions.getAccountBgp, {});
    await vtysh(
      'edge1',
      'configure terminal',
      `no router bgp ${numbers.as_number}`,
      'router bgp 65333',
      `neighbor ${hub} remote-as ${numbers.as_number}`,
      `neighbor ${hub} update-source ${addresses.get('edge1') ?? ''}`,
      `neighbor ${hub} ebgp-multihop 4`,
      `neighbor ${hub} timers connect 1`,
    );
    await says('hub1', 'edge1', /^The two ends have different AS numbers/);
    await becomes('hub1', 'edge1', 'Idle');
    const said = await look('hub1', 'edge1');
    expect(said).toMatchObject({ safe_step: null });
    await lab.killAgent('edge1');
    await lab.startAgent('edge1');
    await becomes('hub1', 'edge1', 'Established');
  });

  test('because the neighbor is gone: it is not reachable, and the session is back with it', async () => {
    await lab.kill('edge1');
    await says('hub1', 'edge1', /^edge1 is not reachable: /);
    const { id, state } = await sessionOf('hub1', 'edge1');
    expect(state).toMatch(/^(?:Idle|Connect|Active)$/);
    const skill = 'bgp-session-remediate';
    const input = { skill, inputs: { bgp_session_id: id }, dry_run: false };
    expect(await call(skillActions.executeSkill, input)).toMatchObject({
      carried_out: false,
      safe_step: null,
    });
    await lab.start('edge1');
    await becomes('hub1', 'edge1', 'Established');
  });
});
