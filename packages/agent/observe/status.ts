// The status of an agent as `powernode agent status` shows it: from inside when it runs, else from what is on disk
// and in the kernel.
import { bgpStates } from '@powernode/core/intent/bgp';
import type { NodeProblem } from '@powernode/core/wire/node-problems';
import type { BgpSessionObservation } from '@powernode/core/wire/node-stream';
import { z } from 'zod';
import { timestamp } from '../ports/clock.ts';
import type { TargetReport } from '../probe/targets.ts';
import type { Held } from '../state/current-document.ts';
import type { Identity } from '../state/identity.ts';
import { type FrrHealth, frrStates } from '../subsystems/frr/health.ts';
import type { ObservedState } from '../subsystems/observed.ts';
import { agentVersion } from '../version.ts';
import type { Drift } from './drift.ts';

const revision = z.object({ revision: z.int(), hash: z.string() });
const peer = z.object({
  peer_id: z.string().nullable(),
  public_key: z.string(),
  endpoint: z.string().nullable(),
  last_handshake_at: z.string().nullable(),
  rx_bytes: z.int(),
  tx_bytes: z.int(),
});

export const agentStatus = z.object({
  agent_version: z.string(),
  running: z.boolean(),
  pid: z.int().nullable(),
  instance_id: z.string(),
  account_id: z.string(),
  hostname: z.string(),
  platform_url: z.string(),
  node_url: z.string(),
  connected: z.boolean(),
  /** Why not. */
  disconnected_because: z.string().nullable(),
  revoked_at: z.string().nullable(),
  /** The document on disk, and the one that the machine was read back to equal. */
  held: revision.nullable(),
  applied: revision.nullable(),
  problems: z.array(
    z.object({ subsystem: z.string(), code: z.string(), detail: z.string(), since: z.string() }),
  ),
  /** FRR, while a network of the machine speaks BGP. */
  frr: z
    .object({ state: z.enum(frrStates), message: z.string() })
    .nullable()
    .default(null),
  interfaces: z.array(
    z.object({
      name: z.string(),
      up: z.boolean(),
      wireguard: z.enum(['kernel', 'userspace', 'other']),
      addresses: z.array(z.string()),
      public_key: z.string().nullable(),
      listen_port: z.int().nullable(),
      peers: z.array(peer),
    }),
  ),
  routes: z.array(z.object({ destination: z.string(), via: z.string().nullable() })),
  /** What is probed by this machine itself, and how it is. */
  paths: z.array(
    z.object({
      interface: z.string(),
      public_key: z.string(),
      purpose: z.enum(['path', 'forwarding', 'direct']),
      target: z.string(),
      state: z.enum(['untried', 'alive', 'returning', 'dead']),
      since: z.string(),
      /** The last round trip; null: nothing was ever heard. */
      rtt_ms: z.number().nullable(),
    }),
  ),
  /** Sessions of BGP, by the interface of their network and the neighbor's overlay address. */
  bgp_sessions: z
    .array(
      z.object({
        interface: z.string(),
        peer_id: z.string(),
        neighbor: z.string(),
        state: z.enum(bgpStates),
        established_at: z.string().nullable(),
        prefixes_received: z.int(),
        last_error: z.string().nullable(),
      }),
    )
    .default([]),
  /** Virtual addresses that are leased, and whether the machine may answer for them now. */
  leases: z.array(z.object({ virtual_ip_id: z.string(), held: z.boolean() })),
  drift: z.array(z.object({ at: z.string(), key: z.string(), detail: z.string() })),
});
export type AgentStatus = z.infer<typeof agentStatus>;

export interface StatusParts {
  readonly identity: Identity;
  readonly held: Held | null;
  readonly applied: { readonly revision: number; readonly hash: string } | null;
  readonly observed: ObservedState;
  readonly choices: ReadonlyMap<string, string | null>;
  readonly paths: readonly TargetReport[];
  readonly bgpSessions: readonly BgpSessionObservation[];
  readonly frr: FrrHealth | null;
  readonly leases: ReadonlyMap<string, boolean>;
  readonly nowMs: number;
  readonly problems: readonly NodeProblem[];
  readonly drift: readonly Drift[];
  readonly connected: boolean;
  readonly lostReason: string | null;
  readonly pid: number | null;
}

export function statusOf(parts: StatusParts): AgentStatus {
  const { identity, held, applied } = parts;
  return {
    agent_version: agentVersion,
    running: parts.pid !== null,
    pid: parts.pid,
    instance_id: identity.instance_id,
    account_id: identity.account_id,
    hostname: identity.hostname,
    platform_url: identity.platform_url,
    node_url: identity.node_url,
    connected: parts.connected,
    disconnected_because: parts.connected ? null : parts.lostReason,
    revoked_at: identity.revoked_at,
    held: held === null ? null : { revision: held.revision, hash: held.hash },
    applied: applied === null ? null : { revision: applied.revision, hash: applied.hash },
    problems: parts.problems.map(({ subsystem, code, detail, since }) => ({
      subsystem,
      code,
      detail,
      since,
    })),
    frr: parts.frr,
    interfaces: interfacesOf(parts),
    routes: [...parts.choices].map(([destination, via]) => ({ destination, via })),
    paths: parts.paths.map((one) => pathOf(one, parts.nowMs)),
    bgp_sessions: sessionsOf(parts),
    leases: [...parts.leases].map(([id, held]) => ({ virtual_ip_id: id, held })),
    drift: parts.drift.map((one) => ({ at: timestamp(one.atMs), key: one.key, detail: one.detail })),
  };
}

function pathOf(report: TargetReport, nowMs: number): AgentStatus['paths'][number] {
  const [, name = '', ...key] = report.tunnel.split('/');
  return {
    interface: name,
    public_key: key.join('/'),
    purpose: report.purpose,
    target: report.target,
    state: report.state,
    since: timestamp(nowMs - report.forMs),
    rtt_ms: report.rttMs === null ? null : Math.round(report.rttMs * 100) / 100,
  };
}

function sessionsOf({ bgpSessions, held }: StatusParts): AgentStatus['bgp_sessions'] {
  const leaves = new Map<string, string>();
  for (const entry of held?.entries.values() ?? []) {
    if (entry.kind === 'interface' && entry.purpose === 'leaf') leaves.set(entry.network_id, entry.name);
  }
  return bgpSessions.flatMap(({ network_id, peer_id, state, ...session }) => {
    const entry = held?.entries.get(`bgp_neighbor/${network_id}/${peer_id}`);
    if (state === null || entry?.kind !== 'bgp_neighbor') return [];
    const { established_at, prefixes_received, last_error } = session;
    const name = leaves.get(network_id) ?? network_id;
    const facts = { state, established_at, prefixes_received, last_error };
    return [{ interface: name, peer_id, neighbor: entry.host_address, ...facts }];
  });
}

function interfacesOf({ observed, held }: StatusParts): AgentStatus['interfaces'] {
  return [...observed.interfaces.values()]
    .filter((one) => one.ours)
    .map((one) => ({
      name: one.name,
      up: one.up,
      wireguard: one.flavour,
      addresses: [...one.addresses],
      public_key: one.device?.publicKey ?? null,
      listen_port: one.device?.listenPort ?? null,
      peers: [...(one.device?.peers.values() ?? [])].map((peer) => {
        const entry = held?.entries.get(`peer/${one.name}/${peer.publicKey}`);
        return {
          peer_id: entry?.kind === 'peer' ? entry.peer_id : null,
          public_key: peer.publicKey,
          endpoint: peer.endpoint,
          last_handshake_at: peer.lastHandshakeS === 0 ? null : timestamp(peer.lastHandshakeS * 1000),
          rx_bytes: peer.rxBytes,
          tx_bytes: peer.txBytes,
        };
      }),
    }));
}
