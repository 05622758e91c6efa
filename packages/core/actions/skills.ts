// Skills and findings: contract §7.
import { z } from 'zod';
import * as common from '../intent/common.ts';
import { finding, findingKind } from '../intent/findings.ts';
import { sessionSkillAnswer, skill, skillInputs, skillName } from '../intent/skills.ts';
import { mutate, pageInput, pageOutput, read } from './define.ts';

const area = 'autonomy' as const;

export const skillActions = {
  executeSkill: mutate({
    area,
    name: 'execute_skill',
    title: 'Run a skill',
    description:
      'Looks for the cause of a fault and recommends what to do. With dry_run false it carries out the safe step, if there is one. system_list_skills has the inputs.',
    input: { skill: skillName, inputs: skillInputs.default({}) },
    output: sessionSkillAnswer.shape,
    columns: { evidence: ['code', 'detail'] },
    permission: 'system.sdwan.routing.manage',
    plansFirst: { permission: 'system.sdwan.routing.read', alsoIn: 'inputs' },
    category: 'system.sdwan_bgp_session_remediate',
    defaultMode: 'require_approval',
    kind: 'update',
    needsPerson: 'always',
    revised: false,
    idempotent: false,
    route: { method: 'POST', path: '/skills/execute' },
    cli: { noun: 'skill', verb: 'execute' },
  }),
  listSkills: read({
    area,
    name: 'system_list_skills',
    title: 'List skills',
    description: 'The skills that execute_skill runs, with the schemas of their inputs and answers.',
    input: { ...pageInput },
    output: { skills: z.array(skill), ...pageOutput },
    columns: { skills: ['name', 'title', 'description'] },
    permission: 'system.sdwan.routing.read',
    route: { method: 'GET', path: '/skills' },
    cli: { noun: 'skill', verb: 'list' },
  }),
  listFindings: read({
    area,
    name: 'system_list_findings',
    title: 'List findings',
    description:
      'What is wrong in the networks of the account now, with when it began, oldest first: BGP sessions that are down, hubs that are unreachable, virtual IPs whose holder is silent, and what the periodic audit finds in route policies and firewall rules. Only findings about objects that the caller may read are listed.',
    input: {
      ...pageInput,
      network_id: common.id.optional(),
      kind: findingKind.optional(),
      recovered: z
        .boolean()
        .default(false)
        .meta({ description: 'true: instead, those that are over, with when they ended' }),
    },
    output: { findings: z.array(finding), ...pageOutput },
    columns: { findings: ['kind', 'severity', 'object.name', 'began_at', 'recovered_at', 'detail'] },
    permission: 'system.sdwan.routing.read',
    route: { method: 'GET', path: '/findings' },
    cli: { noun: 'finding', verb: 'list' },
  }),
} as const;
