// What a machine has outside its overlays: networks, gateways, DNS and DHCP servers, and the platform's address as it
// reaches it. No block of an overlay may cover any of these, or the machine loses it.
import { z } from 'zod';
import * as limits from '../limits.ts';
import { type UnderlayFact, underlayKinds } from '../net/underlay.ts';
import { addressWithLength } from './texts.ts';

const underlayFact: z.ZodType<UnderlayFact> = z.object({
  kind: z.enum(underlayKinds),
  at: addressWithLength.max(limits.prefixTextMax),
  interface: z.string().max(15).nullable(),
});

/** The whole list, the most important first, which is what an agent keeps when it has more. */
export const underlay = z.array(underlayFact).max(limits.underlayFactsMax);
