// The agent as one file: built, and then used on a host where there is no Node to be found. Needs root.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { probeAddressVia } from '@powernode/core/net/probe-address';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from './fixtures/agents.ts';
import { addressOf, hubDocument, leaf, networkId } from './fixtures/documents.ts';
import { RemotePlatform } from './fixtures/remote-platform.ts';
import { Stage } from './fixtures/stage.ts';
import { agentStatus } from './observe/status.ts';
import { agentVersion } from './version.ts';

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;

describe.skipIf(!isRoot)('the agent as one file', () => {
  const stage = new Stage();
  const folder = mkdtempSync(path.join(tmpdir(), 'powernode-agent-test-'));
  const program = path.join(folder, `powernode-agent-${process.platform}-${process.arch}`);
  let platform: RemotePlatform;

  beforeAll(async () => {
    execFileSync(process.execPath, [path.join(import.meta.dirname, 'build.ts'), folder]);
    platform = await RemotePlatform.start(await stage.host('platform'), '198.18.200.1');
  });

  afterAll(async () => {
    platform.end();
    await stage.end();
    rmSync(folder, { recursive: true, force: true });
  });

  test('joins, runs, applies a document, says how it is, and leaves', async () => {
    const host = await stage.host('bare');
    /** No PATH but the one of tools, where there is no node. */
    const bare = ['env', '-i', 'PATH=/run/no-node'];
    const use = (...args: readonly string[]) => host.run('env', ...bare.slice(1), program, ...args);
    expect(await use('--version')).toMatchObject({ code: 0, stdout: `${agentVersion}\n` });
    const token = await platform.token();
    const state = ['--state-dir', host.stateDir];
    const joined = await use(
      'join',
      '--platform',
      platform.url,
      '--token',
      token,
      '--hostname',
      'bare',
      ...state,
    );
    expect(joined).toMatchObject({ code: 0, stderr: '' });
    const running = host.spawn('env', [...bare.slice(1), program, 'run', ...state]);
    const over = new Promise((resolve) => running.once('exit', resolve));
    const hello = await platform.heard(({ message }) => message.kind === 'hello');
    const publicKey = hello.message.kind === 'hello' ? hello.message.unused_keys[0] : undefined;
    await platform.put('bare', hubDocument(1, publicKey ?? ''));
    await platform.applied('bare', 1);
    expect(await host.must('ip', 'address', 'show', 'dev', 'wg-test')).toContain(addressOf(1));
    const status = await use('status', '--json', ...state);
    expect(JSON.parse(status.stdout)).toMatchObject({ connected: true, applied: { revision: 1 } });
    // Its prober is a thread whose code is inside the file too. It probes itself here, which needs nobody else.
    const own = probeAddressVia(addressOf(1), 1);
    const probed = {
      interface: 'wg-test',
      public_key: `${'P'.repeat(42)}A=`,
      purpose: 'path',
      target: own,
    } as const;
    await platform.put('bare', [
      { ...leaf(1, publicKey ?? '', 51820), probe_addresses: [`${own}/128`] },
      { kind: 'probe', network_id: networkId, ...probed },
    ]);
    await until(async () => {
      const { paths } = agentStatus.parse(JSON.parse((await use('status', '--json', ...state)).stdout));
      return paths.some((path) => path.target === own && path.state === 'alive');
    });
    expect(await use('leave', ...state)).toMatchObject({ code: 0, stderr: '' });
    await over;
    await until(async () => (await host.run('ip', 'link', 'show', 'wg-test')).code !== 0);
  });
});
