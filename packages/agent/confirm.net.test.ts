// Changes that cut their own branch, on real kernels: the machine comes back by itself, says so, and what the change took
// away stays away; losses that are no change's doing take nothing back. Needs root.
import { setTimeout as delay } from 'node:timers/promises';
import { probeAddressVia } from '@powernode/core/net/probe-address';
import type { EntryValue } from '@powernode/core/wire/document';
import type { NodeProblem } from '@powernode/core/wire/node-problems';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Fleet, pings, until } from './fixtures/agents.ts';
import { addressOf, leaf, networkId, peerOf, route } from './fixtures/documents.ts';
import type { AgentStatus } from './observe/status.ts';
import { askAgent } from './state/control.ts';
import { StateFolder } from './state/folder.ts';

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;

describe.skipIf(!isRoot)('a change that cuts its own branch', () => {
  const fleet = new Fleet();
  const edges = ['edge1', 'edge2', 'edge3', 'edge4', 'edge5'];

  beforeAll(async () => {
    await fleet.start(['hub1', ...edges]);
    await fleet.connect('hub1', edges);
    for (const name of edges) await until(() => pings(fleet.member(name).host, addressOf(1)));
    // edge2 probes its path to the hub, as compiled documents have it.
    const target = probeAddressVia(addressOf(1), 1);
    const hub = { ...leaf(1, fleet.key('hub1'), 51820), probe_addresses: [`${target}/128`] };
    await fleet.platform.put('hub1', [hub]);
    const probe: EntryValue = {
      kind: 'probe',
      network_id: networkId,
      interface: 'wg-test-1',
      public_key: fleet.key('hub1'),
      purpose: 'path',
      target,
    };
    await fleet.platform.put('edge2', [route(`${target}/128`, 'wg-test-1'), probe]);
    await until(async () => {
      const status = (await askAgent(
        new StateFolder(host('edge2').stateDir),
        'status',
      )) as AgentStatus | null;
      return status?.paths.some(({ state }) => state === 'alive');
    });
    // The documents that connected them are on trial themselves.
    await confirmed(edges);
  });

  afterAll(() => fleet.end());

  const host = (name: string) => fleet.member(name).host;

  /** Nothing is on trial any more. */
  async function confirmed(names: readonly string[]): Promise<void> {
    for (const name of names) {
      await until(
        async () => (await host(name).run('test', '-e', `${host(name).stateDir}/trial.json`)).code !== 0,
      );
    }
  }

  /** The platform's own subnet as an IPv4 prefix, and its address as the machine's. */
  const capture = (name: string): EntryValue[] => {
    const own = leaf(fleet.number(name), fleet.key(name));
    return [
      { ...own, addresses: [...own.addresses, '198.18.200.1/32'] },
      route('198.18.200.0/25', 'wg-test-1'),
    ];
  };

  const problemsOf = async (
    name: string,
    fits: (problems: readonly NodeProblem[]) => boolean,
    from: number,
  ): Promise<readonly NodeProblem[]> => {
    const said = await fleet.platform.heard(
      ({ hostname, message }) => hostname === name && message.kind === 'problems' && fits(message.problems),
      from,
    );
    return said.message.kind === 'problems' ? said.message.problems : [];
  };

  const isRolledBack = (problems: readonly NodeProblem[]) =>
    problems.some(({ code }) => code === 'change_rolled_back');

  async function expectClean(name: string): Promise<void> {
    await until(async () => !(await host(name).must('ip', 'route')).includes('198.18.200.0/25'));
    await until(async () => !(await host(name).must('ip', 'address')).includes('198.18.200.1/32'));
    expect(await pings(host(name), '198.18.200.1')).toBe(true);
    await until(() => pings(host(name), addressOf(1)));
  }

  test('is taken back, said and survived; what it took away stays away; a killed agent goes on with it [9.10]', async () => {
    const { platform } = fleet;
    const from = platform.said.length;
    const startedAt = Date.now();
    // edge1: the platform is captured. edge2: it has the hub's own address. edge3: as edge1, killed in between.
    // edge4: as edge1, and a peer is taken away in the same breath.
    const spare = peerOf({
      interface: 'wg-test',
      number: 90,
      publicKey: Buffer.alloc(32, 90).toString('base64'),
    });
    await platform.put('edge4', [spare]);
    await platform.applied('edge4', 2, from);
    // A route alone would not do: WireGuard answers by the interface that it was last called on.
    const hubPlace = `198.18.200.${fleet.number('hub1') + 1}/32`;
    const likeTheHub = leaf(fleet.number('edge2'), fleet.key('edge2'));
    await Promise.all([
      platform.put('edge1', capture('edge1')),
      platform.put('edge2', [{ ...likeTheHub, addresses: [...likeTheHub.addresses, hubPlace] }]),
      platform.put('edge3', capture('edge3')),
      platform.put('edge4', capture('edge4'), [`peer/wg-test/${spare.public_key}`]),
    ]);
    await until(async () => (await host('edge3').must('ip', 'route')).includes('198.18.200.0/25'));
    expect(await pings(host('edge3'), '198.18.200.2')).toBe(false);
    await until(async () => (await host('edge2').must('ip', 'address')).includes(hubPlace));
    await fleet.kill('edge3');
    await delay(1000);
    fleet.run(host('edge3'));
    const backMs = new Map<string, number>();
    await Promise.all(
      ['edge1', 'edge2', 'edge3', 'edge4'].map(async (name) => {
        const problems = await problemsOf(name, isRolledBack, from);
        backMs.set(name, Date.now() - startedAt);
        const [problem] = problems.filter(({ code }) => code === 'change_rolled_back');
        expect(problem?.detail).toMatch(name === 'edge2' ? /every hub/ : /the platform/);
        expect(problem?.network_id).toBeDefined();
      }),
    );
    for (const name of ['edge1', 'edge3', 'edge4']) await expectClean(name);
    await until(async () => !(await host('edge2').must('ip', 'address')).includes(hubPlace));
    await until(() => pings(host('edge2'), addressOf(1)));
    expect(await host('edge4').must('wg', 'show', 'wg-test', 'peers')).not.toContain(spare.public_key);
    // The document itself is the platform's, so that nothing is sent again, and what comes next is taken at once.
    const next = platform.said.length;
    await platform.put('edge1', [leaf(fleet.number('edge1'), fleet.key('edge1'))], ['route/198.18.200.0/25']);
    await platform.applied('edge1', 3, next);
    await problemsOf('edge1', (problems) => !isRolledBack(problems), next);
    await expectClean('edge1');
    expect(Math.max(...backMs.values())).toBeLessThan(60_000);
    // An operator has it tried once more: it is applied, cuts the machine off again, and is taken back again.
    const again = platform.said.length;
    await platform.command({ command: 'retry', hostname: 'edge3' });
    await until(async () => (await host('edge3').must('ip', 'route')).includes('198.18.200.0/25'));
    await expectClean('edge3');
    await problemsOf('edge3', isRolledBack, again);
  });

  test('is told from a platform that dies, and from a cable that is pulled [9.10]', async () => {
    const { platform } = fleet;
    await confirmed(['edge5']);
    const from = platform.said.length;
    const harmless = (mtu: number) => ({ ...leaf(fleet.number('edge5'), fleet.key('edge5')), mtu });
    await platform.put('edge5', [harmless(1400)]);
    await platform.applied('edge5', 2, from);
    await platform.command({ command: 'down' });
    // Longer than a change needs to be taken back.
    await delay(26_000);
    await platform.command({ command: 'up' });
    await platform.heard(({ hostname, message }) => hostname === 'edge5' && message.kind === 'hello', from);
    expect(await host('edge5').must('ip', 'link', 'show', 'wg-test')).toContain('mtu 1400');
    await confirmed(['edge5']);
    expect(
      platform.said.slice(from).some(
        // What the others took back before is said again on their new streams.
        ({ hostname, message }) =>
          hostname === 'edge5' && message.kind === 'problems' && isRolledBack(message.problems),
      ),
    ).toBe(false);
    // Nothing at all is heard, so it goes back; that brought nothing back, so it goes on when the cable is in again.
    await platform.put('edge5', [harmless(1380)]);
    await platform.applied('edge5', 3, from);
    await host('edge5').must('ip', 'link', 'set', 'eth0', 'down');
    await until(async () => (await host('edge5').must('ip', 'link', 'show', 'wg-test')).includes('mtu 1400'));
    await delay(17_000);
    await host('edge5').must('ip', 'link', 'set', 'eth0', 'up');
    await until(async () => (await host('edge5').must('ip', 'link', 'show', 'wg-test')).includes('mtu 1380'));
    await confirmed(['edge5']);
    expect(await host('edge5').must('ip', 'link', 'show', 'wg-test')).toContain('mtu 1380');
  });
});
