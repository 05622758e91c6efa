// Prefixes of pods, refused where they overlap anything of the account, and what overlaps them.
import type { Peer } from '@powernode/core/intent/peer';
import type { SubnetAdvertisement } from '@powernode/core/intent/subnet';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestPlatform } from '../../../testing/test-platform.ts';
import {
  attach,
  create,
  fresh,
  freshPods,
  network,
  openPods,
  refusalOf,
  run,
  update,
} from './pods-scene.fixture.ts';

let platform: TestPlatform;

beforeAll(async () => {
  platform = await openPods();
});
afterAll(() => platform.close());

describe('a prefix of pods is refused, with what it overlaps, where it', () => {
  test('shares addresses with a prefix, an IPv4 prefix or pods of a network of the account', async () => {
    const other = await create({ ipv4_prefix: '10.77.0.0/18', pod_subnet_prefix: 'fd77::/56' });
    for (const [pods, what] of [
      [other.prefix, `${other.prefix} overlaps the prefix of network "${other.name}"`],
      ['10.77.0.0/16', `the ipv4_prefix of network "${other.name}"`],
      ['fd77::/60', `the pod_subnet_prefix of network "${other.name}"`],
    ] as const) {
      const net = await create();
      const given = { pod_subnet_prefix: pods };
      for (const work of [() => create(given), () => update(net, given)]) {
        const refused = await refusalOf(work());
        expect(refused?.is).toBe('conflict pod_subnet_prefix overlap');
        expect(refused?.detail).toContain(what);
      }
      expect(await network(net.id)).toMatchObject({ pod_subnet_prefix: null, flannel: null });
    }
  });

  test('shares addresses with its own network', async () => {
    const own = create({ prefix: 'fd78::/64', pod_subnet_prefix: 'fd78::/60' });
    expect((await refusalOf(own))?.is).toBe('conflict pod_subnet_prefix overlap');
    const ipv4Prefix = create({ ipv4_prefix: '10.78.0.0/18', pod_subnet_prefix: '10.78.0.0/16' });
    expect((await refusalOf(ipv4Prefix))?.detail).toContain('ipv4_prefix');
  });

  test('shares addresses with a LAN behind a peer, as the network or as the LAN itself knows it', async () => {
    const office = await create();
    const edge = await attach(office);
    const subnets = [
      { prefix: '192.168.79.0/24' },
      { prefix: '10.79.1.0/24', local_prefix: '172.16.79.0/24' },
    ];
    await run('declareLanSubnets', { peer_id: edge.id, subnets });
    const net = await create();
    for (const pods of ['192.168.64.0/18', '10.79.0.0/16', '172.16.64.0/18']) {
      const refused = await refusalOf(update(net, { pod_subnet_prefix: pods }));
      expect(refused?.is).toBe('conflict pod_subnet_prefix overlap');
      expect(refused?.detail).toContain(`behind "${edge.hostname}"`);
    }
    await run('declareLanSubnets', { peer_id: edge.id, subnets: [] });
    expect((await update(net, { pod_subnet_prefix: '10.79.0.0/16' })).network).toMatchObject({
      pod_subnet_prefix: '10.79.0.0/16',
    });
  });

  test('has no room for slices, or is IPv4 where the network is not', async () => {
    const small = await refusalOf(create({ pod_subnet_prefix: '10.80.0.0/25' }));
    expect(small?.is).toBe('validation_failed pod_subnet_prefix too_small');
    const alone = await refusalOf(create({ pod_subnet_prefix: '10.80.0.0/16', ipv4_prefix: null }));
    expect(alone?.is).toBe('validation_failed pod_subnet_prefix ipv4_needed');
    const net = await create({ pod_subnet_prefix: '10.80.0.0/16' });
    const without = await refusalOf(update(net, { ipv4_prefix: null }));
    expect(without?.is).toBe('validation_failed ipv4_prefix ipv4_needed');
    expect(await create({ pod_subnet_prefix: 'fd80::/56', ipv4_prefix: null })).toMatchObject({
      flannel: { cluster_cidr: 'fd80::/56' },
    });
  });

  test('covers what a member needs, but for what a cluster made there itself', async () => {
    const net = await create();
    await attach(net, {}, [
      { kind: 'network', at: '10.81.1.0/24', interface: 'cni0' },
      { kind: 'network', at: '10.81.2.0/24', interface: 'flannel.1' },
      { kind: 'network', at: '10.82.1.0/24', interface: 'eth1' },
    ]);
    const refused = await refusalOf(update(net, { pod_subnet_prefix: '10.82.0.0/16' }));
    expect(refused?.is).toBe('conflict pod_subnet_prefix covers_underlay');
    await update(net, { pod_subnet_prefix: '10.81.0.0/16' });
  });
});

describe('what comes after a prefix of pods is refused where it overlaps it:', () => {
  test('a network, a LAN, a virtual IP, and an instance that would lose something', async () => {
    const pods = freshPods();
    const net = await create({ pod_subnet_prefix: pods });
    const part = pods.replace('0.0/16', '7.0/24');
    const what = `the pod_subnet_prefix of network "${net.name}"`;
    const networkRefused = await refusalOf(create({ ipv4_prefix: part }));
    expect(networkRefused?.is).toBe('conflict ipv4_prefix overlap');
    expect(networkRefused?.detail).toContain(what);
    const edge = await attach(await create());
    for (const [subnet, path] of [
      [{ prefix: part }, 'prefix'],
      [{ prefix: '192.168.83.0/24', local_prefix: part }, 'local_prefix'],
    ] as const) {
      const lan = await refusalOf(run('declareLanSubnets', { peer_id: edge.id, subnets: [subnet] }));
      expect(lan?.is).toBe(`conflict subnets.0.${path} overlap`);
      expect(lan?.detail).toContain(`${pods}, the pod_subnet_prefix`);
    }
    const six = await create({ pod_subnet_prefix: 'fd84::/56' });
    const holder = await attach(six);
    const virtualIp = await refusalOf(
      run('createVirtualIp', {
        network_id: six.id,
        name: 'api',
        primary_holder_peer_id: holder.id,
        address: 'fd84::7',
      }),
    );
    expect(virtualIp?.is).toBe('validation_failed address unfit_address');
    const resolver = [{ kind: 'resolver', at: part.replace('0/24', '53/32'), interface: null }] as const;
    const machine = await refusalOf(attach(net, {}, resolver));
    expect(machine?.is).toBe('conflict node_instance_id covers_underlay');
  });

  test('nothing of another account, whose prefixes may be the same', async () => {
    const pods = freshPods();
    await create({ pod_subnet_prefix: pods });
    const { account } = await run<{ account: { id: string } }>('createAccount', { name: `other ${fresh()}` });
    const { operator } = await run<{ operator: { id: string } }>('createOperator', {
      account_id: account.id,
      name: `owner ${fresh()}`,
      role: 'owner',
    });
    const { api_token: token } = await run<{ api_token: { token: string } }>('createApiToken', {
      operator_id: operator.id,
      name: 'token',
    });
    const theirs = await platform.callerOf(token.token);
    const same = await create({ pod_subnet_prefix: pods }, theirs);
    expect(same).toMatchObject({ pod_subnet_prefix: pods });
    const instance = await platform.addMachine(account.id, `theirs-${fresh()}`);
    const { peer } = await run<{ peer: Peer }>(
      'attachPeer',
      { network_id: same.id, node_instance_id: instance },
      theirs,
    );
    expect(peer.pod_subnet).toBe(pods.replace('0.0/16', '255.0/24'));
    // Of this account it is an absent peer, and its slice is nobody's here.
    const foreign = run('updatePeer', { peer_id: peer.id, pod_subnet: null });
    expect((await refusalOf(foreign))?.is).toMatch(/^not_found/);
    const { subnet_advertisements: all } = await run<{ subnet_advertisements: SubnetAdvertisement[] }>(
      'listSubnetAdvertisements',
      { source: 'pod_subnet', limit: 500 },
    );
    expect(all.some(({ peer_id }) => peer_id === peer.id)).toBe(false);
  });
});
