// WireGuard: the keys, ports and peers of interfaces, set with `wg set` and looked at with `wg show … dump`.
import { mustRun } from '../../ports/run.ts';
import type { Problem } from '../problem.ts';
import { healthOf, type StepDescription, type Subsystem, type SubsystemParts } from '../subsystem.ts';
import { lookAtDevices } from './look.ts';
import { planWireguard } from './plan.ts';
import { interfaceOf, type WireguardStep } from './steps.ts';
import { isPortTaken, takenPortProblem } from './taken-port.ts';
import { wgCommands } from './write.ts';

export const wireguard: Subsystem<WireguardStep> = {
  name: 'wireguard',
  after: ['links'],
  reported: { as: 'wireguard', code: 'wireguard_failed' },
  kinds: ['set_device', 'set_peer', 'remove_peer'],
  plan: planWireguard,
  describe,
  batchOf: (step) => `wg ${interfaceOf(step)}`,
  open: (parts) => ({
    look: (scope) => lookAtDevices(parts, scope),
    execute: (steps) => execute(parts, steps),
    health: (problems) => healthOf(problems),
  }),
};

async function execute(parts: SubsystemParts, steps: readonly WireguardStep[]): Promise<Problem[]> {
  const [first] = steps;
  if (first === undefined) return [];
  const name = interfaceOf(first);
  try {
    await wgSet(parts, name, steps);
    return [];
  } catch (cause) {
    const port = portIn(steps);
    if (port === null || !isPortTaken(cause)) throw cause;
    // Everything but the port, so that this side can call at least.
    await wgSet(parts, name, steps.map(withoutPort));
    return [await takenPortProblem(parts.run, { interface: name, port, cause })];
  }
}

async function wgSet(
  { run, keys }: SubsystemParts,
  name: string,
  steps: readonly WireguardStep[],
): Promise<void> {
  if (keys === null) throw new Error('a peer was to be written without keys');
  for (const command of wgCommands(name, steps, (publicKey) => keys.privateKeyFile(publicKey))) {
    await mustRun(run, command);
  }
}

function portIn(steps: readonly WireguardStep[]): number | null {
  const device = steps.findLast((step) => step.kind === 'set_device');
  return device?.listenPort ?? null;
}

function withoutPort(step: WireguardStep): WireguardStep {
  return step.kind === 'set_device' ? { ...step, listenPort: null } : step;
}

function describe(step: WireguardStep): StepDescription {
  const name = interfaceOf(step);
  switch (step.kind) {
    case 'set_device':
      return {
        key: `interface/${name}`,
        interface: name,
        drift: `the key or the port of interface ${name} was different`,
        failure: `The key or the port of interface ${name} could not be set`,
      };
    case 'set_peer':
      return {
        key: `peer/${name}/${step.peer.publicKey}`,
        interface: name,
        drift:
          step.peer.how === 'new'
            ? `the peer was missing on interface ${name}`
            : `the peer was configured differently on interface ${name}`,
        failure: `The peers of interface ${name} could not be set`,
      };
    case 'remove_peer':
      return {
        key: `peer/${name}/${step.publicKey}`,
        interface: name,
        drift: `interface ${name} had a peer that is not in the document`,
        failure: `The peers of interface ${name} could not be set`,
      };
  }
}
