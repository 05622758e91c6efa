// What is told of failures, and what is logged of errors of the agent itself.
import type { NodeSubsystem } from '@powernode/core/intent/common';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import type { Problem } from '../subsystems/problem.ts';
import { ApplyFailures } from './apply-failures.ts';
import type { FoundProblem } from './problems.ts';

function scene() {
  const lines: { readonly level: number; readonly err?: { readonly stack?: string } }[] = [];
  const log = pino(
    { level: 'debug' },
    { write: (line: string) => lines.push(JSON.parse(line) as (typeof lines)[number]) },
  );
  let told: readonly FoundProblem[] = [];
  const failures = new ApplyFailures({
    log,
    stream: { send: () => undefined },
    nodeProblems: {
      set: (_, found) => {
        told = found;
      },
    },
  });
  return { failures, lines, told: () => told };
}

test('an error of the agent itself is logged with its stack, once until a document is applied', () => {
  const { failures, lines } = scene();
  const broken = new TypeError('peers is undefined');
  failures.programmingError(broken);
  failures.programmingError(broken);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({
    level: 50,
    err: { stack: expect.stringContaining('apply-failures.test') },
  });
  failures.over();
  failures.programmingError(broken);
  expect(lines).toHaveLength(2);
});

test('problems are told by their codes, whatever step made them', () => {
  const { failures, told } = scene();
  const problem = (subsystem: NodeSubsystem): Problem => {
    return { subsystem, code: 'not_converging', detail: `${subsystem} differs` };
  };
  failures.failed({ revision: 1, hash: '', entries: new Map() }, [problem('routing'), problem('nftables')]);
  expect(told().map(({ code, detail }) => `${code}: ${detail}`)).toEqual([
    'not_converging: routing differs',
    'not_converging: nftables differs',
  ]);
});
