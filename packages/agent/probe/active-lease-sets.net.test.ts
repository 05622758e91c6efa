// Leases in the sets of a real kernel: written, renewed, over, refused, paused, and after nft itself was ended. Needs
// root.
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { leaseCommandMs } from '@powernode/core/limits/failover';
import { familyOf } from '@powernode/core/net/address';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { freshFolder } from '../fixtures/folder.ts';
import { Namespace } from '../fixtures/namespace.ts';
import { toolEnvironment } from '../ports/run.ts';
import { hubAndSpoke } from '../subsystems/nftables/chains/documents.fixture.ts';
import { rulesetFor } from '../subsystems/nftables/chains/rulesets.fixture.ts';
import { freshText } from '../subsystems/nftables/text.ts';
import { ActiveLeaseSets } from './active-lease-sets.ts';

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;

const one = 'fd00:99::a';
const other = 'fd00:99::b';
const four = '100.64.0.9';
const longMs = 3_600_000;

describe.skipIf(!isRoot)('leases in the kernel', () => {
  let namespace: Namespace;
  let nowMs: number;
  let failures: { readonly detail: string; readonly isNew: boolean }[];
  let activeLeaseSets: ActiveLeaseSets;
  /** A program of the name nft, which notes its number and then is nft inside of the namespace. */
  let tool: string;
  let started: string;

  beforeEach(async () => {
    namespace = await Namespace.open();
    nowMs = 1_000;
    failures = [];
    const folder = freshFolder().path;
    tool = path.join(folder, 'nft');
    started = path.join(folder, 'started');
    writeTool(`exec ${namespace.entering.join(' ')} nft "$@"`);
    activeLeaseSets = new ActiveLeaseSets({
      nowMs: () => nowMs,
      environment: { ...toolEnvironment, PATH: `${folder}:${toolEnvironment.PATH}` },
      failed: (failure) => failures.push(failure),
    });
  });

  afterEach(async () => {
    activeLeaseSets.stop();
    await namespace.end();
  });

  function writeTool(line: string): void {
    // The search for the program must not find this one again.
    const script = `#!/bin/sh\necho $$ >> ${started}\nexport PATH=${toolEnvironment.PATH}\n${line}\n`;
    writeFileSync(tool, script);
    chmodSync(tool, 0o755);
  }

  const starts = () =>
    existsSync(started) ? readFileSync(started, 'utf8').trim().split('\n').map(Number) : [];

  async function makeTable(): Promise<void> {
    const text = freshText(rulesetFor(hubAndSpoke));
    expect(await namespace.attempt({ program: 'nft', args: ['-f', '-'], input: text })).toMatchObject({
      exitCode: 0,
    });
  }

  const listed = (set: string) => namespace.must('nft', 'list', 'set', 'inet', 'powernode', set);

  const write = (...addresses: readonly (readonly [address: string, timeoutMs: number])[]) =>
    activeLeaseSets.write(addresses.map(([address, timeoutMs]) => ({ address, timeoutMs })));

  /** Resolves when the kernel has this address, and so everything that was written before it. */
  async function written(address: string): Promise<string> {
    write([address, longMs]);
    return until(`pn_active_leases${familyOf(address)}`, (text) => text.includes(address));
  }

  const until = (set: string, fits: (text: string) => boolean) =>
    vi.waitFor(async () => {
      const text = await listed(set);
      if (!fits(text)) throw new Error(text);
      return text;
    }, 10_000);

  test('are there for their time, and longer when they are renewed', async () => {
    await makeTable();
    write([one, longMs], [other, 50], [four, longMs]);
    await until('pn_active_leases4', (text) => text.includes(`${four} timeout 1h`));
    await until('pn_active_leases6', (text) => text.includes(`${one} timeout 1h`) && !text.includes(other));
    // What is added again as it is would keep its first time.
    write([one, 2 * longMs]);
    await until('pn_active_leases6', (text) => text.includes(`${one} timeout 2h`));
    write([one, 0], [four, 0]);
    await until('pn_active_leases6', (text) => !text.includes(one));
    await until('pn_active_leases4', (text) => !text.includes(four));
    expect(failures).toEqual([]);
    expect(starts()).toHaveLength(1);
  });

  test('that are written while others are on their way are written after those', async () => {
    await makeTable();
    const many = Array.from({ length: 300 }, (_, i) => [`fd00:99::1:${i.toString(16)}`, longMs] as const);
    write(...many);
    write([one, longMs]);
    write([one, 0], [other, longMs]);
    const text = await until('pn_active_leases6', (now) => now.includes(other));
    expect(text).toContain('fd00:99::1:12b timeout 1h');
    expect(text).not.toContain(`${one} `);
    expect(failures).toEqual([]);
  });

  test('are refused without a table, which is news once, and are written when there is one', async () => {
    for (const isNew of [true, false]) {
      write([one, longMs]);
      await vi.waitUntil(() => failures.length > 0, 10_000);
      expect(failures.splice(0)).toEqual([
        { detail: expect.stringContaining('No such file or directory'), isNew },
      ]);
    }
    await makeTable();
    await written(one);
    await namespace.must('nft', 'flush', 'ruleset');
    write([one, longMs]);
    await vi.waitUntil(() => failures.length > 0, 10_000);
    expect(failures).toMatchObject([{ isNew: true }]);
    expect(starts()).toHaveLength(1);
  });

  test('that nft does not understand are refused, and the next are taken', async () => {
    await makeTable();
    write(['nonsense::', longMs]);
    await vi.waitUntil(() => failures.length > 0, 10_000);
    expect(failures).toMatchObject([{ detail: expect.stringContaining('Error: '), isNew: true }]);
    await written(one);
    expect(starts()).toHaveLength(1);
  });

  test('are written by another nft when the one before was ended', async () => {
    await makeTable();
    await written(one);
    const [pid = 0] = starts();
    process.kill(pid, 'SIGKILL');
    await vi.waitUntil(() => failures.length > 0, 10_000);
    expect(failures).toEqual([{ detail: 'nft ended: SIGKILL', isNew: true }]);
    await written(other);
    expect(starts()).toHaveLength(2);
  });

  test('are not waited for when nft hangs, which is ended then', async () => {
    await makeTable();
    writeTool('exec sleep 600');
    write([one, longMs]);
    await vi.waitUntil(() => failures.length > 0, 10_000);
    expect(failures).toEqual([{ detail: `nft did not answer in ${leaseCommandMs} ms`, isNew: true }]);
    const [pid = 0] = starts();
    await vi.waitUntil(() => !existsSync(`/proc/${pid}/cmdline`) || isOver(pid), 10_000);
    writeTool(`exec ${namespace.entering.join(' ')} nft "$@"`);
    await written(other);
  });

  test('wait while the table is written, and what is over by then is not written', async () => {
    await makeTable();
    await written(four);
    activeLeaseSets.pause();
    write([one, 500], [other, longMs]);
    await namespace.must('nft', 'list', 'ruleset');
    expect(await listed('pn_active_leases6')).not.toContain('elements');
    nowMs += 600;
    activeLeaseSets.resume();
    const text = await until('pn_active_leases6', (now) => now.includes(other));
    expect(text).not.toContain(`${one} `);
    expect(text).toContain(`${other} timeout 59m59s400ms`);
  });

  test('are not written any more after the end', async () => {
    await makeTable();
    await written(one);
    activeLeaseSets.stop();
    write([other, longMs]);
    const [pid = 0] = starts();
    await vi.waitUntil(() => isOver(pid), 10_000);
    expect(starts()).toHaveLength(1);
    expect(await listed('pn_active_leases6')).not.toContain(other);
    expect(failures).toEqual([]);
  });
});

/** Ended, whether or not somebody has asked how. */
function isOver(pid: number): boolean {
  try {
    return / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
}
