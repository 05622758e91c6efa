// Test support: what the kernel does with steps, as a model. It knows the side effects that plans have to respect:
// routes go with their interface, a prefix moves to the last peer given it, a peer taken out forgets its sessions.

import { withoutLength } from '@powernode/core/net/address';
import { asLoaded } from './nftables/observed.fixture.ts';
import type { ByFamily, ObservedInterface, ObservedPeer, ObservedRoute, ObservedState } from './observed.ts';
import { metricOf } from './routes/steps.ts';
import type { Step } from './step.ts';

export interface ModelKernel {
  readonly seen: ObservedState;
  /** The agent switched forwarding of the family on. */
  readonly forwardingHeld: ByFamily;
}

export function applySteps(kernel: ModelKernel, steps: readonly Step[]): ModelKernel {
  return steps.reduce(applyStep, kernel);
}

function applyStep(kernel: ModelKernel, step: Step): ModelKernel {
  const { seen } = kernel;
  switch (step.kind) {
    case 'create_interface':
      if (seen.interfaces.has(step.name)) throw new Error(`${step.name} exists`);
      return withInterface(kernel, { ...blankInterface, name: step.name });
    case 'remove_interface': {
      const interfaces = new Map(seen.interfaces);
      if (!interfaces.delete(step.name)) throw new Error(`${step.name} does not exist`);
      return { ...kernel, seen: { ...seen, interfaces, routes: routesWithout(seen, step.name) } };
    }
    case 'prepare_interface':
      return changed(kernel, step.name, (one) => ({ ...one, prepared: true, grouped: true }));
    case 'set_link':
      return changed(kernel, step.name, (one) => ({ ...one, up: true, mtu: step.mtu }));
    case 'add_address':
      return changed(kernel, step.interface, (one) => ({
        ...one,
        addresses: [...one.addresses, step.address],
      }));
    case 'remove_address':
      return changed(kernel, step.interface, (one) => ({
        ...one,
        addresses: one.addresses.filter((address) => address !== step.address),
      }));
    case 'set_device':
    case 'set_peer':
    case 'remove_peer':
      return applyToDevice(kernel, step);
    case 'set_route':
    case 'remove_route':
      return { ...kernel, seen: { ...seen, routes: routesAfter(kernel, step) } };
    case 'add_policy_rule':
    case 'remove_policy_rule': {
      const policyRules = new Set(seen.policyRules);
      if (step.kind === 'add_policy_rule') policyRules.add(step.rule);
      else if (!policyRules.delete(step.rule)) throw new Error(`no rule ${step.rule}`);
      return { ...kernel, seen: { ...seen, policyRules } };
    }
    case 'set_ruleset':
      if (step.how === 'change' && seen.ruleset?.loaded == null) throw new Error('nothing was loaded before');
      return { ...kernel, seen: { ...seen, ruleset: asLoaded(step.ruleset) } };
    case 'remove_ruleset':
      return { ...kernel, seen: { ...seen, ruleset: null } };
    case 'start_forwarding':
      return withForwarding(kernel, { [step.family]: true });
    case 'stop_forwarding':
      return withForwarding(kernel, { [step.family]: false });
  }
}

const blankInterface: Omit<ObservedInterface, 'name'> = {
  ours: true,
  prepared: false,
  grouped: false,
  flavour: 'userspace',
  mtu: 1420,
  up: false,
  addresses: [],
  device: { publicKey: null, listenPort: 40000, peers: new Map() },
};

function withForwarding({ seen, forwardingHeld }: ModelKernel, change: Partial<ByFamily>): ModelKernel {
  const forwarding = { ...seen.forwarding, ...change };
  return { forwardingHeld: { ...forwardingHeld, ...change }, seen: { ...seen, forwarding } };
}

function withInterface(kernel: ModelKernel, one: ObservedInterface): ModelKernel {
  const interfaces = new Map(kernel.seen.interfaces).set(one.name, one);
  return { ...kernel, seen: { ...kernel.seen, interfaces } };
}

function changed(
  kernel: ModelKernel,
  name: string,
  change: (one: ObservedInterface) => ObservedInterface,
): ModelKernel {
  const one = kernel.seen.interfaces.get(name);
  if (one === undefined) throw new Error(`${name} does not exist`);
  return withInterface(kernel, change(one));
}

function applyToDevice(
  kernel: ModelKernel,
  step: Extract<Step, { kind: 'set_device' | 'set_peer' | 'remove_peer' }>,
): ModelKernel {
  return changed(kernel, step.kind === 'set_device' ? step.name : step.interface, (one) => {
    if (one.device === null) throw new Error(`${one.name} does not answer`);
    if (step.kind === 'set_device') {
      const { publicKey, listenPort } = one.device;
      const device = { publicKey: step.publicKey ?? publicKey, listenPort: step.listenPort ?? listenPort };
      return { ...one, device: { ...device, peers: one.device.peers } };
    }
    const peers = new Map(one.device.peers);
    if (step.kind === 'remove_peer') peers.delete(step.publicKey);
    else setPeer(peers, step.peer);
    return { ...one, device: { ...one.device, peers } };
  });
}

function setPeer(peers: Map<string, ObservedPeer>, write: Extract<Step, { kind: 'set_peer' }>['peer']): void {
  if (write.how === 'renew') peers.delete(write.publicKey);
  for (const [key, other] of peers) {
    const allowedIps = other.allowedIps.filter((prefix) => !write.allowedIps.includes(prefix));
    peers.set(key, { ...other, allowedIps });
  }
  const before = peers.get(write.publicKey);
  if (write.how === 'new' && before !== undefined) throw new Error('the peer is not new');
  peers.set(write.publicKey, {
    publicKey: write.publicKey,
    endpoint: write.endpoint ?? before?.endpoint ?? null,
    allowedIps: write.allowedIps,
    keepalive: write.keepalive,
    hasPresharedKey: before?.hasPresharedKey === true && !write.clearPresharedKey,
    lastHandshakeS: before?.lastHandshakeS ?? 0,
    rxBytes: before?.rxBytes ?? 0,
    txBytes: before?.txBytes ?? 0,
  });
}

function routesWithout(seen: ObservedState, device: string): Map<string, ObservedRoute[]> {
  const routes = new Map<string, ObservedRoute[]>();
  for (const [destination, list] of seen.routes) {
    const left = list.filter((route) => route.device !== device);
    if (left.length > 0) routes.set(destination, left);
  }
  return routes;
}

/** Replacing finds a route by its destination and metric, whatever interface it goes through. */
function routesAfter(
  kernel: ModelKernel,
  step: Extract<Step, { kind: 'set_route' | 'remove_route' }>,
): Map<string, readonly ObservedRoute[]> {
  const { seen } = kernel;
  const { destination, device } = step;
  const routes = new Map<string, readonly ObservedRoute[]>(seen.routes);
  const before = routes.get(destination) ?? [];
  if (step.kind === 'remove_route') {
    const left = before.filter((route) => route.device !== device || route.metric !== step.metric);
    if (left.length === before.length) throw new Error(`no route to ${destination} through ${device}`);
    if (left.length === 0) routes.delete(destination);
    else routes.set(destination, left);
    return routes;
  }
  if (seen.interfaces.get(device)?.up !== true) throw new Error(`${device} is not up`);
  const known = [...seen.interfaces.values()].flatMap((one) => one.addresses.map(withoutLength));
  if (step.source !== null && !known.includes(step.source))
    throw new Error(`${step.source} is no address of this machine`);
  const kept = before.filter((route) => route.metric !== metricOf(destination));
  return routes.set(destination, [
    ...kept,
    { destination, device, source: step.source, metric: metricOf(destination) },
  ]);
}
