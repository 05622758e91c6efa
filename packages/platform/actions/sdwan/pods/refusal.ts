// A refusal of one parameter about pods.
import { ProductError } from '@powernode/core/errors';

interface Field {
  readonly path: 'pod_subnet' | 'pod_subnet_prefix' | 'ipv4_prefix';
  readonly code: string;
  /** A sentence without its full stop. */
  readonly message: string;
}

/** `advice`: what to do. */
export function refusal(code: 'validation_failed' | 'conflict', field: Field, advice: string): ProductError {
  return new ProductError(code, `${field.path}: ${field.message}. ${advice}`, { fields: [{ ...field }] });
}
