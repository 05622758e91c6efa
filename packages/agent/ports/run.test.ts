// One suite for the real way of running programs and for the fake one: what holds here may be relied on in tests.
import { ProductError } from '@powernode/core/errors';
import { agentOutputBytesMax } from '@powernode/core/limits/agent';
import { describe, expect, test } from 'vitest';
import { FakeRun } from './run.fixture.ts';
import { complaint, isTooLong, mustRun, type Run, systemRun } from './run.ts';

const fake = new FakeRun({
  cat: ({ input }) => ({ stdout: input ?? '' }),
  sh: ({ args }) => shell(args[1] ?? ''),
  true: () => ({}),
});

/** The few scripts that the suite uses. */
function shell(script: string) {
  if (script === 'echo out; echo wrong >&2; exit 3')
    return { stdout: 'out\n', stderr: 'wrong\n', exitCode: 3 };
  if (script === 'echo one; echo two') return { stdout: 'one\ntwo\n' };
  if (script === 'exit 7') return { exitCode: 7 };
  return { stdout: 'x'.repeat(agentOutputBytesMax + 1) };
}

const implementations: readonly (readonly [string, Run])[] = [
  ['the real one', systemRun],
  ['the fake one', fake],
];

describe.each(implementations)('running programs: %s', (_name, run) => {
  test('gives input and takes output', async () => {
    const outcome = await run.attempt({ program: 'cat', args: [], input: 'words\n' });
    expect(outcome).toEqual({ exitCode: 0, stdout: 'words\n', stderr: '' });
  });

  test('answers with the exit code of a program that fails', async () => {
    const outcome = await run.attempt({ program: 'sh', args: ['-c', 'echo out; echo wrong >&2; exit 3'] });
    expect(outcome).toEqual({ exitCode: 3, stdout: 'out\n', stderr: 'wrong\n' });
  });

  test('does not mind a program that reads no input', async () => {
    const input = 'x'.repeat(1_000_000);
    expect((await run.attempt({ program: 'true', args: [], input })).exitCode).toBe(0);
  });

  test('says when there is no such program', async () => {
    const failure = run.attempt({ program: 'powernode-no-such-program', args: ['a'] });
    await expect(failure).rejects.toThrow(/^powernode-no-such-program: there is no such program/);
    await expect(failure).rejects.toBeInstanceOf(ProductError);
  });

  test('gives up on a program that prints without end', async () => {
    const failure = run.attempt({
      program: 'sh',
      args: ['-c', `head -c ${agentOutputBytesMax + 1} /dev/zero`],
    });
    await expect(failure).rejects.toThrow(/more than \d+ bytes printed/);
    await expect(failure).rejects.toSatisfy(isTooLong);
    await expect(run.attempt({ program: 'powernode-no-such-program', args: [] })).rejects.not.toSatisfy(
      isTooLong,
    );
  });

  test('follows the lines of a program, and says once that it ended', async () => {
    const lines: string[] = [];
    const why = await new Promise<string>((ended) => {
      const command = { program: 'sh', args: ['-c', 'echo one; echo two'] };
      run.follow(command, { line: (text) => lines.push(text), ended });
    });
    expect(lines).toEqual(['one', 'two']);
    expect(why).toBe('exit code 0');
  });

  test('says how a detached program ended', async () => {
    const started = await run.detach({ program: 'sh', args: ['-c', 'exit 7'] }, {});
    expect(started.pid).toBeGreaterThan(1);
    expect(await started.ended).toBe('exit code 7');
  });

  test('says when a detached program does not exist', async () => {
    await expect(run.detach({ program: 'powernode-no-such-program', args: [] }, {})).rejects.toThrow(
      /no such program/,
    );
  });
});

test.each([
  ['RTNETLINK answers: Address already in use\nCommand failed -:3\n', 'Address already in use'],
  [
    '/dev/stdin:3:4-9: Error: syntax error, unexpected string\nadd x\n ^\n',
    'syntax error, unexpected string',
  ],
  [
    'Unable to modify interface: Address already in use\n',
    'Unable to modify interface: Address already in use',
  ],
  ['\n', 'exit code 1'],
])('of %j the reason is %j [9.38]', (stderr, reason) => {
  expect(complaint({ program: 'x', args: [] }, { exitCode: 1, stdout: '', stderr }).reason).toBe(reason);
});

describe('a command that has to succeed', () => {
  test('gives what it printed', async () => {
    expect(await mustRun(fake, { program: 'cat', args: [], input: 'a' })).toBe('a');
  });

  test('fails with the first thing that the program complained of, and never with what it printed [9.38]', () => {
    const command = { program: 'wg', args: ['show', 'all', 'dump'] };
    const error = complaint(command, { exitCode: 1, stdout: 'a private key', stderr: 'one\n  two\n' });
    expect(error.detail).toBe('wg: one');
    expect(error.command).toBe('wg show all dump');
    expect(error.said).toBe('one\n  two');
  });
});
