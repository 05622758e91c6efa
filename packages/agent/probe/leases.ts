// All leases of this node: when the platform is asked, what its answers and those of witnesses mean for which lease,
// and what the kernel is to be told. Without sockets and without a clock of its own.
import { addressLeaseMs, addressLeaseSlackMs } from '@powernode/core/limits/failover';
import { probeIntervalMs, probeTickMs } from '@powernode/core/limits/probe';
import type { LeaseConfig } from './config.ts';
import { Lease } from './lease.ts';

export interface Claim {
  readonly virtual_ip_id: string;
  readonly epoch: number;
}

export interface Hold {
  readonly sequence: number;
  readonly leases: readonly Claim[];
}

/** An address that the kernel may answer for, for so long; 0: not any more. */
export interface HeldAddress {
  readonly address: string;
  readonly timeoutMs: number;
}

export interface LeaseChange {
  readonly virtualIpId: string;
  readonly epoch: number;
  readonly isHeld: boolean;
}

interface Kept {
  readonly lease: Lease;
  /** Until when the kernel was told that the address may be answered for. */
  writtenMs: number;
  told: boolean;
}

const neverMs = Number.NEGATIVE_INFINITY;

export class Leases {
  #kept = new Map<string, Kept>();
  /** When each question was sent that may still be answered in time, and about what. */
  readonly #asked = new Map<number, { readonly atMs: number; readonly leases: readonly Claim[] }>();
  /** Addresses that are not leased any more and may still be answered for. */
  readonly #released = new Set<string>();
  /** When what each witness answered last was sent: a lease that is new rests on that too. */
  readonly #witnessed = new Map<string, number>();
  #sequence = 0;
  #askAtMs = neverMs;

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
        // What was told of the epoch before holds until the next change is told.
        const told = known?.told ?? false;
        this.#kept.set(config.virtualIpId, { lease, writtenMs: neverMs, told });
        // Nobody answers for it until the platform has said so.
        this.#askAtMs = nowMs;
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

  /** What to ask the platform now; null: it is not time. */
  ask(nowMs: number): Hold | null {
    if (this.#kept.size === 0 || nowMs < this.#askAtMs) return null;
    this.#askAtMs = nowMs + probeIntervalMs;
    const sequence = ++this.#sequence;
    const leases = [...this.#kept.values()].map(({ lease }) => claimOf(lease.config));
    this.#asked.set(sequence, { atMs: nowMs, leases });
    for (const old of this.#asked.keys()) if (sequence - old >= askedMax) this.#asked.delete(old);
    return { sequence, leases };
  }

  answered(answer: Hold, nowMs: number): void {
    const asked = this.#asked.get(answer.sequence);
    if (asked === undefined) return;
    this.#asked.delete(answer.sequence);
    for (const claim of asked.leases) {
      const lease = this.#kept.get(claim.virtual_ip_id)?.lease;
      if (lease === undefined || lease.config.epoch !== claim.epoch) continue;
      const isOurs = answer.leases.some((one) => isSame(one, claim));
      if (!isOurs) lease.disowned(nowMs);
      // The platform lets go of a node that it has not answered for so long: a later "yes" may have been overtaken.
      else if (nowMs - asked.atMs < addressLeaseMs) lease.confirmed(asked.atMs, nowMs);
    }
  }

  /** The kernel has forgotten everything that it was told. */
  forgotten(): void {
    for (const kept of this.#kept.values()) kept.writtenMs = neverMs;
  }

  /** What the kernel is to be told now. It counts as told. */
  toWrite(nowMs: number): HeldAddress[] {
    const writes: HeldAddress[] = [...this.#released].map((address) => ({ address, timeoutMs: 0 }));
    this.#released.clear();
    for (const kept of this.#kept.values()) {
      const { addresses } = kept.lease.config;
      const endMs = (kept.lease.endMs(nowMs) ?? neverMs) - addressLeaseSlackMs;
      const timeoutMs = Math.floor(endMs - nowMs);
      if (timeoutMs > 0) {
        // Every answer makes it a little longer; the kernel is told when it is worth it.
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
      if (isHeld === kept.told) continue;
      kept.told = isHeld;
      const { virtualIpId, epoch } = kept.lease.config;
      changes.push({ virtualIpId, epoch, isHeld });
    }
    return changes;
  }
}

/** Questions whose answers are waited for: an answer that comes so late brings a lease that is over. */
const askedMax = 8;

function continues(before: LeaseConfig, after: LeaseConfig): boolean {
  return before.epoch === after.epoch && before.addresses.join() === after.addresses.join();
}

function claimOf(config: LeaseConfig): Claim {
  return { virtual_ip_id: config.virtualIpId, epoch: config.epoch };
}

function isSame(a: Claim, b: Claim): boolean {
  return a.virtual_ip_id === b.virtual_ip_id && a.epoch === b.epoch;
}
