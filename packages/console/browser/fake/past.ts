// What happened in the small world before the console was opened.
import type { FakePlatform } from './platform.ts';

export function emitPast(platform: FakePlatform): void {
  const { world } = platform;
  const network = world.networks[0];
  const peer = world.peers[4];
  const instance = world.instances[4];
  const bot = { kind: 'operator' as const, id: world.operators[2]?.id ?? null, name: 'deploy-bot' };
  const itself = { kind: 'platform' as const, id: null, name: 'platform' };
  const machine = { kind: 'instance' as const, id: instance?.id ?? null, name: instance?.hostname ?? '' };
  platform.emit('sdwan.network.created', { before: null, after: network }, { at: minutesAgo(95) });
  for (const one of world.peers.slice(0, 6)) {
    platform.emit('sdwan.peer.attached', { before: null, after: one }, { at: minutesAgo(90), actor: bot });
  }
  platform.emit(
    'sdwan.peer.tags_set',
    { before: { ...peer, tags: ['branch'] }, after: peer },
    { at: minutesAgo(42), actor: bot },
  );
  platform.emit(
    'sdwan.network.updated',
    { before: { ...network, mtu: 1380, description: '' }, after: network, notify: true },
    { at: minutesAgo(31) },
  );
  platform.emit(
    'sdwan.drift.repaired',
    {
      node_instance_id: instance?.id,
      hostname: instance?.hostname,
      repaired: [{ at: minutesAgo(12), key: 'interface/wg-office', detail: 'address removed by hand' }],
      repaired_count: 1,
    },
    { at: minutesAgo(12), actor: machine, severity: 'warning' },
  );
  platform.emit(
    'system.approval.requested',
    {
      approval_id: world.approvals[0]?.id,
      action: 'system_sdwan_detach_peer',
      summary: 'Detach edge3 from office',
    },
    { at: minutesAgo(10), actor: bot, severity: 'warning' },
  );
  platform.emit(
    'system.approval.failed',
    {
      approval_id: world.approvals[3]?.id,
      summary: 'Detach cell-90 from plant',
      detail: 'There is no peer cell-90.',
    },
    { at: minutesAgo(4), actor: itself, severity: 'error' },
  );
}

function minutesAgo(minutes: number): string {
  return new Date(Date.now() - minutes * 60_000).toISOString();
}
