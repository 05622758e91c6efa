// The skills that there are, and how one is named.
import { sessionSkillAnswer, sessionSkillInputs } from '@powernode/core/intent/skills';

export const sessionSkill = 'system-sdwan-bgp-session-remediate';

export const knownSkills = [
  {
    name: sessionSkill,
    title: 'Look into a BGP session',
    description:
      'Finds the likely cause of a BGP session that is not Established, or that brings no prefixes, and recommends a next step. With dry_run false it clears the session at this end, where that is safe and may help; else it changes nothing.',
    inputs: sessionSkillInputs,
    answer: sessionSkillAnswer,
  },
] as const;

/** By its name with hyphens, with underscores, or without what all of them begin with. */
export function skillNamed(text: string): string | null {
  const asked = text.trim().toLowerCase().replaceAll('_', '-');
  const names = knownSkills.map(({ name }) => name);
  return names.find((name) => name === asked || bare(name) === bare(asked)) ?? null;
}

function bare(name: string): string {
  return name.replace(/^(?:system-)?(?:sdwan-)?/, '');
}
