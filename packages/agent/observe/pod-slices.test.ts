// The file in which flannel says which slice this node has: what is read of it, and when that is told.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { podSliceFileBytesMax, podSliceLookMs } from '@powernode/core/limits/agent';
import type { EntryValue } from '@powernode/core/wire/document';
import { nodeDocumentOf } from '@powernode/core/wire/node-document.fixture';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeClock } from '../ports/clock.fixture.ts';
import { PodSliceWatch, podSlicesIn } from './pod-slices.ts';

const written =
  'FLANNEL_NETWORK=10.42.0.0/16\nFLANNEL_SUBNET=10.42.1.1/24\nFLANNEL_MTU=1420\nFLANNEL_IPMASQ=true\n';
const both = `${written}FLANNEL_IPV6_NETWORK=fd42::/56\nFLANNEL_IPV6_SUBNET=fd42:0:0:1::1/64\n`;

describe('a slice', () => {
  test('is the block around the first address of it, of each family', () => {
    expect(podSlicesIn(written, ['10.42.0.0/16'])).toEqual(['10.42.1.0/24']);
    expect(podSlicesIn(both, ['10.42.0.0/16', 'fd42::/56'])).toEqual(['10.42.1.0/24', 'fd42:0:0:1::/64']);
    expect(podSlicesIn(both, ['fd42::/48'])).toEqual(['fd42:0:0:1::/64']);
  });

  test('may be of one of several prefixes of a cluster', () => {
    const several = written.replace('10.42.0.0/16', '10.40.0.0/16,10.42.0.0/16');
    expect(podSlicesIn(several, ['10.42.0.0/16'])).toEqual(['10.42.1.0/24']);
  });

  test.each([
    ['that is outside of every prefix of the networks', written, ['10.43.0.0/16']],
    ['that is wider than the prefix', written.replace('1.1/24', '0.1/15'), ['10.42.0.0/16']],
    [
      'outside of the cluster’s own prefix',
      written.replace('=10.42.0.0/16', '=10.50.0.0/16'),
      ['10.0.0.0/8'],
    ],
    ['of a file without the prefix', 'FLANNEL_SUBNET=10.42.1.1/24\n', ['10.42.0.0/16']],
    ['that is no address', written.replace('10.42.1.1/24', 'none'), ['10.42.0.0/16']],
    ['of an impossible length', written.replace('1.1/24', '1.1/33'), ['10.42.0.0/16']],
    ['in a shell’s words', written.replace('10.42.1.1/24', '"10.42.1.1/24"; reboot'), ['10.42.0.0/16']],
    ['of an empty file', '', ['10.42.0.0/16']],
  ])('%s is nobody’s', (_, text, prefixes) => {
    expect(podSlicesIn(text, prefixes)).toEqual([]);
  });
});

describe('the watch', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), 'pod-slices-'));
    mkdirSync(path.join(root, 'run/flannel'), { recursive: true });
  });
  afterEach(() => rmSync(root, { recursive: true }));
  const write = (text: string) => writeFileSync(path.join(root, 'run/flannel/subnet.env'), text);
  const pods: EntryValue = {
    kind: 'pods',
    key: 'pods/n',
    network_id: 'n',
    handle: 'a',
    prefix: '10.42.0.0/16',
    interface: 'wg-a',
    next_hops: '100.64.0.0/18',
  };

  test('looks only where a network has pods, and says each change once', async () => {
    const clock = new FakeClock();
    let entries: EntryValue[] = [];
    const told: (readonly string[] | null)[] = [];
    const watch = new PodSliceWatch({
      clock,
      root,
      document: () => nodeDocumentOf(entries),
      changed: () => told.push(watch.slices),
    });
    write(written);
    watch.look();
    expect(watch.slices).toBe(null);
    entries = [pods];
    await clock.advance(podSliceLookMs);
    await clock.advance(podSliceLookMs);
    expect(watch.slices).toEqual(['10.42.1.0/24']);
    write(written.replace('10.42.1.1', '10.42.2.1'));
    await clock.advance(podSliceLookMs);
    rmSync(path.join(root, 'run/flannel'), { recursive: true });
    await clock.advance(podSliceLookMs);
    expect(told).toEqual([['10.42.1.0/24'], ['10.42.2.0/24'], []]);
    watch.stop();
  });

  test('reads no more of a file than a cluster writes', () => {
    write(`${'#'.repeat(podSliceFileBytesMax)}\n${written}`);
    const watch = new PodSliceWatch({
      clock: new FakeClock(),
      root,
      document: () => nodeDocumentOf([pods]),
      changed: () => undefined,
    });
    watch.look();
    expect(watch.slices).toEqual([]);
    watch.stop();
  });
});
