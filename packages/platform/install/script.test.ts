// The install script as text: the shell takes it, half of it does nothing, and nothing of a setting gets out of quotes.
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { PackageManifest } from '@powernode/core/wire/packages';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installCommand, listenerKey } from './command.ts';
import { installScript } from './script.ts';

const digest = 'a'.repeat(64);
const manifest: PackageManifest = {
  version: '1.2.3',
  packages: (['x64', 'arm64'] as const).flatMap((arch) =>
    (['gz', 'deb'] as const).map((format) => ({
      name: `powernode-agent-linux-${arch}.${format}`,
      arch,
      format,
      bytes: 1,
      sha256: digest,
      program_sha256: digest,
    })),
  ),
};
const pin = `sha256//${'A'.repeat(43)}=`;
const script = installScript({ manifest, platform: 'https://203.0.113.10:7443', pin });

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'powernode-script-'));
  const traps = ['curl', 'apt-get', 'dnf', 'dpkg', 'systemctl', 'unshare', 'mktemp', 'mkdir', 'mv'];
  for (const name of traps) {
    const file = path.join(folder, name);
    writeFileSync(file, `#!/bin/sh\necho "called ${name}" >&2\nexit 1\n`);
    chmodSync(file, 0o755);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** As `curl … | sh` does it, where every command that changes something leaves its name and fails. */
function pipeToShell(text: string, args: readonly string[] = []) {
  const env = { PATH: `${folder}:/usr/bin:/bin` };
  return spawnSync('sh', ['-s', '--', ...args], { input: text, encoding: 'utf8', env });
}

describe('the install script', () => {
  it('is a script that the shell can read [9.18]', () => {
    expect(spawnSync('sh', ['-n'], { input: script, encoding: 'utf8' })).toMatchObject({
      status: 0,
      stderr: '',
    });
  });

  it('does nothing when only a part of it arrives [9.18]', () => {
    const lines = script.split('\n');
    for (let count = 1; count < lines.length - 1; count++) {
      const { stderr, stdout } = pipeToShell(`${lines.slice(0, count).join('\n')}\n`, ['--token', 'pnj_x']);
      expect({ count, stdout, called: /called/.test(stderr) }).toEqual({ count, stdout: '', called: false });
    }
  });

  it('has the digest of each package, and downloads nothing without its pin [9.18]', () => {
    for (const { arch, format, name } of manifest.packages)
      expect(script).toContain(`${arch} ${format} ${name} ${digest}`);
    const downloads = script.split('\n').filter((line) => /\bcurl -/.test(line));
    expect(downloads.length).toBe(1);
    for (const line of downloads) expect(line).toContain('--pinnedpubkey "$pin"');
  });

  it.runIf(process.getuid?.() === 0)('installs no package that is not the one of its digest [9.18]', () => {
    const bin = mkdtempSync(path.join(folder, 'bin-'));
    const fake = (name: string, text: string) =>
      writeFileSync(path.join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    fake('mktemp', `mkdir ${bin}/work && echo ${bin}/work`);
    fake('mkdir', 'exec /bin/mkdir "$@"');
    // curl -fsSL --insecure --pinnedpubkey PIN -o FILE URL
    fake('curl', 'echo "echo evil" > "$6"');
    const env = { PATH: `${bin}:${folder}:/usr/bin:/bin` };
    const { status, stderr } = spawnSync('sh', ['-s', '--', '--token', 'pnj_x'], {
      input: script,
      encoding: 'utf8',
      env,
    });
    expect(stderr).toMatch(/does not match this script: its SHA-256 is not a{64}\. Nothing was installed/);
    expect(stderr).not.toContain('called');
    expect(status).toBe(1);
  });

  it.each([
    [[], /give a join token with --token/],
    [['--token', 'pnt_x'], /must look like pnj_/],
    [['--token'], /--token takes a value/],
    [['--frobnicate'], /there is no option --frobnicate/],
  ])('called with %j says what is wrong, and touches nothing [9.18]', (args, sentence) => {
    const { status, stderr } = pipeToShell(script, args);
    // Without root that is what it says, which is as good.
    expect(stderr).toMatch(
      process.getuid?.() === 0 || args.length > 1 || args[0] !== undefined ? sentence : /./,
    );
    expect(stderr).not.toContain('called');
    expect(status).toBe(1);
  });

  it('helps without doing anything [9.19]', () => {
    const { status, stdout, stderr } = pipeToShell(script, ['--help']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('--token TOKEN');
  });

  it('says what to do where the platform has no packages [9.18]', () => {
    const bare = installScript({ manifest: null, platform: 'https://203.0.113.10:7443', pin });
    const { status, stderr } = pipeToShell(bare, ['--token', 'pnj_x']);
    if (process.getuid?.() === 0) expect(stderr).toContain('./powernode agent build');
    expect(status).toBe(1);
  });

  it('keeps whatever an address says in its quotes [9.18]', () => {
    const hostile = `https://x';touch /tmp/powernode-pwned;'`;
    const text = installScript({ manifest, platform: hostile, pin });
    const line = text.split('\n').find((one) => one.startsWith('platform=')) ?? '';
    const { stdout } = spawnSync('sh', ['-c', `${line}; printf %s "$platform"`], { encoding: 'utf8' });
    expect(stdout).toBe(hostile);
  });
});

describe('the line of a join token', () => {
  it('is the contract’s, with the pin of the listener’s key [9.18]', () => {
    expect(installCommand({ platform: 'https://203.0.113.10:7443', pin, token: 'pnj_x' })).toBe(
      `curl -fsSL https://203.0.113.10:7443/install.sh --insecure --pinnedpubkey ${pin} | sh -s -- --token pnj_x`,
    );
  });

  it('has the same pin for the same secret, and no other key of that pin [9.18]', () => {
    const secret = new Uint8Array(32).fill(7);
    expect(listenerKey(secret)).toEqual(listenerKey(new Uint8Array(secret)));
    expect(listenerKey(secret).pin).toMatch(/^sha256\/\/[A-Za-z0-9+/]{43}=$/);
    expect(listenerKey(new Uint8Array(32).fill(8)).pin).not.toBe(listenerKey(secret).pin);
    const { publicKey } = generateKeyPairSync('ed25519');
    expect(listenerKey(secret).publicKey.length).toBe(
      publicKey.export({ type: 'spki', format: 'der' }).length,
    );
  });
});
