// The failure of a connection to the platform, as an error that says where and what to do.
import { ProductError } from '@powernode/core/errors';

/** Codes that OpenSSL gives when a certificate is not good enough. */
const untrustedCodes = /^(?:CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_CA|ERR_TLS_CERT_)/;
const clockCodes = new Set(['CERT_NOT_YET_VALID', 'CERT_HAS_EXPIRED']);

export function unreachable(url: URL, error: Error): ProductError {
  if (error instanceof ProductError) return error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (untrustedCodes.test(code)) {
    const advice = clockCodes.has(code)
      ? 'Check that the clocks of both sides are correct.'
      : 'Nothing was sent.';
    return new ProductError(
      'untrusted_peer',
      `${url.origin} could not prove that it is the platform (${code}). ${advice}`,
      { cause: error },
    );
  }
  return new ProductError(
    'platform_unreachable',
    `${url.origin} does not answer (${code === '' ? '' : `${code}: `}${error.message}). ` +
      'Check that the platform is running and reachable from here.',
    { cause: error },
  );
}
