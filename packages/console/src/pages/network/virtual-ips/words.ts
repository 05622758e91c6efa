// What is said of a virtual IP in a few words. No elements here.
import type { VirtualIp } from '@powernode/core/intent/virtual-ip';
import type { NameOf } from '../names.ts';

/** Whoever may answer for it now, in words: one peer, all candidates of an anycast address, or nobody. */
export function holderWords(ip: VirtualIp, nameOf: NameOf): string {
  if (ip.anycast) {
    return [ip.primary_holder_peer_id, ...ip.failover_holder_peer_ids].map((id) => nameOf(id)).join(', ');
  }
  return ip.current_holder_peer_id === null ? 'none' : nameOf(ip.current_holder_peer_id);
}

/** Those who take over, in order, after whoever holds it now. */
export function nextWords(ip: VirtualIp, nameOf: NameOf): string {
  if (ip.anycast) return 'all';
  const others = [ip.primary_holder_peer_id, ...ip.failover_holder_peer_ids].filter(
    (id) => id !== ip.current_holder_peer_id,
  );
  return others.length === 0 ? 'none' : others.map((id) => nameOf(id)).join(', ');
}

export function isMoving(ip: Pick<VirtualIp, 'state'>): boolean {
  return ip.state === 'failing_over' || ip.state === 'pending';
}

/** What each holder asks, in a few words. */
export function healthCheckWords(check: VirtualIp['health_check']): string {
  if (check === null) return 'no health check';
  const what =
    check.protocol === 'tcp' ? `TCP port ${check.port}` : `HTTP port ${check.port} ${check.path ?? '/'}`;
  return `${what} every ${check.interval_ms} ms`;
}
