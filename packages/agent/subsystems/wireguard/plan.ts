// What differs of the WireGuard side of interfaces: key, port and peers.
import type { InterfaceEntry, PeerEntry } from '@powernode/core/wire/document';
import { type WantedInterface, wantedInterfaces } from '../links/plan.ts';
import type { ObservedDevice } from '../observed.ts';
import type { Problem } from '../problem.ts';
import type { PlanInput, PlannedSteps, Scope } from '../subsystem.ts';
import { planPeers, withExtraAllowedIps } from './peers.ts';
import type { WireguardStep } from './steps.ts';

export function planWireguard(input: PlanInput): PlannedSteps {
  const problems: Problem[] = [];
  const apply = wantedInterfaces(input).flatMap((one) => planInterface(input, one, problems));
  return { apply, problems };
}

function planInterface(
  input: PlanInput,
  { entry, alive }: WantedInterface,
  problems: Problem[],
): WireguardStep[] {
  const { name } = entry;
  const device = alive?.device ?? null;
  const keyDiffers = device?.publicKey !== entry.public_key;
  const keys = keyDiffers ? null : peersInScope(input.scope, name);
  return [
    ...planDevice(entry, device),
    ...planPeers(
      {
        wanted: wantedPeers(input, name, keys),
        observed: device?.peers ?? new Map(),
        keys,
        renew: keyDiffers && device !== null,
      },
      {
        name,
        writtenEndpoints: input.writtenEndpoints,
        isSilenced: input.calls.isSilenced.bind(input.calls),
        nowMs: input.nowMs,
        problems,
      },
    ),
  ];
}

function planDevice(entry: InterfaceEntry, device: ObservedDevice | null): WireguardStep[] {
  const keyDiffers = device?.publicKey !== entry.public_key;
  const portDiffers = entry.listen_port !== 0 && device?.listenPort !== entry.listen_port;
  if (!keyDiffers && !portDiffers) return [];
  const publicKey = keyDiffers ? entry.public_key : null;
  const listenPort = portDiffers ? entry.listen_port : null;
  return [{ kind: 'set_device', name: entry.name, publicKey, listenPort }];
}

/** The public keys of an interface's peers that may differ; null: any. */
function peersInScope(scope: Scope, name: string): Set<string> | null {
  if (scope === 'all') return null;
  const head = `peer/${name}/`;
  const keys = new Set<string>();
  for (const key of scope) if (key.startsWith(head)) keys.add(key.slice(head.length));
  return keys;
}

/** What the peers of an interface are to be: those with the public keys given, or all (null). */
function wantedPeers(
  { document, extraAllowedIps, calls }: PlanInput,
  name: string,
  keys: ReadonlySet<string> | null,
): ReadonlyMap<string, PeerEntry> {
  const named =
    keys === null
      ? document.onInterface('peer', name)
      : [...keys].flatMap((key) => document.get('peer', `${name}/${key}`) ?? []);
  return new Map(
    named.map((entry) => [entry.public_key, calls.asCalled(withExtraAllowedIps(entry, extraAllowedIps))]),
  );
}
