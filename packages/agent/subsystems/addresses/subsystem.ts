// Addresses, MTU and state of interfaces, set and looked at with `ip`.
import { asksIp } from '../iproute/look.ts';
import type { ObservedInterface } from '../observed.ts';
import { healthOf, type StepDescription, type Subsystem } from '../subsystem.ts';
import { planAddresses } from './plan.ts';
import type { AddressStep } from './steps.ts';

export const addresses: Subsystem<AddressStep> = {
  name: 'addresses',
  after: ['wireguard'],
  reported: { as: 'addresses', code: 'addresses_failed' },
  kinds: ['set_link', 'add_address', 'remove_address'],
  plan: planAddresses,
  describe,
  batchOf: () => 'ip',
  // Without the rules there is nothing that lets go of a leased address when its lease is over.
  needs: (step) => (step.kind === 'add_address' && step.isLeased ? ['nftables'] : []),
  open: ({ ip }) => ({
    look: (scope) => {
      if (!asksIp(scope)) return null;
      return ip.look(scope).then(({ interfaces: found }) => (state) => {
        const interfaces = new Map<string, ObservedInterface>();
        for (const [name, one] of state.interfaces) {
          const { mtu, up, addresses: list } = found.get(name) ?? one;
          interfaces.set(name, { ...one, mtu, up, addresses: list });
        }
        return { ...state, interfaces };
      });
    },
    execute: (steps) => ip.execute(steps),
    health: (problems) => healthOf(problems),
  }),
};

function describe(step: AddressStep): StepDescription {
  const name = step.kind === 'set_link' ? step.name : step.interface;
  const of = { key: `interface/${name}`, interface: name };
  switch (step.kind) {
    case 'set_link':
      return {
        ...of,
        drift: `interface ${name} was down or had another MTU`,
        failure: `Interface ${name} could not be brought up`,
      };
    case 'remove_address':
      return {
        ...of,
        drift: `interface ${name} had address ${step.address}, which is not in the document`,
        failure: `Address ${step.address} could not be removed from interface ${name}`,
      };
    case 'add_address':
      return {
        ...of,
        drift: `address ${step.address} was missing on interface ${name}`,
        failure: `Address ${step.address} could not be added to interface ${name}`,
      };
  }
}
