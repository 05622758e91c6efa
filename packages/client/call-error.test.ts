// What an answer that is no success becomes, and what silence does.
import { ProductError, problemOf } from '@powernode/core/errors';
import { describe, expect, it } from 'vitest';
import { CallError, noResponseError, responseError } from './call-error.ts';

const url = 'http://127.0.0.1:7070';
const errorOf = (status: number, text: string) => responseError({ url: '', status, text });

describe('an answer that is no success', () => {
  const sent = {
    type: 'urn:powernode:error:validation_failed',
    title: 'The request does not match its schema',
    status: 422,
    code: 'validation_failed',
    detail: 'name must not be empty',
    errors: [{ path: 'name', code: 'too_small', message: 'must not be empty' }],
  };

  it('is the problem that the platform sent, with its fields', () => {
    const error = errorOf(422, JSON.stringify(sent));
    expect(error).toBeInstanceOf(CallError);
    expect(error.problem).toEqual(sent);
    expect(error.message).toBe('name must not be empty');
  });

  it('is shown like any other failure of the product', () => {
    const error = errorOf(422, JSON.stringify({ ...sent, hint: 'x' }));
    expect(error).toBeInstanceOf(ProductError);
    expect(problemOf(error)).toEqual({ ...sent, hint: 'x' });
  });

  it('keeps further members and drops what is no field', () => {
    const { problem } = errorOf(
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

  it('keeps the words of a newer platform whose code is not known here', () => {
    const { problem } = errorOf(404, '{"code":"of_another_version","detail":"No such zone."}');
    expect(problem).toMatchObject({ code: 'not_found', status: 404, detail: 'No such zone.' });
  });

  it.each([
    [502, '<html>Bad gateway</html>', 'platform_unreachable'],
    [500, '', 'internal'],
    [404, '<html>Not found</html>', 'platform_unreachable'],
    [401, 'null', 'unauthenticated'],
    [429, '{"code":7}', 'rate_limited'],
    [200, 'not json', 'platform_unreachable'],
  ])(
    'of status %i and body %j, which is no problem document, has code %s and says so',
    (status, text, code) => {
      const { problem } = errorOf(status, text);
      expect(problem.code).toBe(code);
      expect(problem.status).toBe(status);
      expect(problem.detail).toContain(`not a Powernode platform (status ${status})`);
      expect(problem.detail).toContain(text);
    },
  );

  it('says which address is not a platform’s', () => {
    expect(responseError({ url, status: 200, text: '' }).message).toBe(
      `The server at ${url} is not a Powernode platform (status 200).`,
    );
  });
});

describe('silence', () => {
  it.each([
    [Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
    [new Error('other side closed'), 'other side closed'],
  ])('names the address and the cause', (cause, reason) => {
    const error = noResponseError(url, new TypeError('fetch failed', { cause }));
    expect(error.unreachable).toBe(true);
    expect(error.message).toContain(`No response from ${url} (${reason})`);
  });

  it('tells a certificate that is not trusted from an address where nothing is', () => {
    const cause = Object.assign(new Error('x'), { code: 'SELF_SIGNED_CERT_IN_CHAIN' });
    expect(noResponseError(url, new TypeError('fetch failed', { cause })).code).toBe('untrusted_peer');
  });

  it('has no address in a page of the platform', () => {
    expect(noResponseError('', new TypeError('Failed to fetch')).message).toBe(
      'The platform does not respond. The request may not have been carried out.',
    );
  });
});
