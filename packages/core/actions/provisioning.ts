// Machines that do not exist yet: what providers offer, and asking for one. Contract §3.
import { z } from 'zod';
import * as common from '../intent/common.ts';
import { instance, joinTokenOnce } from '../intent/fleet.ts';
import { offer } from '../intent/provider.ts';
import { joinTokenSecondsDefault, joinTokenSecondsMax } from '../limits.ts';
import { mutate, pageInput, pageOutput, read } from './define.ts';

const area = 'provisioning' as const;

const offers = { area, input: { ...pageInput }, permission: 'system.instances.read' } as const;

export const provisioningActions = {
  listTemplates: read({
    ...offers,
    name: 'system_list_templates',
    title: 'List templates',
    description: 'What can run on a machine that is made by system_create_instance.',
    output: { templates: z.array(offer), ...pageOutput },
    route: { method: 'GET', path: '/templates' },
    cli: { noun: 'template', verb: 'list' },
  }),
  listProviderRegions: read({
    ...offers,
    name: 'system_list_provider_regions',
    title: 'List regions',
    description: 'Where providers make machines.',
    output: { provider_regions: z.array(offer), ...pageOutput },
    route: { method: 'GET', path: '/provider_regions' },
    cli: { noun: 'provider-region', verb: 'list' },
  }),
  listInstanceTypes: read({
    ...offers,
    name: 'system_list_instance_types',
    title: 'List types of machines',
    description: 'How large the machines are that providers make.',
    output: { instance_types: z.array(offer), ...pageOutput },
    route: { method: 'GET', path: '/instance_types' },
    cli: { noun: 'instance-type', verb: 'list' },
  }),
  createInstance: mutate({
    area,
    name: 'system_create_instance',
    title: 'Create a machine',
    description:
      'A machine of the fleet before it exists: it is pending, has its name, its tags and its id, and becomes running when it joins. The provider "own" has you bring the machine: the answer has the command to run on it, with a token that is shown once and lets in that machine only.',
    input: {
      template_id: common.id,
      provider_region_id: common.id,
      provider_instance_type_id: common.id,
      hostname: common.name,
      tags: common.tags.optional(),
      expires_in_seconds: z
        .int()
        .min(1)
        .max(joinTokenSecondsMax)
        .default(joinTokenSecondsDefault)
        .meta({ description: 'How long its token waits for it' }),
    },
    output: { instance, join_token: joinTokenOnce },
    permission: 'system.instances.manage',
    category: 'system.instance_create',
    kind: 'create',
    route: { method: 'POST', path: '/instances' },
    cli: { noun: 'instance', verb: 'create' },
  }),
} as const;
