// Links: the interfaces of overlays, made in the kernel where it has WireGuard and in userspace where not.
import { asksIp } from '../iproute/look.ts';
import type { ObservedInterface } from '../observed.ts';
import { healthOf, type StepDescription, type Subsystem } from '../subsystem.ts';
import { InterfaceMaker } from './interfaces.ts';
import { planLinks } from './plan.ts';
import type { LinkStep } from './steps.ts';

export const links: Subsystem<LinkStep> = {
  name: 'links',
  after: ['nftables'],
  reported: { as: 'wireguard', code: 'wireguard_failed' },
  kinds: ['remove_interface', 'create_interface', 'prepare_interface'],
  plan: planLinks,
  describe,
  batchOf: () => null,
  // Addresses, routes and tunnels go with an interface.
  changesOthers: () => true,
  open: (parts) => {
    const maker = new InterfaceMaker({ ...parts, ended: parts.interfaceEnded });
    return {
      look: (scope) => {
        if (!asksIp(scope)) return null;
        return parts.ip.look(scope).then(({ interfaces: found }) => (state) => {
          const interfaces = new Map<string, ObservedInterface>();
          for (const [name, { ours, prepared, grouped, flavour }] of found) {
            const before = state.interfaces.get(name) ?? unknown;
            interfaces.set(name, { ...before, name, ours, prepared, grouped, flavour });
          }
          return { ...state, interfaces };
        });
      },
      execute: async (steps) => {
        for (const step of steps) await carryOut(maker, step);
        return [];
      },
      health: (problems) => healthOf(problems, flavourText(maker.flavour)),
    };
  },
};

const unknown = { mtu: 0, up: false, addresses: [], device: null } as const;

function carryOut(maker: InterfaceMaker, step: LinkStep): Promise<void> {
  switch (step.kind) {
    case 'create_interface':
      return maker.create(step.name);
    case 'prepare_interface':
      return maker.prepare(step.name);
    case 'remove_interface':
      return maker.remove(step.name);
  }
}

function describe(step: LinkStep): StepDescription {
  const { name } = step;
  const of = { key: `interface/${name}`, interface: name };
  switch (step.kind) {
    case 'remove_interface':
      return {
        ...of,
        drift: `interface ${name} is not in the document, or did not answer as a WireGuard interface`,
        failure: `Interface ${name} could not be removed`,
      };
    case 'create_interface':
      return {
        ...of,
        drift: `interface ${name} was missing`,
        failure: `Interface ${name} could not be made`,
      };
    case 'prepare_interface':
      return {
        ...of,
        drift: `interface ${name} had lost its mark or its group`,
        failure: `Interface ${name} could not be prepared`,
      };
  }
}

function flavourText(flavour: InterfaceMaker['flavour']): string {
  if (flavour === null) return '';
  return flavour === 'kernel' ? 'in the kernel' : 'in userspace (wireguard-go)';
}
