// Skills that are run by name, and what sensors see: contract §7.
import { z } from 'zod';
import { skillNameMax } from '../limits/routing.ts';
import { bgpStates } from './bgp.ts';
import * as common from './common.ts';

export const skillName = common.line(skillNameMax).meta({
  description:
    'As system_list_skills shows it, with hyphens or underscores, with or without system- or system-sdwan- in front',
});
export const sessionSkillInputs = z.strictObject({
  bgp_session_id: common.id.meta({ description: 'From system_sdwan_get_bgp_sessions' }),
  dry_run: z.boolean().optional(),
});
/** Those of all skills: each says which it needs. */
export const skillInputs = sessionSkillInputs.partial();

const evidence = z.object({ code: z.string(), detail: z.string() });

export const sessionSkillAnswer = z.object({
  session_id: common.id,
  state: z.enum(bgpStates.map((state) => state.toLowerCase())),
  likely_cause: z.string(),
  recommended_action: z.string(),
  evidence: z.array(evidence),
  dry_run: z.boolean(),
});

export const skill = z.object({
  name: z.string(),
  title: z.string(),
  description: z.string(),
  input_schema: z.record(z.string(), z.unknown()),
  output_schema: z.record(z.string(), z.unknown()),
});

export const finding = z.object({
  kind: z.enum(['sdwan.bgp_session_down', 'sdwan.bgp_routes_refused']),
  severity: z.enum(['warning', 'error']),
  network_id: common.id,
  object: z.object({ type: z.enum(['bgp_session']), id: common.id, name: z.string() }),
  detail: z.string(),
  began_at: common.time,
  recovered_at: common.time.nullable().meta({ description: 'null: it still holds' }),
  skill: z.string().nullable().meta({ description: 'A skill that looks into it' }),
});
export type Finding = z.infer<typeof finding>;
