// Role, port and endpoints of a peer, as they follow from what is declared and observed, with notes for its plan.
import { ProductError } from '@powernode/core/errors';
import type { ActionContext } from '../../context.ts';
import { detectionInWords, reachOf } from '../reachability/reach.ts';
import type { InstanceRow, PeerRow } from '../rows.ts';
import { takeHubSlot, takePort } from './allocation.ts';
import { overlayPrefixes, refuseUncallableHub, refuseUnfitEndpoints } from './endpoint-checks.ts';

/** The parameters of attach and update that are about this. */
export interface EndpointInput {
  readonly publicly_reachable?: boolean | null | undefined;
  readonly endpoint_address?: string | null | undefined;
  readonly endpoint_addresses?: readonly string[] | undefined;
  readonly listen_port?: number | null | undefined;
}

/** The columns of a peer that are about this. */
export type EndpointColumns = Pick<
  PeerRow,
  'publicly_reachable' | 'listen_port' | 'listen_port_declared' | 'hub_slot' | 'endpoint' | 'role_because'
> & { readonly endpoint_addresses: string; readonly fallback_endpoints: string };

export async function endpointColumns(
  context: ActionContext,
  of: {
    readonly networkId: string;
    readonly instance: InstanceRow;
    /** null: it is being attached. */
    readonly before: PeerRow | null;
    readonly input: EndpointInput;
  },
): Promise<EndpointColumns> {
  const { instance, before, input } = of;
  const overlays = await overlayPrefixes(context.trx, context.accountId);
  const endpointAddresses = declaredEndpoints(input, before?.endpoint_addresses ?? []);
  const path = input.endpoint_addresses === undefined ? 'endpoint_address' : 'endpoint_addresses';
  const checked = { instance, overlays };
  refuseUnfitEndpoints(endpointAddresses, { ...checked, path });
  const port = await portOf(context, { instance, before, input, endpointAddresses });
  const role = roleOf(context, of);
  const reach = reachOf({
    hub: role.hub,
    endpointAddresses,
    listenPort: port.listen_port,
    observedAddress: instance.observed_address,
    listed: instance.addresses,
    known: before === null ? null : knownOf(before),
    overlays,
  });
  if (role.hub && reach.endpoint === null) refuseUncallableHub(checked);
  const slot = async () => before?.hub_slot ?? (await takeHubSlot(context, of.networkId));
  return {
    publicly_reachable: role.declared,
    role_because: role.because,
    endpoint_addresses: JSON.stringify(endpointAddresses),
    ...port,
    hub_slot: role.hub ? await slot() : null,
    endpoint: reach.endpoint,
    fallback_endpoints: JSON.stringify(reach.fallbacks),
  };
}

/** Endpoints that a peer has: the first, and those that others try next. */
export function knownOf(peer: Pick<PeerRow, 'endpoint' | 'fallback_endpoints'>): string[] {
  return peer.endpoint === null ? [] : [peer.endpoint, ...peer.fallback_endpoints];
}

function declaredEndpoints(input: EndpointInput, before: readonly string[]): readonly string[] {
  const { endpoint_address: one, endpoint_addresses: several } = input;
  if (one !== undefined && several !== undefined) {
    const message = 'give endpoint_address or endpoint_addresses, not both';
    throw new ProductError('validation_failed', `endpoint_addresses: ${message}.`, {
      fields: [{ path: 'endpoint_addresses', code: 'given_twice', message }],
    });
  }
  if (several !== undefined) return [...new Set(several)];
  if (one !== undefined) return one === null ? [] : [one];
  return before;
}

interface Role {
  readonly hub: boolean;
  readonly declared: boolean | null;
  readonly because: string | null;
}

/**
 * What is not declared is detected once: when the machine is attached, or when its operator goes back to detecting. What
 * is seen of it later is proposed (observed/machine.ts), and changes nothing by itself.
 */
function roleOf(
  context: ActionContext,
  of: { readonly instance: InstanceRow; readonly before: PeerRow | null; readonly input: EndpointInput },
): Role {
  const { instance, before, input } = of;
  const wanted = input.publicly_reachable;
  if (before !== null && (wanted === undefined || wanted === before.publicly_reachable)) {
    return {
      hub: before.hub_slot !== null,
      declared: before.publicly_reachable,
      because: before.role_because,
    };
  }
  const declared = wanted ?? null;
  const detected = instance.publicly_reachable;
  const because =
    declared === null
      ? detectionInWords({
          detected,
          observedAddress: instance.observed_address,
          listed: instance.addresses,
        })
      : `declared by ${context.caller.operatorName}`;
  const hub = declared ?? detected;
  context.note('role', `"${instance.hostname}" is a ${hub ? 'hub' : 'spoke'} because it was ${because}.`);
  return { hub, declared, because };
}

async function portOf(
  context: ActionContext,
  of: {
    readonly instance: InstanceRow;
    readonly before: PeerRow | null;
    readonly input: EndpointInput;
    readonly endpointAddresses: readonly string[];
  },
): Promise<Pick<PeerRow, 'listen_port' | 'listen_port_declared'>> {
  const { instance, before, input, endpointAddresses } = of;
  const isDeclared =
    input.listen_port === undefined ? (before?.listen_port_declared ?? false) : input.listen_port !== null;
  const declared = isDeclared ? (input.listen_port ?? before?.listen_port ?? null) : null;
  const listenPort = await takePort(context, {
    instance,
    declared,
    endpointAddresses,
    kept: input.listen_port === null ? null : (before?.listen_port ?? null),
    peerId: before?.id ?? null,
  });
  return { listen_port: listenPort, listen_port_declared: isDeclared };
}
