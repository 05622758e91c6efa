// Handlers: skills by their names.
import { ProductError } from '@powernode/core/errors';
import { z } from 'zod';
import type { HandlersOf } from '../../context.ts';
import { pageOf } from '../../paging.ts';
import { knownSkills, skillNamed } from './known-skills.ts';
import { remediateSession } from './remediate-session.ts';

export const skillHandlers: HandlersOf<'executeSkill' | 'listSkills'> = {
  async executeSkill(context, input) {
    if (skillNamed(input.skill) === null) {
      const names = knownSkills.map(({ name }) => name).join(', ');
      const message = `is no skill: write ${names}`;
      throw new ProductError('validation_failed', `skill "${input.skill}" ${message}.`, {
        fields: [{ path: 'skill', code: 'unknown_skill', message }],
      });
    }
    const { bgp_session_id: sessionId } = input.inputs;
    if (sessionId === undefined) {
      const message = 'is needed: write the id of a session of system_sdwan_get_bgp_sessions';
      throw new ProductError('validation_failed', `inputs.bgp_session_id ${message}.`, {
        fields: [{ path: 'inputs.bgp_session_id', code: 'required', message }],
      });
    }
    return remediateSession(context, sessionId);
  },

  async listSkills(_context, input) {
    const { rows, answer } = pageOf(knownSkills, input);
    const skills = rows.map(({ inputs, answer: output, ...skill }) => ({
      ...skill,
      input_schema: z.toJSONSchema(inputs, { io: 'input' }) as Record<string, unknown>,
      output_schema: z.toJSONSchema(output) as Record<string, unknown>,
    }));
    return { skills, ...answer };
  },
};
