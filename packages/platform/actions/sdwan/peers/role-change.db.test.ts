// A machine that is seen otherwise than when it was attached changes no role: it is proposed, with what was seen.

import { definitionOf } from '@powernode/core/actions/catalogue';
import { callNeedsPerson } from '@powernode/core/actions/define';
import type { Plan } from '@powernode/core/intent/autonomy';
import type { Event } from '@powernode/core/intent/fleet';
import type { Peer } from '@powernode/core/intent/peer';
import { roleWithdrawnPauseMs } from '@powernode/core/limits/overlay';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { followObserved } from '../../../coordination/system-actor.ts';
import { inAccount } from '../../../store/tenancy.ts';
import { startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';
import { followObservation } from '../observed/machine.ts';

let platform: TestPlatform;
let networkId: string;
let peer: Peer;
let count = 0;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.close());
beforeEach(async () => {
  const created = await run<{ network: { id: string } }>('createNetwork', { name: `network ${++count}` });
  networkId = created.network.id;
  await run('setPolicy', { category: 'system.sdwan_peer_role_change', mode: 'require_approval' });
  peer = await attach('behind a NAT');
});

async function run<Answer>(key: Parameters<TestPlatform['call']>[0], input: object): Promise<Answer> {
  return (await platform.call(key, input)) as unknown as Answer;
}

async function attach(hostname: string, publicAddress?: string): Promise<Peer> {
  const facts = publicAddress === undefined ? {} : { publicAddress };
  const node_instance_id = await platform.addMachine(platform.admin.accountId, hostname, facts);
  return (await run<{ peer: Peer }>('attachPeer', { network_id: networkId, node_instance_id })).peer;
}

/** What a hello of the machine leaves behind; answers in how long it is looked at again. */
async function seen(
  of: Peer,
  observed: string,
  addresses: readonly string[],
  at?: number,
): Promise<number | null> {
  const { accountId } = platform.admin;
  const { store, bus } = platform;
  const services = at === undefined ? platform.services : { ...platform.services, now: () => new Date(at) };
  await inAccount(store, accountId, (trx) =>
    trx
      .updateTable('instances')
      .set({
        observed_address: observed,
        addresses: JSON.stringify(addresses),
        publicly_reachable: addresses.includes(observed),
        observed_since: new Date('2026-11-29T10:00:00Z'),
      })
      .where('id', '=', of.node_instance_id)
      .execute(),
  );
  const followed = await followObserved(
    { store, bus, services },
    { accountId, action: 'observed_endpoint' },
    (context) => followObservation(context, { instanceId: of.node_instance_id }),
  );
  const { change, againMs } = followed;
  if (change !== null) platform.delivery.changed(accountId, change.sequence, change.changes);
  return againMs;
}

async function now(of: Peer): Promise<Peer> {
  return (await run<{ peer: Peer }>('getPeer', { peer_id: of.id })).peer;
}

interface Approval {
  readonly id: string;
  readonly category: string;
  readonly summary: string;
  readonly status: string;
  readonly input: Record<string, unknown>;
  readonly plan: Plan & { readonly evidence: string };
  readonly reason: string | null;
}

async function proposals(of: Peer, status?: string): Promise<Approval[]> {
  const input = status === undefined ? {} : { status };
  const { approvals } = await run<{ approvals: Approval[] }>('listApprovals', input);
  return approvals.filter((one) => one.input['peer_id'] === of.id);
}

async function events(prefix: string, of: Peer): Promise<Event[]> {
  const found = await run<{ events: Event[] }>('recentEvents', { kind_prefix: prefix, limit: 50 });
  return found.events.filter((event) => JSON.stringify(event.payload).includes(of.id));
}

describe('a spoke that lists an address later', () => {
  test('stays a spoke; a hub is proposed with the evidence, and the decision makes it one [9.7]', async () => {
    await seen(peer, '203.0.113.9', ['203.0.113.9']);
    expect(await now(peer)).toMatchObject({ role: 'spoke', endpoint: null });
    const [proposal, ...others] = await proposals(peer, 'pending');
    expect(others).toEqual([]);
    expect(proposal).toMatchObject({
      category: 'system.sdwan_peer_role_change',
      input: { peer_id: peer.id, role: 'hub', observed_address: '203.0.113.9' },
    });
    expect(proposal?.plan.fields).toContainEqual({ path: 'role', before: 'spoke', after: 'hub' });
    expect(proposal?.plan.evidence).toContain('observes it at 203.0.113.9');
    expect(proposal?.plan.evidence).toContain('since 2026-11-29T10:00:00.000Z');
    expect(proposal?.plan.nodes.map(({ hostname }) => hostname)).toContain('behind a NAT');
    const [event] = await events('sdwan.peer.role_change_proposed', peer);
    expect(event).toMatchObject({ severity: 'warning', payload: { from: 'spoke', to: 'hub' } });

    await seen(peer, '203.0.113.9', ['203.0.113.9', '10.0.0.1']);
    expect(await proposals(peer)).toHaveLength(1);
    await run('decideApproval', { approval_id: proposal?.id, decision: 'approve' });
    const after = await now(peer);
    expect(after).toMatchObject({ role: 'hub', publicly_reachable_source: 'detected' });
    expect(after.endpoint).toBe(`203.0.113.9:${after.listen_port}`);
    expect(await events('sdwan.peer.role_changed', peer)).toHaveLength(1);
  });

  test('is not asked about again once it was refused, nor when it was seen so no more [9.7]', async () => {
    await seen(peer, '203.0.113.9', ['203.0.113.9']);
    const [first] = await proposals(peer, 'pending');
    await run('decideApproval', { approval_id: first?.id, decision: 'reject' });
    await seen(peer, '203.0.113.9', ['203.0.113.9']);
    expect(await proposals(peer, 'pending')).toEqual([]);
    await seen(peer, '203.0.113.10', ['203.0.113.10']);
    const [second] = await proposals(peer, 'pending');
    expect(second?.input['observed_address']).toBe('203.0.113.10');
    await seen(peer, '203.0.113.10', ['10.0.0.1']);
    const withdrawn = (await proposals(peer)).find(({ id }) => id === second?.id);
    expect(withdrawn).toMatchObject({ status: 'rejected', reason: expect.stringContaining('Withdrawn') });
    expect((await now(peer)).role).toBe('spoke');
  });

  test('is asked about more and more seldom when its evidence comes and goes, and at last when it stays [9.7]', async () => {
    const since = Date.now();
    const hour = 60 * 60 * 1000;
    // It comes back every four seconds for three hours, with its address and without it by turns.
    let at = since;
    for (let i = 0; at - since < 3 * hour; i++) {
      const listed = i % 2 === 0;
      const againMs = await seen(peer, '203.0.113.9', listed ? ['203.0.113.9'] : ['10.0.0.1'], at);
      const waiting = await proposals(peer, 'pending');
      expect(waiting).toHaveLength(listed && againMs === null ? 1 : 0);
      // What would be the same in between is left out.
      at += listed && againMs !== null ? Math.ceil(againMs / 8_000) * 8_000 - 4_000 : 4_000;
    }
    // 1 + 2 + 4 + … minutes: 2^7 - 1 of them are over.
    expect(await proposals(peer)).toHaveLength(8);
    expect(await events('sdwan.peer.role_change_proposed', peer)).toHaveLength(8);
    // The pause of 128 minutes is over as well: it is asked once more, taken back at once, and asked when it stays.
    expect(await seen(peer, '203.0.113.9', ['203.0.113.9'], at)).toBe(null);
    await seen(peer, '203.0.113.9', ['10.0.0.1'], at);
    const pauseMs = await seen(peer, '203.0.113.9', ['203.0.113.9'], at);
    expect(pauseMs).toBe(roleWithdrawnPauseMs * 2 ** 8);
    expect(await proposals(peer, 'pending')).toEqual([]);
    expect(await seen(peer, '203.0.113.9', ['203.0.113.9'], at + (pauseMs ?? 0))).toBe(null);
    expect(await proposals(peer, 'pending')).toHaveLength(1);
  });

  test('is asked about no more often when each address is another one [9.7]', async () => {
    for (let i = 1; i <= 20; i++) await seen(peer, `203.0.113.${i}`, [`203.0.113.${i}`]);
    expect(await proposals(peer)).toHaveLength(1);
    expect(await proposals(peer, 'pending')).toEqual([]);
  });

  test('gets nothing by a decision on what is not so any more [9.7]', async () => {
    await seen(peer, '203.0.113.9', ['203.0.113.9']);
    const [proposal] = await proposals(peer, 'pending');
    // The machine says something else, and what follows from that is not written yet.
    await inAccount(platform.store, platform.admin.accountId, (trx) =>
      trx
        .updateTable('instances')
        .set({ observed_address: '203.0.113.66', addresses: JSON.stringify(['203.0.113.66']) })
        .where('id', '=', peer.node_instance_id)
        .execute(),
    );
    const { approval } = await run<{ approval: Approval }>('decideApproval', {
      approval_id: proposal?.id,
      decision: 'approve',
    });
    expect(approval.status).toBe('failed');
    expect((await now(peer)).role).toBe('spoke');
  });

  test('becomes a hub at once where the policy says so, and never where it is blocked [9.7]', async () => {
    const category = 'system.sdwan_peer_role_change';
    await run('setPolicy', { category, mode: 'blocked', approve: true });
    await seen(peer, '203.0.113.9', ['203.0.113.9']);
    expect((await now(peer)).role).toBe('spoke');
    expect(await proposals(peer)).toEqual([]);
    await run('setPolicy', { category, mode: 'notify_and_proceed', approve: true });
    await seen(peer, '203.0.113.9', ['203.0.113.9']);
    expect((await now(peer)).role).toBe('hub');
  });

  test('is changed by an operator only to what is seen, once, and by a model not without a person [9.7]', async () => {
    const change = { peer_id: peer.id, role: 'hub' };
    await expect(run('changePeerRole', { ...change, approve: true })).rejects.toThrow(
      'not observed as a hub',
    );
    await seen(peer, '203.0.113.9', ['203.0.113.9']);
    const { pending } = await run<{ pending: boolean }>('changePeerRole', change);
    expect(pending).toBe(true);
    expect((await now(peer)).role).toBe('spoke');
    await run('changePeerRole', { ...change, approve: true });
    const { revision } = await now(peer);
    await run('changePeerRole', { ...change, approve: true });
    expect(await now(peer)).toMatchObject({ role: 'hub', revision });
    expect(callNeedsPerson(definitionOf('changePeerRole'), change)).toBe(true);
  });

  test('that was declared to be one is not asked about [9.7]', async () => {
    await run('updatePeer', { peer_id: peer.id, publicly_reachable: false });
    await seen(peer, '203.0.113.9', ['203.0.113.9']);
    expect(await proposals(peer)).toEqual([]);
  });
});

test('the plan of an attach says what a machine becomes, and because of what [9.7]', async () => {
  const node_instance_id = await platform.addMachine(platform.admin.accountId, 'public', {
    publicAddress: '203.0.113.20',
  });
  const place = { network_id: networkId, node_instance_id };
  const { plan } = await run<{ plan: Plan }>('attachPeer', { ...place, dry_run: true });
  expect(plan.notes).toContainEqual({
    code: 'role',
    detail:
      '"public" is a hub because it was detected: the platform observes it at 203.0.113.20, which is a public address of its own.',
  });
  const { peer: attached } = await run<{ peer: Peer }>('attachPeer', place);
  expect(attached.role_because).toContain('203.0.113.20');
});

test('a hub that lost its address stays a hub at its place until somebody decides [9.7]', async () => {
  const hub = await attach('hub', '203.0.113.30');
  const place = `203.0.113.30:${hub.listen_port}`;
  expect(hub).toMatchObject({ role: 'hub', endpoint: place });
  await seen(hub, '198.51.100.9', ['10.0.0.7']);
  expect(await now(hub)).toMatchObject({ role: 'hub', endpoint: place });
  const [proposal] = await proposals(hub, 'pending');
  expect(proposal?.input).toMatchObject({ role: 'spoke' });
  expect(proposal?.plan.evidence).toContain('it is behind NAT');
  await run('decideApproval', { approval_id: proposal?.id, decision: 'approve' });
  expect(await now(hub)).toMatchObject({ role: 'spoke', endpoint: null });
});

test('a hub that is seen at another public address of its own is met there, and stays one [9.7]', async () => {
  const hub = await attach('mover', '203.0.113.40');
  await seen(hub, '203.0.113.41', ['203.0.113.41']);
  expect(await now(hub)).toMatchObject({ role: 'hub', endpoint: `203.0.113.41:${hub.listen_port}` });
  expect(await proposals(hub)).toEqual([]);
});
