// The certificate of a listener of the platform's own, which is made anew long before it ends.
import type { Server } from 'node:https';
import type { SecureVersion } from 'node:tls';
import * as limits from '@powernode/core/limits/trust';
import type { Logger } from 'pino';
import type { Authority, ServerIdentity, ServerKey } from './authority.ts';
import type { Clock } from './clock.ts';

export interface Credentials {
  readonly cert: string;
  readonly key: string;
  /** Whose certificates clients may show. */
  readonly ca?: string;
  readonly minVersion: SecureVersion;
  readonly ciphers?: string;
}

export interface FreshCertificate {
  /** For the start of the listener. */
  readonly first: Credentials;
  /** Goes on until what it answers is called. Connections that are open keep the certificate that they began with. */
  keepFresh(server: Server): () => void;
}

export interface FreshCertificateParts {
  readonly authority: Authority;
  readonly clock: Clock;
  readonly log: Logger;
  readonly hosts: readonly string[];
  /** The certificates change and this key does not; without it each has a key of its own. */
  readonly key?: ServerKey | undefined;
  /** What stays the same. */
  readonly terms: Pick<Credentials, 'ca' | 'minVersion' | 'ciphers'>;
}

export async function freshCertificate(parts: FreshCertificateParts): Promise<FreshCertificate> {
  const { authority, clock, log, hosts, key, terms } = parts;
  const make = () => authority.issueServerCertificate({ hosts, key });
  const credentials = (identity: ServerIdentity): Credentials => ({
    cert: identity.chainPem,
    key: identity.privateKey.reveal(),
    ...terms,
  });
  const first = await make();
  return {
    first: credentials(first),
    keepFresh(server) {
      let stop: () => void = () => undefined;
      const schedule = (identity: ServerIdentity) => {
        const dueMs = (identity.expiresAt.getTime() - clock.now()) * limits.renewAtFraction;
        stop = clock.after(
          Math.min(Math.max(dueMs, 0), limits.timerMsMax),
          () => void renew(identity, dueMs),
        );
      };
      const renew = async (identity: ServerIdentity, dueMs: number) => {
        if (dueMs > limits.timerMsMax) return schedule(identity);
        try {
          const next = await make();
          server.setSecureContext(credentials(next));
          schedule(next);
        } catch (error) {
          log.error({ err: error }, 'the certificate of a listener could not be renewed');
          stop = clock.after(limits.serverRenewalRetryMs, () => void renew(identity, 0));
        }
      };
      schedule(first);
      return () => stop();
    },
  };
}
