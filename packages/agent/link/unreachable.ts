// The failure of a connection to the platform, as an error that says where and what to do.
import { ProductError } from '@powernode/core/errors';

export function unreachable(url: URL, error: Error): ProductError {
  if (error instanceof ProductError) return error;
  const code = 'code' in error && typeof error.code === 'string' ? `${error.code}: ` : '';
  return new ProductError(
    'platform_unreachable',
    `${url.origin} does not answer (${code}${error.message}). See that the platform runs and that this machine reaches it.`,
    { cause: error },
  );
}
