// The agent on real hosts (network namespaces): a hub and two spokes, what happens to their packets when agents die,
// people meddle and platforms vanish. Needs root.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Fleet, Flow, handshakes, pings, until } from './fixtures/agents.ts';
import { addressOf, leaf, peerOf, spokeDocument } from './fixtures/documents.ts';
import type { Host } from './fixtures/stage.ts';

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;

describe.skipIf(!isRoot)('agents of a hub and two spokes', () => {
  const fleet = new Fleet();
  let hub: Host;
  let one: Host;
  let two: Host;
  let before: Awaited<ReturnType<typeof picture>>;

  beforeAll(async () => {
    await fleet.start(['hub1', 'edge1', 'edge2']);
    hub = fleet.member('hub1').host;
    one = fleet.member('edge1').host;
    two = fleet.member('edge2').host;
    before = await picture(hub);
    await fleet.connect('hub1', ['edge1', 'edge2']);
    await until(() => pings(one, addressOf(3)));
  });

  afterAll(() => fleet.end());

  test('carry packets between the spokes through the hub, from the overlay address', async () => {
    const seen = await one.must('ping', '-c', '1', addressOf(3));
    expect(seen).toContain('ttl=63');
    expect(await one.must('ip', '-6', 'route', 'get', addressOf(3))).toContain(
      `dev wg-test-1 proto 212 src ${addressOf(2)}`,
    );
    expect(await pings(two, addressOf(1))).toBe(true);
    expect(await pings(hub, addressOf(2))).toBe(true);
  });

  test('do not let packets into the overlay that are no part of it', async () => {
    // A stranger on the hub's segment sends to a spoke's overlay address by way of the hub.
    const stranger = await fleet.stage.host('stranger');
    await stranger.must('ip', '-6', 'route', 'add', 'fd00:99::/64', 'via', '2001:db8:200::2');
    expect(await pings(stranger, addressOf(2))).toBe(false);
    // And the hub, which forwards now, does not become a router for its other networks.
    const other = await fleet.stage.host('other');
    await other.must('ip', 'address', 'add', '2001:db8:999::1/64', 'dev', 'eth0', 'nodad');
    await stranger.must('ip', '-6', 'route', 'add', '2001:db8:999::/64', 'via', '2001:db8:200::2');
    await hub.must('ip', '-6', 'route', 'add', '2001:db8:999::/64', 'dev', 'eth0');
    expect(await pings(stranger, '2001:db8:999::1')).toBe(false);
    // It is the rules that keep it from that, and nothing else. The agent would have them back before a ping gets through.
    await fleet.kill('hub1');
    await hub.must('nft', 'delete', 'table', 'inet', 'powernode');
    expect(await pings(stranger, '2001:db8:999::1')).toBe(true);
    fleet.run(hub);
    await until(async () => !(await pings(stranger, '2001:db8:999::1')));
    await hub.must('ip', '-6', 'route', 'del', '2001:db8:999::/64', 'dev', 'eth0');
  });

  test('add and remove a peer without touching the others', async () => {
    const flow = new Flow(one, addressOf(3));
    const shaken = await handshakes(hub, 'wg-test');
    const extra = peerOf({ interface: 'wg-test', number: 77, publicKey: `${'X'.repeat(42)}A=` });
    const from = fleet.platform.said.length;
    await fleet.platform.put('hub1', [extra]);
    await fleet.platform.applied('hub1', 2, from);
    expect((await handshakes(hub, 'wg-test')).size).toBe(3);
    await fleet.platform.put('hub1', [], [`peer/wg-test/${extra.public_key}`]);
    await fleet.platform.applied('hub1', 3, from);
    expect(await handshakes(hub, 'wg-test')).toEqual(shaken);
    const { sent, lost } = await flow.end();
    expect(sent).toBeGreaterThan(0);
    expect(lost).toBe(0);
  });

  test('killed, leave the packets flowing; started again, they take over what is there', async () => {
    const flow = new Flow(one, addressOf(3));
    const shaken = await handshakes(hub, 'wg-test');
    const engines = async (host: Host) =>
      (await host.must('pgrep', 'wireguard-go')).trim().split('\n').sort();
    const running = [await engines(hub), await engines(one)];
    const from = fleet.platform.said.length;
    await fleet.kill('hub1');
    await fleet.kill('edge1');
    expect(await pings(one, addressOf(3))).toBe(true);
    fleet.run(hub);
    fleet.run(one);
    await fleet.equal('hub1', from);
    await fleet.equal('edge1', from);
    expect([await engines(hub), await engines(one)]).toEqual(running);
    expect(await handshakes(hub, 'wg-test')).toEqual(shaken);
    expect((await flow.end()).lost).toBe(0);
  });

  test('apply what is on disk when their platform is not there', async () => {
    await fleet.platform.command({ command: 'down' });
    await fleet.kill('edge2');
    // As after a reboot: nothing of it is in the kernel.
    for (const name of ['wg-test', 'wg-test-1']) await two.must('ip', 'link', 'delete', name);
    await two.must('nft', 'delete', 'table', 'inet', 'powernode');
    expect(await pings(two, addressOf(2))).toBe(false);
    fleet.run(two);
    await until(() => pings(two, addressOf(2)));
    expect((await two.agent('status')).stdout).toContain('not connected');
    const from = fleet.platform.said.length;
    await fleet.platform.command({ command: 'up' });
    const hello = await fleet.platform.heard(
      (said) => said.hostname === 'edge2' && said.message.kind === 'hello',
      from,
    );
    expect(hello.message).toMatchObject({ held: { revision: 1 }, applied: { revision: 1 } });
  });

  describe('repair and report', () => {
    const drifts: readonly (readonly [string, string, () => Promise<string>, () => Promise<boolean>])[] = [
      [
        'a peer taken out',
        'peer/wg-test-1/',
        () => one.must('wg', 'set', 'wg-test-1', 'peer', fleet.key('hub1'), 'remove'),
        async () => (await handshakes(one, 'wg-test-1')).has(fleet.key('hub1')),
      ],
      [
        'a peer put in',
        'peer/wg-test/',
        () => one.must('wg', 'set', 'wg-test', 'peer', `${'Y'.repeat(42)}A=`, 'allowed-ips', 'fd00:66::/64'),
        async () => (await handshakes(one, 'wg-test')).size === 0,
      ],
      [
        'an address taken away',
        'interface/wg-test',
        () => one.must('ip', 'address', 'del', `${addressOf(2)}/128`, 'dev', 'wg-test'),
        async () => (await one.must('ip', 'address', 'show', 'dev', 'wg-test')).includes(addressOf(2)),
      ],
      [
        'an address added',
        'interface/wg-test',
        () => one.must('ip', 'address', 'add', 'fd00:66::1/64', 'dev', 'wg-test'),
        async () => !(await one.must('ip', 'address', 'show', 'dev', 'wg-test')).includes('fd00:66'),
      ],
      [
        'an interface deleted',
        'interface/wg-test-1',
        () => one.must('ip', 'link', 'delete', 'wg-test-1'),
        async () => (await one.run('wg', 'show', 'wg-test-1')).code === 0,
      ],
      [
        'an interface taken down',
        'interface/wg-test-1',
        () => one.must('ip', 'link', 'set', 'wg-test-1', 'down'),
        async () => (await one.must('ip', 'link', 'show', 'wg-test-1')).includes(',UP'),
      ],
      [
        'another MTU',
        'interface/wg-test-1',
        () => one.must('ip', 'link', 'set', 'wg-test-1', 'mtu', '1300'),
        async () => (await one.must('ip', 'link', 'show', 'wg-test-1')).includes('mtu 1420'),
      ],
      [
        'the mark taken away',
        'interface/wg-test-1',
        () => one.must('ip', 'link', 'set', 'wg-test-1', 'alias', ''),
        async () => (await one.must('ip', 'link', 'show', 'wg-test-1')).includes('alias powernode-agent'),
      ],
      [
        'a route taken away',
        'route/fd00:99::/64',
        () => one.must('ip', '-6', 'route', 'del', 'fd00:99::/64'),
        async () => (await one.must('ip', '-6', 'route', 'show', 'fd00:99::/64')).includes('wg-test-1'),
      ],
      [
        'another private key',
        'interface/wg-test-1',
        () => one.must('sh', '-c', 'wg genkey > /run/odd-key && wg set wg-test-1 private-key /run/odd-key'),
        async () => (await one.must('wg', 'show', 'wg-test-1', 'public-key')).trim() === fleet.key('edge1'),
      ],
      [
        'the table of rules flushed',
        'forwarding',
        () => hub.must('nft', 'flush', 'ruleset'),
        async () => (await hub.must('nft', 'list', 'ruleset')).includes('pn_net_test'),
      ],
      [
        'a rule added to the table',
        'forwarding',
        () => hub.must('nft', 'insert', 'rule', 'inet', 'powernode', 'pn_forward', 'accept'),
        async () => !/\n\s+accept\n/.test(await hub.must('nft', 'list', 'table', 'inet', 'powernode')),
      ],
      [
        'forwarding switched off',
        'forwarding',
        () => hub.must('sysctl', '-w', 'net.ipv6.conf.all.forwarding=0'),
        async () => (await hub.must('sysctl', '-n', 'net.ipv6.conf.all.forwarding')).trim() === '1',
      ],
      [
        'a WireGuard process killed',
        'interface/wg-test',
        async () => {
          const pids = (await one.must('pgrep', '--full', 'wireguard-go -f wg-test$')).trim();
          return one.must('kill', '-KILL', pids);
        },
        async () => (await one.run('wg', 'show', 'wg-test')).code === 0,
      ],
      [
        'a control socket deleted',
        'interface/wg-test-1',
        () => one.must('rm', '/run/wireguard/wg-test-1.sock'),
        async () => (await one.run('wg', 'show', 'wg-test-1')).code === 0,
      ],
    ];

    test.each(drifts)('%s', async (_what, key, meddle, isMended) => {
      const from = fleet.platform.said.length;
      await meddle();
      await fleet.platform.heard(
        ({ message }) =>
          message.kind === 'observed' && message.drift.some((drift) => drift.key.startsWith(key)),
        from,
      );
      await until(isMended);
      await until(() => pings(one, addressOf(3)));
    });
  });

  test('refuse to run twice on one machine', async () => {
    const second = await hub.agent('run');
    expect(second.code).toBe(73);
    expect(second.stderr).toMatch(/is running already \(process \d+\)/);
  });

  test('leave an interface alone that somebody else named like theirs, and say so', async () => {
    await two.must('ip', 'link', 'add', 'wg-other', 'type', 'veth', 'peer', 'name', 'wg-other-p');
    const from = fleet.platform.said.length;
    const odd = { ...leaf(9, fleet.member('edge2').keys[1] ?? ''), name: 'wg-other', network_id: 'other' };
    await fleet.platform.put('edge2', [{ ...odd, addresses: ['fd00:77::1/128'] }]);
    const failure = await fleet.platform.heard(
      (said) => said.hostname === 'edge2' && said.message.kind === 'failed',
      from,
    );
    expect(failure.message).toMatchObject({
      message: expect.stringContaining('wg-other exists and was not created by the agent'),
    });
    expect(await two.must('ip', 'address', 'show', 'dev', 'wg-other')).not.toContain('fd00:77');
    await fleet.platform.put('edge2', [], ['interface/wg-other']);
    await fleet.platform.applied('edge2', 3, from);
    await two.must('ip', 'link', 'del', 'wg-other');
  });

  test('rotate a key when the document names another', async () => {
    const fresh = fleet.member('edge1').keys[2] ?? '';
    const from = fleet.platform.said.length;
    await fleet.platform.put(
      'hub1',
      [{ ...fleet.spokePeer('edge1'), public_key: fresh }],
      [`peer/wg-test/${fleet.key('edge1')}`],
    );
    await fleet.platform.put('edge1', spokeDocument(2, fresh, [fleet.hub('hub1', 1)]));
    await fleet.platform.applied('edge1', 2, from);
    expect((await one.must('wg', 'show', 'wg-test-1', 'public-key')).trim()).toBe(fresh);
    await until(() => pings(one, addressOf(3)));
  });

  test('take the overlay down when their platform sends them away, and do not come back', async () => {
    await fleet.platform.command({ command: 'revoke', hostname: 'edge2' });
    await until(async () => (await two.run('ip', 'link', 'show', 'wg-test')).code !== 0);
    await until(async () => (await two.run('pgrep', '--full', 'main.ts run')).code !== 0);
    const again = await two.agent('run');
    expect(again.code).toBe(77);
    expect(again.stderr).toContain('revoked');
    expect((await two.run('pgrep', 'wireguard-go')).code).toBe(1);
  });

  test('leave the machine as they found it, twice if need be', async () => {
    const left = await hub.agent('leave');
    expect(left).toMatchObject({ code: 0, stderr: '' });
    expect(await picture(hub)).toEqual(before);
    expect((await hub.run('ls', hub.stateDir)).code).not.toBe(0);
    expect((await hub.agent('leave')).stdout).toContain('Nothing to leave');
  });

  test('take away also what an agent left that nobody remembers', async () => {
    await fleet.kill('edge1');
    await one.must('rm', '-r', one.stateDir);
    expect(await one.must('ip', '-brief', 'link')).toContain('wg-test-1');
    expect((await one.agent('leave')).stdout).toContain('Left the platform');
    expect(await one.must('ip', '-brief', 'link')).not.toContain('wg-');
    expect((await one.run('pgrep', 'wireguard-go')).code).toBe(1);
    expect(await one.must('nft', 'list', 'ruleset')).toBe('');
  });
});

/** Everything of a machine that the agent might change. */
async function picture(host: Host) {
  return {
    links: await host.must('sh', '-c', 'ip -oneline link | cut -d" " -f2'),
    addresses: await host.must('sh', '-c', 'ip -oneline address | sed "s/ *valid_lft.*//"'),
    routes: await host.must('ip', '-6', 'route', 'show', 'table', 'all'),
    rules: await host.must('nft', 'list', 'ruleset'),
    settings: await host.must(
      'sh',
      '-c',
      'cd /proc/sys/net/ipv6/conf && grep -r . */forwarding */accept_ra */autoconf',
    ),
    engines: (await host.run('pgrep', 'wireguard-go')).stdout,
  };
}
