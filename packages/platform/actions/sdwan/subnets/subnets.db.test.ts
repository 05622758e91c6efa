// Lists of LANs behind peers: replaced, withdrawn, refused.
import { randomUUID } from 'node:crypto';
import type { ActionKey } from '@powernode/core/actions/catalogue';
import type { Plan } from '@powernode/core/intent/autonomy';
import type { Event } from '@powernode/core/intent/fleet';
import type { Peer } from '@powernode/core/intent/peer';
import type { SubnetAdvertisement } from '@powernode/core/intent/subnet';
import { lanSubnetsPerPeerMax, subnetsPerNetworkMax } from '@powernode/core/limits/overlay';
import type { UnderlayFact } from '@powernode/core/net/underlay';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { inAccount } from '../../../store/tenancy.ts';
import { startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';

let platform: TestPlatform;
let scene: { readonly networkId: string; readonly edge: Peer; readonly other: Peer };
let count = 0;

beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.close());
beforeEach(async () => {
  count++;
  const { network } = await run<{ network: { id: string } }>('createNetwork', { name: `lans ${count}` });
  scene = {
    networkId: network.id,
    edge: await attach(network.id, `edge-${count}`),
    other: await attach(network.id, `other-${count}`),
  };
});

async function run<Result>(key: ActionKey, input: object): Promise<Result> {
  return (await platform.call(key, input)) as unknown as Result;
}

async function attach(networkId: string, hostname: string, underlay: readonly UnderlayFact[] = []) {
  const machine = await platform.addMachine(platform.admin.accountId, hostname, { underlay });
  return (await run<{ peer: Peer }>('attachPeer', { network_id: networkId, node_instance_id: machine })).peer;
}

async function declare(peer: Peer, subnets: readonly object[], more: object = {}) {
  const input = { peer_id: peer.id, subnets, ...more };
  return (await run<{ subnet_advertisements: SubnetAdvertisement[] }>('declareLanSubnets', input))
    .subnet_advertisements;
}

async function list(more: object = {}): Promise<SubnetAdvertisement[]> {
  const input = { network_id: scene.networkId, withdrawn: false, ...more };
  return (await run<{ subnet_advertisements: SubnetAdvertisement[] }>('listSubnetAdvertisements', input))
    .subnet_advertisements;
}

const prefixes = (rows: readonly SubnetAdvertisement[]) => rows.map(({ prefix }) => prefix);
const office = { prefix: '192.168.7.0/24' };
const branch = { prefix: 'fd00:8::/64' };

async function refusalOf(work: Promise<unknown>) {
  const error = await work.then(
    () => null,
    (refusal: { code: string; fields?: { path: string; code: string }[] }) => refusal,
  );
  return error === null
    ? null
    : [error.code, ...(error.fields ?? []).map(({ path, code }) => `${path} ${code}`)].join(', ');
}

describe('a declared list', () => {
  test('is the LANs of the peer, with defaults where nothing is said', async () => {
    const [first, second] = await declare(scene.edge, [
      office,
      { ...branch, description: 'Osaka', preference: 7, source_nat: true },
    ]);
    expect(first).toMatchObject({
      ...office,
      network_id: scene.networkId,
      peer_id: scene.edge.id,
      hostname: `edge-${count}`,
      local_prefix: office.prefix,
      source: 'declared_lan_subnet',
      description: '',
      preference: 100,
      source_nat: false,
      withdrawn_at: null,
      revision: 1,
    });
    expect(second).toMatchObject({ ...branch, description: 'Osaka', preference: 7, source_nat: true });
    const { events } = await run<{ events: Event[] }>('recentEvents', {
      kind_prefix: 'sdwan.peer.lan',
      limit: 1,
    });
    expect(events[0]).toMatchObject({
      kind: 'sdwan.peer.lan_subnets_updated',
      payload: {
        before: { id: scene.edge.id, lan_subnets: [] },
        after: { id: scene.edge.id, lan_subnets: [office, branch] },
      },
    });
  });

  test('replaces the one before: what stays is the same object, what is the same is not written', async () => {
    const [before] = await declare(scene.edge, [office, branch]);
    const [same] = await declare(scene.edge, [office]);
    expect(same).toEqual(before);
    const [changed] = await declare(scene.edge, [{ ...office, preference: 200 }]);
    expect(changed).toMatchObject({ id: before?.id, preference: 200, revision: 2 });
    expect(prefixes(await list())).toEqual([office.prefix]);
  });

  test('withdraws what it has no longer, which comes back with the same id', async () => {
    const [before] = await declare(scene.edge, [office]);
    expect(await declare(scene.edge, [])).toEqual([]);
    expect(await list()).toEqual([]);
    const [withdrawn] = await list({ withdrawn: true });
    expect(withdrawn).toMatchObject({ id: before?.id, withdrawn_at: expect.any(String) });
    expect(await declare(scene.edge, [])).toEqual([]);
    const [again] = await declare(scene.edge, [office]);
    expect(again).toMatchObject({ id: before?.id, withdrawn_at: null });
    expect(await list({ withdrawn: true })).toEqual([]);
  });

  test('is tried without being written', async () => {
    const answer = await run<{ plan: Plan }>('declareLanSubnets', {
      peer_id: scene.edge.id,
      subnets: [office],
      dry_run: true,
    });
    expect(answer.plan.node_count).toBe(2);
    expect(await list()).toEqual([]);
  });

  test('may have a prefix that another peer has too', async () => {
    await declare(scene.edge, [office]);
    await declare(scene.other, [{ ...office, preference: 200 }]);
    expect((await list()).map(({ hostname, preference }) => `${hostname} ${preference}`)).toEqual([
      `edge-${count} 100`,
      `other-${count} 200`,
    ]);
  });

  test('of two that are written at once with a revision, one is refused', async () => {
    const { revision } = scene.edge;
    await declare(scene.edge, [office], { if_revision: revision });
    const late = declare(scene.edge, [branch], { if_revision: revision });
    expect(await refusalOf(late)).toBe('revision_conflict');
    expect(prefixes(await declare(scene.edge, [office], { if_revision: revision + 1 }))).toEqual([
      office.prefix,
    ]);
    // The same list is no change.
    await declare(scene.edge, [branch], { if_revision: revision + 1 });
  });
});

describe('a list is refused, with the place and before anything is written,', () => {
  const refused = async (subnets: readonly object[], peer = scene.edge) => {
    const answer = await refusalOf(declare(peer, subnets));
    expect(await list()).toEqual([]);
    return answer;
  };

  test.each([
    ['a default route', [office, { prefix: '0.0.0.0/0' }], 'subnets.1.prefix not_routable'],
    ['link-local addresses', [{ prefix: '169.254.7.0/24' }], 'subnets.0.prefix not_routable'],
    [
      'a local prefix that is special',
      [{ ...office, local_prefix: '127.0.0.0/24' }],
      'subnets.0.local_prefix not_routable',
    ],
    [
      'a local prefix of another length',
      [{ ...office, local_prefix: '10.0.0.0/16' }],
      'subnets.0.local_prefix other_size',
    ],
    [
      'a local prefix of the other family',
      [{ ...office, local_prefix: 'fd00::/24' }],
      'subnets.0.local_prefix other_size',
    ],
    ['a prefix twice', [office, branch, office], 'subnets.2.prefix repeated'],
    [
      'one local prefix for two',
      [
        { ...office, local_prefix: '10.0.0.0/24' },
        { prefix: '192.168.8.0/24', local_prefix: '10.0.0.0/24' },
      ],
      'subnets.1.local_prefix overlap',
    ],
    [
      'a translated prefix inside of another one',
      [{ prefix: '192.168.0.0/16' }, { ...office, local_prefix: '10.0.0.0/24' }],
      'subnets.1.prefix overlap',
    ],
    [
      'several faults at once',
      [{ prefix: '::/0' }, office, office],
      'subnets.0.prefix not_routable, subnets.2.prefix repeated',
    ],
  ])('for %s', async (_, subnets, places) => {
    expect(await refused(subnets)).toBe(`validation_failed, ${places}`);
  });

  test('for host bits, and for too many prefixes', async () => {
    expect(await refused([{ prefix: '192.168.7.1/24' }])).toMatch(/^validation_failed, subnets\.0\.prefix /);
    const many = Array.from({ length: lanSubnetsPerPeerMax + 1 }, (_, i) => ({ prefix: `10.1.${i}.0/24` }));
    expect(await refused(many)).toMatch(/^validation_failed, subnets /);
  });

  test('for a block of a network of the account', async () => {
    const { network } = await run<{ network: { prefix: string; ipv4_prefix: string } }>('getNetwork', {
      network_id: scene.networkId,
    });
    expect(await refused([office, { prefix: network.prefix }])).toBe('conflict, subnets.1.prefix overlap');
    expect(await refused([{ prefix: network.ipv4_prefix }])).toBe('conflict, subnets.0.prefix overlap');
  });

  test.each(['resolver', 'gateway', 'platform'] as const)(
    'nor is an instance attached whose %s a LAN of the network covers, until that is withdrawn [9.10]',
    async (kind) => {
      await declare(scene.edge, [office]);
      const fact = { kind, at: '192.168.7.53/32', interface: null } as const;
      expect(await refusalOf(attach(scene.networkId, `late-${kind}-${count}`, [fact]))).toBe(
        'conflict, node_instance_id covers_underlay',
      );
      // One that is in such a network itself keeps its own route to it.
      await attach(scene.networkId, `inside-${kind}-${count}`, [
        fact,
        { kind: 'network', at: '192.168.7.0/24', interface: 'eth0' },
      ]);
      await declare(scene.edge, []);
      await attach(scene.networkId, `free-${kind}-${count}`, [fact]);
    },
  );

  test('for what another instance of the network reaches by its default route, and not for its own', async () => {
    const resolver = [{ kind: 'resolver', at: '192.168.7.53/32', interface: 'eth0' }] as const;
    const far = await attach(scene.networkId, `far-${count}`, resolver);
    expect(await refused([office])).toBe('conflict, subnets.0.prefix covers_underlay');
    expect(prefixes(await declare(far, [office]))).toEqual([office.prefix]);
  });

  test('for a peer that there is not', async () => {
    const peer = { ...scene.edge, id: randomUUID() };
    expect(await refusalOf(declare(peer, [office]))).toBe('not_found');
  });

  test('for a network that would have too many, counting no withdrawn ones', async () => {
    await fill(subnetsPerNetworkMax - 1);
    await declare(scene.edge, [office]);
    expect(await refusalOf(declare(scene.edge, [office, branch]))).toBe('limit_reached');
    // Another one in its place is no more than before.
    expect(prefixes(await declare(scene.edge, [branch]))).toEqual([branch.prefix]);
    expect(prefixes(await declare(scene.edge, [office]))).toEqual([office.prefix]);
    expect(await refusalOf(declare(scene.other, [office]))).toBe('limit_reached');
  });

  /** Rows of the other peer, of another source. */
  async function fill(rows: number): Promise<void> {
    const one = (i: number) => ({
      id: randomUUID(),
      account_id: platform.admin.accountId,
      network_id: scene.networkId,
      peer_id: scene.other.id,
      prefix: `10.${100 + (i >> 8)}.${i & 255}.0/24`,
      local_prefix: `10.${100 + (i >> 8)}.${i & 255}.0/24`,
      source: 'pod_subnet' as const,
      description: '',
      preference: 100,
      source_nat: false,
      withdrawn_at: null,
    });
    await inAccount(platform.store, platform.admin.accountId, async (trx) => {
      for (let from = 0; from < rows; from += 1000) {
        const values = Array.from({ length: Math.min(1000, rows - from) }, (_, i) => one(from + i));
        await trx.insertInto('subnet_advertisements').values(values).execute();
      }
    });
  }
});

test('the list of a network can be asked for one peer, one source, and what is withdrawn', async () => {
  await declare(scene.edge, [office]);
  await declare(scene.other, [branch]);
  expect(prefixes(await list({ peer_id: scene.other.id }))).toEqual([branch.prefix]);
  expect(prefixes(await list({ source: 'declared_lan_subnet' }))).toEqual([office.prefix, branch.prefix]);
  expect(await list({ source: 'pod_subnet' })).toEqual([]);
  const first = await run<{ next_cursor: string | null }>('listSubnetAdvertisements', {
    network_id: scene.networkId,
    limit: 1,
  });
  expect(prefixes(await list({ limit: 1, cursor: first.next_cursor }))).toEqual([branch.prefix]);
  expect(await refusalOf(list({ peer_id: randomUUID() }))).toBe('not_found');
});

test('the list of a network has what is withdrawn too, unless it is asked for one of both', async () => {
  await declare(scene.edge, [office, branch]);
  await declare(scene.edge, [office]);
  const withTimes = (rows: readonly SubnetAdvertisement[]) =>
    rows.map(({ prefix, withdrawn_at: at }) => [prefix, at === null]);
  const both = await list({ withdrawn: undefined });
  expect(withTimes(both)).toEqual([
    [office.prefix, true],
    [branch.prefix, false],
  ]);
  expect(withTimes(await list({ withdrawn: false }))).toEqual([[office.prefix, true]]);
  expect(withTimes(await list({ withdrawn: true }))).toEqual([[branch.prefix, false]]);
});

test('the plan of a detach says what happens to the prefixes behind the peer', async () => {
  await declare(scene.edge, [office, branch]);
  await declare(scene.other, [office]);
  const { plan } = await run<{ plan: Plan }>('detachPeer', { peer_id: scene.edge.id, dry_run: true });
  const texts = JSON.stringify(plan);
  expect(texts).toContain(`${office.prefix} is behind edge-${count}: it is reached by another peer`);
  expect(texts).toContain(`${branch.prefix} is behind edge-${count}: it is not reached from the network`);
});
