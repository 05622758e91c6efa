// `--help` of every command helps and asks no platform.
import { PassThrough } from 'node:stream';
import { actionKeys, definitionOf } from '@powernode/core/actions/catalogue';
import { afterEach, expect, test, vi } from 'vitest';
import { runCli } from './run-cli.ts';

afterEach(() => vi.unstubAllGlobals());

test('--help and -h of every command only help [9.19]', async () => {
  const asked = vi.fn();
  vi.stubGlobal('fetch', asked);
  const commands = actionKeys.map((key) => {
    const { noun, verb } = definitionOf(key).cli;
    return [noun, verb];
  });
  const others = [[], ['event', 'follow'], ['login'], ['logout'], ['mcp'], ['completion'], ['version']];
  for (const command of [...commands, ...others]) {
    for (const flag of ['--help', '-h']) {
      const [stdout, stderr] = [new PassThrough(), new PassThrough()];
      // Nobody is signed in, and there is nothing to sign in with.
      const env = { HOME: '/nonexistent', POWERNODE_URL: 'http://127.0.0.1:1' };
      const world = { stdout, stderr, stdin: process.stdin, env };
      const code = await runCli([...command, flag], world);
      const said = { code, stderr: String(stderr.read() ?? ''), helped: /USAGE/.test(String(stdout.read())) };
      expect({ command, ...said }).toEqual({ command, code: 0, stderr: '', helped: true });
    }
  }
  expect(asked).not.toHaveBeenCalled();
});
