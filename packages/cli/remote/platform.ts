// The client of the platform that a command speaks to.
import { setDefaultCACertificates } from 'node:tls';
import { PlatformClient } from '@powernode/client/platform-client';
import { cliAnswerMs } from '@powernode/core/limits/clients';
import type { Target } from '../login/target.ts';

export function platformAt({ url, token, authorityPem }: Target): PlatformClient {
  // For this process, which speaks to no one else.
  if (authorityPem !== null) setDefaultCACertificates([authorityPem]);
  return new PlatformClient({ url, token: () => token, fetch, timeoutMs: cliAnswerMs });
}
