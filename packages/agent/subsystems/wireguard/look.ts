// Looks at the WireGuard side of interfaces: at all of them, at one, or only at the peers that were changed.
import { agentPeersSoughtMax } from '@powernode/core/limits/agent';
import type { Run } from '../../ports/run.ts';
import type { IpRoute } from '../iproute/iproute.ts';
import { isInterfaceName } from '../links/names.ts';
import type { LookScope } from '../look-scope.ts';
import type { Observation, ObservedDevice, ObservedState } from '../observed.ts';
import type { Step } from '../step.ts';
import { parseDump, parseDumpOfAll, parseDumpOfSome } from './dump.ts';
import { interfaceOf, isWireguardStep } from './steps.ts';

/** One interface to look at. */
export interface DeviceLook {
  readonly name: string;
  /** The public keys that changed, and the device before that, by which the others are known. null: all of it. */
  readonly some: { readonly before: ObservedDevice; readonly changed: ReadonlySet<string> } | null;
}

/** Where steps have changed something. */
export function looksAfter(steps: readonly Step[], before: ObservedState): DeviceLook[] {
  const touched = new Map<string, Set<string>>();
  for (const step of steps) {
    if (!isWireguardStep(step)) continue;
    const name = interfaceOf(step);
    const keys = touched.get(name) ?? new Set();
    if (step.kind === 'remove_peer') keys.add(step.publicKey);
    if (step.kind === 'set_peer') keys.add(step.peer.publicKey);
    touched.set(name, keys);
  }
  return [...touched].map(([name, changed]) => {
    const device = before.interfaces.get(name)?.device ?? null;
    const isSome = device !== null && changed.size <= agentPeersSoughtMax;
    return { name, some: isSome ? { before: device, changed } : null };
  });
}

/** null: nothing of WireGuard is in the scope. */
export function lookAtDevices(
  { run, ip }: { readonly run: Run; readonly ip: IpRoute },
  scope: LookScope,
): Promise<Observation> | null {
  if (scope.kind === 'everything')
    return lookAtAll(run, async () => (await ip.look(scope)).interfaces.keys());
  const looks =
    scope.kind === 'tunnels'
      ? [{ name: scope.interface, some: null }]
      : scope.kind === 'after'
        ? looksAfter(scope.steps, scope.before)
        : [];
  return looks.length === 0 ? null : lookAtSome(run, looks);
}

async function lookAtSome(run: Run, looks: readonly DeviceLook[]): Promise<Observation> {
  const found = new Map<string, ObservedDevice | null>();
  for (const look of looks) found.set(look.name, await lookAtDevice(run, look));
  return (state) => [...found].reduce((at, [name, device]) => withDevice(at, name, device), state);
}

/** null: it does not answer. */
async function lookAtDevice(run: Run, { name, some }: DeviceLook): Promise<ObservedDevice | null> {
  const outcome = await run.attempt({ program: 'wg', args: ['show', name, 'dump'] });
  if (outcome.exitCode !== 0) return null;
  return some === null
    ? parseDump(outcome.stdout)
    : parseDumpOfSome(outcome.stdout, some.before, some.changed);
}

export function withDevice(state: ObservedState, name: string, device: ObservedDevice | null): ObservedState {
  const before = state.interfaces.get(name);
  if (before === undefined) return state;
  return { ...state, interfaces: new Map(state.interfaces).set(name, { ...before, device }) };
}

async function lookAtAll(run: Run, names: () => Promise<Iterable<string>>): Promise<Observation> {
  const dump = await run.attempt({ program: 'wg', args: ['show', 'all', 'dump'] });
  const devices =
    dump.exitCode === 0
      ? parseDumpOfAll(dump.stdout, isInterfaceName)
      : await lookOneByOne(run, await names());
  return (state) => ({
    ...state,
    interfaces: new Map(
      [...state.interfaces].map(([name, one]) => [name, { ...one, device: devices.get(name) ?? null }]),
    ),
  });
}

/** One interface that hangs makes the look at all of them fail. */
async function lookOneByOne(run: Run, names: Iterable<string>): Promise<Map<string, ObservedDevice>> {
  const devices = new Map<string, ObservedDevice>();
  for (const name of names) {
    const device = await lookAtDevice(run, { name, some: null }).catch(() => null);
    if (device !== null) devices.set(name, device);
  }
  return devices;
}
