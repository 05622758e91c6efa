// What an agent says is wrong with its host, on real hosts (network namespaces). Needs root.

import { randomBytes } from 'node:crypto';
import { unknownEntry } from '@powernode/core/wire/document';
import type { NodeProblem } from '@powernode/core/wire/node-problems';
import { expect, test } from 'vitest';
import { type Fleet, pings, until, withFleet } from './fixtures/agents.ts';
import { addressOf, hubDocument, leaf, peerOf, spokeDocument } from './fixtures/documents.ts';

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;

/** What a host last said is wrong, once it fits. */
async function said(
  fleet: Fleet,
  name: string,
  fits: (problems: readonly NodeProblem[]) => boolean,
): Promise<readonly NodeProblem[]> {
  return until(async () => {
    const last = fleet.platform.said
      .filter(({ hostname, message }) => hostname === name && message.kind === 'problems')
      .at(-1)?.message;
    return last?.kind === 'problems' && fits(last.problems) ? last.problems : null;
  });
}

test.skipIf(!isRoot)(
  'a port that another program has is said in one sentence, and is taken when it is free [9.38]',
  async () => {
    await withFleet(['hub1', 'edge1'], async (fleet) => {
      const hub = fleet.member('hub1').host;
      const edge = fleet.member('edge1').host;
      const thief = hub.spawn(process.execPath, [
        '-e',
        `require('dgram').createSocket('udp6').bind(51820, () => console.log('bound'))`,
      ]);
      await new Promise((resolve) => thief.stdout?.once('data', resolve));
      const place = fleet.hub('hub1', 1);
      await fleet.platform.put('hub1', [...hubDocument(1, place.publicKey), fleet.spokePeer('edge1')]);
      await fleet.platform.put('edge1', spokeDocument(fleet.number('edge1'), fleet.key('edge1'), [place]));
      const [problem] = await said(fleet, 'hub1', (all) => all.length > 0);
      expect(problem).toMatchObject({ code: 'port_in_use', interface: 'wg-test', subsystem: 'wireguard' });
      expect(problem?.detail).toMatch(/^UDP port 51820 of wg-test is in use by \S+ \(pid \d+\), .*\.$/);
      expect(problem?.detail).not.toMatch(/wg set|private/);
      expect(fleet.logs.get('hub1')).toContain('wg set wg-test');
      expect((await hub.agent('status')).stdout).toContain('UDP port 51820');
      await hub.must('pkill', '--full', 'createSocket');
      await said(fleet, 'hub1', (all) => all.length === 0);
      await until(() => pings(edge, addressOf(1)));
    });
  },
);

test.skipIf(!isRoot)(
  'rules that another program flushes are back because the kernel tells of it [9.36]',
  async () => {
    await withFleet(['hub1', 'edge1'], async (fleet) => {
      await fleet.connect('hub1', ['edge1']);
      const { host } = fleet.member('hub1');
      // What happened in which order, and when, by the kernel's own notifications.
      const watch = host.spawn('sh', [
        '-c',
        'nft monitor tables | while read -r line; do echo "$(date +%s%N) $line"; done',
      ]);
      let seen = '';
      watch.stdout?.on('data', (chunk) => {
        seen += String(chunk);
      });
      // The monitor listens from some moment on: until it says so, a table is made and taken away again and again.
      await until(async () => {
        await host.must('nft', 'add', 'table', 'ip', 'watched');
        await host.must('nft', 'delete', 'table', 'ip', 'watched');
        return seen.includes('table ip watched');
      });
      const events = () => [...seen.matchAll(/^(\d+) (add|delete) table inet powernode$/gm)];
      for (const command of [
        ['flush', 'ruleset'],
        ['delete', 'table', 'inet', 'powernode'],
        ['flush', 'table', 'inet', 'powernode'],
        ['flush', 'ruleset'],
        ['flush', 'ruleset'],
      ]) {
        await host.must('nft', ...command);
        await until(async () =>
          (await host.run('nft', 'list', 'chain', 'inet', 'powernode', 'pn_forward')).stdout.includes('drop'),
        );
      }
      // Each deletion of the table was followed by a new one; a flush of the table keeps it and is not among them.
      const kinds = events().map(([, , what]) => what);
      expect(kinds.filter((what) => what === 'delete').length).toBeGreaterThanOrEqual(4);
      expect(kinds.at(-1)).toBe('add');
      // The agent says who noticed; two deletions within its quiet time are one.
      const log = fleet.logs.get('hub1') ?? '';
      expect(log.match(/rules of the table were deleted/g)?.length).toBeGreaterThanOrEqual(3);
    });
  },
);

test.skipIf(!isRoot)(
  'on a full disk documents reach the kernel, also a revocation, and it is said until there is space again [9.32]',
  async () => {
    await withFleet(['hub1', 'edge1'], async (fleet) => {
      await fleet.connect('hub1', ['edge1']);
      const { host } = fleet.member('hub1');
      const peers = async () => (await host.must('wg', 'show', 'wg-test', 'peers')).trim().split('\n');
      // Its state directory on a small file system of its own, which is then filled to the last byte.
      await fleet.kill('hub1');
      await host.must(
        'sh',
        '-c',
        `cp -a ${host.stateDir} /run/saved && mount -t tmpfs -o size=256k,mode=700 tmpfs ${host.stateDir} && cp -a /run/saved/. ${host.stateDir}`,
      );
      const from = fleet.platform.said.length;
      fleet.run(host);
      await fleet.equal('hub1', from);
      const filled = await host.run('sh', '-c', `cat /dev/zero > ${host.stateDir}/filler`);
      expect(filled.stderr).toContain('No space left on device');
      const edge = fleet.spokePeer('edge1');
      expect(await peers()).toEqual([edge.public_key]);
      // A file's last page has room on a full file system too: one revocation alone fits behind the journal. With
      // these peers the delta is longer than a page of 4 kB.
      const others = Array.from({ length: 40 }, (_, i) =>
        peerOf({ interface: 'wg-test', number: 1000 + i, publicKey: randomBytes(32).toString('base64') }),
      );
      await fleet.platform.put('hub1', others, [`peer/wg-test/${edge.public_key}`]);
      await fleet.platform.applied('hub1', 2, from);
      expect((await peers()).sort()).toEqual(others.map(({ public_key }) => public_key).sort());
      const [problem] = await said(fleet, 'hub1', (all) => all.length > 0);
      expect(problem).toMatchObject({ code: 'state_not_stored', subsystem: 'state' });
      expect(problem?.detail).toMatch(/ENOSPC/);
      expect(await host.must('cat', `${host.stateDir}/document.json`)).not.toContain('"revision":2');
      // While it is so, the next ones reach the kernel as well.
      await fleet.platform.put(
        'hub1',
        [edge],
        others.map(({ public_key }) => `peer/wg-test/${public_key}`),
      );
      await fleet.platform.applied('hub1', 3, from);
      expect(await peers()).toEqual([edge.public_key]);
      await host.must('rm', `${host.stateDir}/filler`);
      await said(fleet, 'hub1', (all) => all.length === 0);
      // It is on disk now: what the agent begins with after a restart without its platform.
      expect(await host.must('cat', `${host.stateDir}/document.json`)).toContain('"revision":3');
    });
  },
);

test.skipIf(!isRoot)(
  'what a later platform wants of it is said to be unsupported, and all else is applied',
  async () => {
    await withFleet(['hub1', 'edge1'], async (fleet) => {
      await fleet.connect('hub1', ['edge1']);
      const bgp = unknownEntry.parse({ kind: 'bgp_speaker', key: 'bgp_speaker/wg-test', as_number: 65000 });
      const moved = { ...leaf(fleet.number('edge1'), fleet.key('edge1')), mtu: 1400 };
      await fleet.platform.put('edge1', [bgp, moved]);
      const [problem] = await said(fleet, 'edge1', (all) => all.length > 0);
      expect(problem).toMatchObject({ code: 'unsupported', subsystem: 'agent' });
      expect(problem?.detail).toContain('bgp_speaker (1)');
      const { host } = fleet.member('edge1');
      await until(async () => (await host.must('ip', 'link', 'show', 'wg-test')).includes('mtu 1400'));
      await until(() => pings(host, addressOf(1)));
      expect((await host.agent('status')).stdout).toContain('bgp_speaker (1)');
      await fleet.platform.put('edge1', [], ['bgp_speaker/wg-test']);
      await said(fleet, 'edge1', (all) => all.length === 0);
      expect(await pings(host, addressOf(1))).toBe(true);
      expect(fleet.platform.said.some(({ message }) => message.kind === 'resync')).toBe(false);
    });
  },
);
