// Renewal of the certificate at two thirds of its life: a new key and a new certificate, over a connection that the
// present one authenticates. The open stream is left alone; the next one that is opened shows the new certificate.
import { X509Certificate } from 'node:crypto';
import { agentRenewalCheckMs } from '@powernode/core/limits/agent';
import { renewAtFraction } from '@powernode/core/limits/trust';
import type { Clock } from '../ports/clock.ts';
import type { Identity } from '../state/identity.ts';

export interface RenewalParts {
  readonly clock: Clock;
  readonly identity: () => Identity;
  /** Stores the new identity durably; from then on it is the one in use. */
  readonly renewed: (identity: Identity) => void;
  readonly failed: (error: unknown) => void;
}

/** Looks at the certificate now and then, and renews it when it is time. */
export class Renewal {
  readonly #parts: RenewalParts;
  #cancel: () => void = () => undefined;
  #stopped = false;

  constructor(parts: RenewalParts) {
    this.#parts = parts;
  }

  start(): void {
    void this.#check().finally(() => {
      if (!this.#stopped) this.#cancel = this.#parts.clock.after(agentRenewalCheckMs, () => this.start());
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  async #check(): Promise<void> {
    const identity = this.#parts.identity();
    if (this.#parts.clock.nowMs() < renewAtMs(identity.certificate_pem)) return;
    try {
      // Only now: what is behind it takes memory that a machine which just runs need not spend.
      const { renewIdentity } = await import('./renew-identity.ts');
      this.#parts.renewed(await renewIdentity(identity, this.#parts.clock.nowMs()));
    } catch (error) {
      this.#parts.failed(error);
    }
  }
}

export function renewAtMs(certificatePem: string): number {
  const certificate = new X509Certificate(certificatePem);
  const from = Date.parse(certificate.validFrom);
  return from + (Date.parse(certificate.validTo) - from) * renewAtFraction;
}
