// What a machine has outside its overlays: networks, gateways, DNS and DHCP servers, and the platform's address as it
// reaches it. No block of an overlay may cover any of these, or the machine loses it.
import { z } from 'zod';
import * as agentLimits from '../limits/agent.ts';
import * as textsLimits from '../limits/texts.ts';
import { type UnderlayFact, underlayKinds } from '../net/underlay.ts';
import { addressWithLength } from './texts.ts';

const underlayFact: z.ZodType<UnderlayFact> = z.object({
  kind: z.enum(underlayKinds),
  at: addressWithLength.max(textsLimits.prefixTextMax),
  interface: z.string().max(15).nullable(),
});

/** The whole list, the most important first, which is what an agent keeps when it has more. */
export const underlay = z.array(underlayFact).max(agentLimits.underlayFactsMax);
