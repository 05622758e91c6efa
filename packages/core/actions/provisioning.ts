// Machines that do not exist yet: what providers offer, and asking for one. Contract §3.
import { z } from 'zod';
import * as common from '../intent/common.ts';
import { instance, joinTokenOnce } from '../intent/fleet.ts';
import { offer } from '../intent/provider.ts';
import { joinTokenSecondsDefault, joinTokenSecondsMax } from '../limits/trust.ts';
import { mutate, pageInput, pageOutput, read } from './define.ts';

const area = 'provisioning' as const;

const offers = { area, input: { ...pageInput }, permission: 'system.instances.read' } as const;

export const provisioningActions = {
  listTemplates: read({
    ...offers,
    name: 'system_list_templates',
    title: 'List templates',
    description: 'What an instance created with system_create_instance can run.',
    output: { templates: z.array(offer), ...pageOutput },
    columns: { templates: ['id', 'name', 'provider', 'description'] },
    route: { method: 'GET', path: '/templates' },
    cli: { noun: 'template', verb: 'list' },
  }),
  listProviderRegions: read({
    ...offers,
    name: 'system_list_provider_regions',
    title: 'List regions',
    description: 'Regions where providers create instances.',
    output: { provider_regions: z.array(offer), ...pageOutput },
    columns: { provider_regions: ['id', 'name', 'provider', 'description'] },
    route: { method: 'GET', path: '/provider_regions' },
    cli: { noun: 'provider-region', verb: 'list' },
  }),
  listInstanceTypes: read({
    ...offers,
    name: 'system_list_instance_types',
    title: 'List instance types',
    description: 'Sizes of the instances that providers create.',
    output: { instance_types: z.array(offer), ...pageOutput },
    columns: { instance_types: ['id', 'name', 'provider', 'description'] },
    route: { method: 'GET', path: '/instance_types' },
    cli: { noun: 'instance-type', verb: 'list' },
  }),
  createInstance: mutate({
    area,
    name: 'system_create_instance',
    title: 'Create an instance',
    description:
      'Creates a pending instance with a name, tags and an id. It becomes running when it joins. With the provider "own" you bring the hardware or VM: the answer includes the command to run on it, with a token that is shown once and works for this instance only.',
    input: {
      template_id: common.id,
      provider_region_id: common.id,
      provider_instance_type_id: common.id,
      hostname: common.hostname,
      tags: common.tags.optional(),
      expires_in_seconds: z
        .int()
        .min(1)
        .max(joinTokenSecondsMax)
        .default(joinTokenSecondsDefault)
        .meta({ description: 'Lifetime of its join token' }),
    },
    output: { instance, join_token: joinTokenOnce },
    permission: 'system.instances.manage',
    category: 'system.instance_create',
    kind: 'create',
    needsPerson: 'always',
    makesSecret: true,
    route: { method: 'POST', path: '/instances' },
    cli: { noun: 'instance', verb: 'create' },
  }),
} as const;
