// All leases of this node: when they are renewed, what the acknowledgements of the platform and the answers of
// witnesses mean for each, and what is written to the kernel. Without sockets and without a clock of its own.
import { addressLeaseMs, addressLeaseSlackMs } from '@powernode/core/limits/failover';
import { probeIntervalMs, probeTickMs } from '@powernode/core/limits/probe';
import type { LeaseConfig } from './config.ts';
import { Lease } from './lease.ts';

export interface Claim {
  readonly virtual_ip_id: string;
  readonly epoch: number;
}

export interface LeaseRenewal {
  readonly sequence: number;
  readonly leases: readonly Claim[];
}

/** An address that the kernel may answer for, and for how long; 0: not any more. */
export interface LeasedAddress {
  readonly address: string;
  readonly timeoutMs: number;
}

export interface LeaseChange {
  readonly virtualIpId: string;
  readonly epoch: number;
  readonly isHeld: boolean;
}

interface KeptLease {
  readonly lease: Lease;
  /** Until when the address may be answered for, as it was written to the kernel. */
  writtenMs: number;
  reported: boolean;
}

const neverMs = Number.NEGATIVE_INFINITY;

export class Leases {
  #kept = new Map<string, KeptLease>();
  /** The renewals that may still be acknowledged in time, by sequence: when they were sent, and for which leases. */
  readonly #pending = new Map<number, { readonly atMs: number; readonly leases: readonly Claim[] }>();
  /** Addresses that are not leased any more and may still be answered for. */
  readonly #released = new Set<string>();
  /** When what each witness answered last was sent: a lease that is new rests on that too. */
  readonly #witnessed = new Map<string, number>();
  #sequence = 0;
  #renewAtMs = neverMs;

  configure(configs: readonly LeaseConfig[], nowMs: number): void {
    const before = this.#kept;
    this.#kept = new Map();
    for (const [target, sentAtMs] of this.#witnessed) {
      if (nowMs - sentAtMs >= addressLeaseMs) this.#witnessed.delete(target);
    }
    for (const config of configs) {
      const known = before.get(config.virtualIpId);
      if (known !== undefined && continues(known.lease.config, config)) {
        known.lease.reconfigure(config);
        this.#kept.set(config.virtualIpId, known);
        before.delete(config.virtualIpId);
      } else {
        const lease = new Lease(config, nowMs);
        for (const [target, sentAtMs] of this.#witnessed) lease.witnessed(target, sentAtMs);
        // What was reported of the epoch before holds until the next change.
        const reported = known?.reported ?? false;
        this.#kept.set(config.virtualIpId, { lease, writtenMs: neverMs, reported });
        // The address is not answered for until the platform has acknowledged the lease.
        this.#renewAtMs = nowMs;
      }
    }
    for (const { lease, writtenMs } of before.values()) {
      if (writtenMs > nowMs) for (const address of lease.config.addresses) this.#released.add(address);
    }
  }

  witnessed(target: string, sentAtMs: number): void {
    this.#witnessed.set(target, Math.max(sentAtMs, this.#witnessed.get(target) ?? sentAtMs));
    for (const { lease } of this.#kept.values()) lease.witnessed(target, sentAtMs);
  }

  /** The renewal to send to the platform now; null: none is due. */
  renewal(nowMs: number): LeaseRenewal | null {
    if (this.#kept.size === 0 || nowMs < this.#renewAtMs) return null;
    this.#renewAtMs = nowMs + probeIntervalMs;
    const sequence = ++this.#sequence;
    const leases = [...this.#kept.values()].map(({ lease }) => claimOf(lease.config));
    this.#pending.set(sequence, { atMs: nowMs, leases });
    for (const old of this.#pending.keys()) if (sequence - old >= pendingMax) this.#pending.delete(old);
    return { sequence, leases };
  }

  acknowledged(ack: LeaseRenewal, nowMs: number): void {
    const pending = this.#pending.get(ack.sequence);
    if (pending === undefined) return;
    this.#pending.delete(ack.sequence);
    for (const claim of pending.leases) {
      const lease = this.#kept.get(claim.virtual_ip_id)?.lease;
      if (lease === undefined || lease.config.epoch !== claim.epoch) continue;
      const isOurs = ack.leases.some((one) => isSame(one, claim));
      if (!isOurs) lease.refused(nowMs);
      // The platform lets go of a node that it has not answered for so long: a later "yes" may have been overtaken.
      else if (nowMs - pending.atMs < addressLeaseMs) lease.confirmed(pending.atMs, nowMs);
    }
  }

  /** The kernel has lost everything that was written to it. */
  kernelStateLost(): void {
    for (const kept of this.#kept.values()) kept.writtenMs = neverMs;
  }

  /** What is to be written to the kernel now. It counts as written. */
  toWrite(nowMs: number): LeasedAddress[] {
    const writes: LeasedAddress[] = [...this.#released].map((address) => ({ address, timeoutMs: 0 }));
    this.#released.clear();
    for (const kept of this.#kept.values()) {
      const { addresses } = kept.lease.config;
      const endMs = (kept.lease.endMs(nowMs) ?? neverMs) - addressLeaseSlackMs;
      const timeoutMs = Math.floor(endMs - nowMs);
      if (timeoutMs > 0) {
        // Every answer makes it a little longer; it is written to the kernel when the difference matters.
        if (endMs - kept.writtenMs < probeTickMs) continue;
        kept.writtenMs = endMs;
        writes.push(...addresses.map((address) => ({ address, timeoutMs })));
      } else if (kept.writtenMs > nowMs) {
        kept.writtenMs = neverMs;
        writes.push(...addresses.map((address) => ({ address, timeoutMs: 0 })));
      }
    }
    return writes;
  }

  /** Which leases began or ended since the last time. */
  changes(nowMs: number): LeaseChange[] {
    const changes: LeaseChange[] = [];
    for (const kept of this.#kept.values()) {
      const isHeld = kept.lease.endMs(nowMs) !== null;
      if (isHeld === kept.reported) continue;
      kept.reported = isHeld;
      const { virtualIpId, epoch } = kept.lease.config;
      changes.push({ virtualIpId, epoch, isHeld });
    }
    return changes;
  }
}

/** Renewals whose acknowledgement is awaited: one that comes later would be for a lease that has expired. */
const pendingMax = 8;

function continues(before: LeaseConfig, after: LeaseConfig): boolean {
  return before.epoch === after.epoch && before.addresses.join() === after.addresses.join();
}

function claimOf(config: LeaseConfig): Claim {
  return { virtual_ip_id: config.virtualIpId, epoch: config.epoch };
}

function isSame(a: Claim, b: Claim): boolean {
  return a.virtual_ip_id === b.virtual_ip_id && a.epoch === b.epoch;
}
