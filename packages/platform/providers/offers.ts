// What the platform's providers offer. There is one so far: "own", whose machines are brought by whoever asks.
import { ProductError } from '@powernode/core/errors';
import type { Offer } from '@powernode/core/intent/provider';

/** The same for every account. */
export type Offered = Pick<Offer, 'id' | 'name' | 'description' | 'provider'>;

/** The same ids on every platform and for ever, so that scripts may name them. */
export const templates: readonly Offered[] = [
  {
    id: '01980000-0000-7000-8000-000000000001',
    name: 'agent',
    description: 'The agent on Debian 12 or another Linux distribution',
    provider: 'own',
  },
];

export const providerRegions: readonly Offered[] = [
  {
    id: '01980000-0000-7000-8000-000000000002',
    name: 'anywhere',
    description: 'Anywhere that can reach the platform',
    provider: 'own',
  },
];

export const instanceTypes: readonly Offered[] = [
  {
    id: '01980000-0000-7000-8000-000000000003',
    name: 'as-it-is',
    description: 'Any size; the agent needs 90 MB of memory',
    provider: 'own',
  },
];

export interface Chosen {
  readonly template_id: string;
  readonly provider_region_id: string;
  readonly provider_instance_type_id: string;
}

/** The provider that all three are of; refuses what nobody offers. */
export function providerOf(chosen: Chosen): string {
  const found = [
    offerOf(templates, { path: 'template_id', id: chosen.template_id, list: 'system_list_templates' }),
    offerOf(providerRegions, {
      path: 'provider_region_id',
      id: chosen.provider_region_id,
      list: 'system_list_provider_regions',
    }),
    offerOf(instanceTypes, {
      path: 'provider_instance_type_id',
      id: chosen.provider_instance_type_id,
      list: 'system_list_instance_types',
    }),
  ];
  const [provider, ...others] = new Set(found.map((offer) => offer.provider));
  if (provider !== undefined && others.length === 0) return provider;
  throw refused('template_id', 'the template, the region and the type are of different providers');
}

function offerOf(
  offers: readonly Offered[],
  wanted: { readonly path: string; readonly id: string; readonly list: string },
): Offered {
  const offer = offers.find(({ id }) => id === wanted.id);
  if (offer !== undefined) return offer;
  throw refused(wanted.path, `nobody offers ${wanted.id}; ${wanted.list} lists what there is`);
}

function refused(path: string, message: string): ProductError {
  return new ProductError('validation_failed', `${path}: ${message}.`, {
    fields: [{ path, code: 'not_offered', message }],
  });
}
