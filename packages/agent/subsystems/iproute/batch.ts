// Writes of links, addresses and routes as lines for one `ip -batch`.

import type { ProductError } from '@powernode/core/errors';
import { familyOf } from '@powernode/core/net/address';
import { type Command, CommandFailure } from '../../ports/run.ts';
import type { AddressStep } from '../addresses/steps.ts';
import { metricOf, noDevice, type RouteStep, routeProtocol } from '../routes/steps.ts';
import type { Step } from '../step.ts';

export type IpStep = AddressStep | RouteStep;

const kinds: ReadonlySet<string> = new Set<IpStep['kind']>([
  'set_link',
  'add_address',
  'remove_address',
  'set_route',
  'remove_route',
]);

export function isIpStep(step: Step): step is IpStep {
  return kinds.has(step.kind);
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
      return `route replace ${via(step)} proto ${routeProtocol} metric ${metricOf(step.destination)}${source}`;
    }
    case 'remove_route':
      return `route delete ${via(step)} proto ${routeProtocol} metric ${step.metric}`;
  }
}

function via({ destination: text, device }: RouteStep): string {
  const [destination = ''] = text.split(' metric ');
  return device === noDevice ? `${noDevice} ${destination}` : `${destination} dev ${device}`;
}

/** `ip -force -batch` names each line that failed, which is a step; of the others the first stands for all. */
export function failedSteps<S>(batch: readonly S[], error: ProductError): readonly S[] {
  const said = error instanceof CommandFailure ? error.said : '';
  const named = Array.from(
    said.matchAll(/^Command failed -:(\d+)$/gm),
    ([, line]) => batch[Number(line) - 1],
  );
  const found = named.filter((step) => step !== undefined);
  return found.length > 0 ? found : batch.slice(0, 1);
}
