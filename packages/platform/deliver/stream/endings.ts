// How the platform ends a stream: close codes and their reasons, which hold 123 bytes (RFC 6455 §5.5).
import { closeCodes } from '@powernode/core/wire/node-stream';
import { type Measure, measureSentences } from './budget.ts';

/** 1013 of the registry of close codes (RFC 6455 §11.7). */
export const tryAgainLater = 1013;

export const duplicateText =
  'another system uses this identity; to join as a separate instance: powernode agent join --anew --token TOKEN';

export const endings = {
  revoked: [closeCodes.revoked, 'this instance is no longer in the fleet'],
  replaced: [closeCodes.replaced, 'another stream of this instance took over'],
  certificate: [closeCodes.certificate, 'the certificate of this stream is no longer valid'],
  duplicate: [closeCodes.duplicate, duplicateText],
  closing: [1001, 'the platform is closing'],
} as const;

export function limitedText(measure: Measure, pauseMs: number): string {
  return `this instance sent ${measureSentences[measure]}; reconnect in ${Math.ceil(pauseMs / 1000)} s`;
}

export const laterText = 'another stream of this instance is being verified';
