// Routes into overlays, set and looked at with `ip`, and the settings that make the machine forward.
import { isIpStep } from '../iproute/batch.ts';
import { asksIp } from '../iproute/look.ts';
import type { ByFamily } from '../observed.ts';
import { forwardingKey } from '../step.ts';
import { healthOf, type StepDescription, type Subsystem } from '../subsystem.ts';
import { planRoutes } from './plan.ts';
import type { ForwardingStep, RouteStep } from './steps.ts';

export const routes: Subsystem<RouteStep | ForwardingStep> = {
  name: 'routes',
  after: ['addresses'],
  reported: { as: 'routing', code: 'routing_failed' },
  kinds: ['remove_route', 'set_route', 'start_forwarding', 'stop_forwarding'],
  plan: planRoutes,
  describe,
  batchOf: (step) => (isIpStep(step) ? 'ip' : null),
  changesOthers: (step) => !isIpStep(step),
  open: ({ ip, forwarding }) => ({
    look: (scope) => {
      if (!asksIp(scope)) return null;
      return ip.look(scope).then(({ routes: found }) => (state) => ({
        ...state,
        routes: found,
        forwarding: scope.kind === 'everything' ? forwarding.isOn() : state.forwarding,
      }));
    },
    execute: async (steps) => {
      const [first] = steps;
      if (first !== undefined && isIpStep(first)) return ip.execute(steps.filter((step) => isIpStep(step)));
      for (const step of steps) {
        if (step.kind === 'start_forwarding') forwarding.start(step.family);
        if (step.kind === 'stop_forwarding') forwarding.stop(step.family);
      }
      return [];
    },
    health: (problems) => healthOf(problems),
  }),
};

const familyNames = { ipv6: 'IPv6', ipv4: 'IPv4' } as const satisfies Record<keyof ByFamily, string>;

function describe(step: RouteStep | ForwardingStep): StepDescription {
  switch (step.kind) {
    case 'remove_route':
      return {
        key: `route/${step.destination}`,
        interface: step.device,
        drift: `there was a route to ${step.destination} through ${step.device} that is not in the document`,
        failure: `The route to ${step.destination} through ${step.device} could not be removed`,
      };
    case 'set_route':
      return {
        key: `route/${step.destination}`,
        interface: step.device,
        drift: `the route to ${step.destination} through ${step.device} was missing or different`,
        failure: `The route to ${step.destination} through ${step.device} could not be set`,
      };
    case 'start_forwarding':
      return {
        key: forwardingKey,
        drift: `forwarding of ${familyNames[step.family]} was switched off`,
        failure: `Forwarding of ${familyNames[step.family]} could not be switched on`,
      };
    case 'stop_forwarding':
      return {
        key: forwardingKey,
        drift: `forwarding of ${familyNames[step.family]} was still switched on`,
        failure: `Forwarding of ${familyNames[step.family]} could not be switched off`,
      };
  }
}
