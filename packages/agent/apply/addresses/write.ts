// Writes of links, addresses and routes as lines for one `ip -batch`.
import { familyOf } from '@powernode/core/net/address';
import { routeMetric, routeProtocol } from '../../plan/route-plan.ts';
import type { Step } from '../../plan/step.ts';
import type { Command } from '../../ports/run.ts';

export type IpStep = Extract<
  Step,
  { kind: 'set_link' | 'add_address' | 'remove_address' | 'set_route' | 'remove_route' }
>;

export function isIpStep(step: Step): step is IpStep {
  switch (step.kind) {
    case 'set_link':
    case 'add_address':
    case 'remove_address':
    case 'set_route':
    case 'remove_route':
      return true;
    default:
      return false;
  }
}

export function ipCommand(steps: readonly IpStep[]): Command {
  // -force: one line that fails (a port that is taken) must not keep the lines behind it from being tried.
  return { program: 'ip', args: ['-force', '-batch', '-'], input: `${steps.map(ipLine).join('\n')}\n` };
}

export function ipLine(step: IpStep): string {
  switch (step.kind) {
    case 'set_link':
      return `link set dev ${step.name} mtu ${step.mtu} up`;
    case 'add_address':
      // nodad: nobody else can have it, and waiting a second for nobody to say so is a second lost. IPv4 knows no such.
      return `address replace ${step.address} dev ${step.interface}${familyOf(step.address) === 6 ? ' nodad' : ''}`;
    case 'remove_address':
      return `address delete ${step.address} dev ${step.interface}`;
    case 'set_route': {
      const source = step.source === null ? '' : ` src ${step.source}`;
      return `route replace ${step.destination} dev ${step.device} proto ${routeProtocol} metric ${routeMetric}${source}`;
    }
    case 'remove_route':
      return `route delete ${step.destination} dev ${step.device} proto ${routeProtocol} metric ${step.metric}`;
  }
}
