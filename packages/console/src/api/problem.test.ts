// What an answer that is no success becomes.
import { describe, expect, it } from 'vitest';
import { CallError, problemOfAnswer, problemOfThrown } from './problem.ts';

describe('an answer that is no success', () => {
  it('is the problem that the platform sent, with its fields', () => {
    const sent = {
      type: 'urn:powernode:error:validation_failed',
      title: 'The request does not fit its schema',
      status: 422,
      code: 'validation_failed',
      detail: 'name must not be empty',
      errors: [{ path: 'name', code: 'too_small', message: 'must not be empty' }],
    };
    expect(problemOfAnswer(422, JSON.stringify(sent))).toEqual(sent);
  });

  it('keeps further members and drops what is no field', () => {
    const problem = problemOfAnswer(
      409,
      JSON.stringify({
        code: 'revision_conflict',
        detail: 'Read it again.',
        current_revision: 7,
        errors: [1, { path: 'a' }],
      }),
    );
    expect(problem).toMatchObject({ status: 409, current_revision: 7, errors: [] });
  });

  it.each([
    [502, '<html>Bad gateway</html>', 'platform_unreachable'],
    [500, '', 'internal'],
    [404, '{"code":"of another version","detail":"x"}', 'not_found'],
    [401, 'null', 'unauthenticated'],
    [200, 'not json', 'malformed_request'],
  ])(
    'of status %i and body %j, which is no problem document, has code %s… and says so',
    (status, text, code) => {
      const problem = problemOfAnswer(status, text);
      expect(problem.code).toBe(code);
      expect(problem.status).toBe(status);
      expect(problem.detail).toContain(`status ${status}`);
    },
  );

  it('says that the fault is the console’s when something else was thrown', () => {
    expect(problemOfThrown(new TypeError('x is undefined'))).toMatchObject({
      code: 'internal',
      detail: 'The console itself failed: x is undefined',
    });
    const own = new CallError(problemOfAnswer(404, ''));
    expect(problemOfThrown(own)).toBe(own.problem);
  });
});
