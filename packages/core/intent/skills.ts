// Skills that are run by name: contract §7.
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

/** What a skill can do by itself, without a risk for what works. */
const safeStep = z.object({
  code: z.enum(['clear_session']),
  name: z.string().meta({ description: 'For people: what it is done to' }),
  peer_id: common.id.meta({ description: 'The peer whose instance does it' }),
  detail: z.string(),
});
export type SafeStep = z.infer<typeof safeStep>;

export const sessionSkillAnswer = z.object({
  safe_step: safeStep
    .nullable()
    .default(null)
    .meta({ description: 'What dry_run false carries out; null: nothing that is safe would help' }),
  session_id: common.id,
  state: z.enum(bgpStates.map((state) => state.toLowerCase())),
  likely_cause: z.string(),
  recommended_action: z.string(),
  evidence: z.array(evidence),
  carried_out: z
    .boolean()
    .default(false)
    .meta({ description: 'Whether the safe step was given to the instance; false: nothing was changed' }),
  dry_run: z.boolean(),
});

export const skill = z.object({
  name: z.string(),
  title: z.string(),
  description: z.string(),
  input_schema: z.record(z.string(), z.unknown()),
  output_schema: z.record(z.string(), z.unknown()),
});
