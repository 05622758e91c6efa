// Backup paths, which are decided beside the routes of the document: packets for a spoke that a hub does not hear straight
// go by way of another hub that hears it.
import type { PeerEntry } from '@powernode/core/wire/document';
import type { PathSituation } from './probe-health.ts';

/** By destination, the relay to another hub. */
export function backupRoutes(paths: PathSituation): Map<string, string> {
  const routes = new Map<string, string>();
  for (const [address, { backupVia }] of paths.sources) {
    if (backupVia === null || !paths.index.interfaces.has(backupVia)) continue;
    for (const prefix of peerOfSource(address, paths)?.allowed_ips ?? []) routes.set(prefix, backupVia);
  }
  return routes;
}

/** The leaf peer that has the address. */
function peerOfSource(address: string, { index }: PathSituation): PeerEntry | undefined {
  for (const one of index.interfaces.values()) {
    if (one.purpose !== 'leaf') continue;
    const peer = index.peerAt(one.name, `${address}/128`);
    if (peer !== undefined) return peer;
  }
  return undefined;
}
