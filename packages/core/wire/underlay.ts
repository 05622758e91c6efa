// What a machine has outside its overlays: networks, gateways, DNS and DHCP servers, and the platform's address as it
// reaches it. No block of an overlay may cover any of these, or the machine loses it.
import { z } from 'zod';
import * as limits from '../limits.ts';
import { addressWithLength } from './texts.ts';

export const underlayKinds = ['platform', 'gateway', 'resolver', 'dhcp_server', 'network'] as const;

/** One such fact. `at` is a block, or an address with the length of its family. */
export const underlayFact = z.object({
  kind: z.enum(underlayKinds),
  at: addressWithLength.max(limits.prefixTextMax),
  /** The machine's interface that it is behind; null: not known. */
  interface: z.string().max(15).nullable(),
});
export type UnderlayFact = z.infer<typeof underlayFact>;

/** The whole list, the most important first, which is what an agent keeps when it has more. */
export const underlay = z.array(underlayFact).max(limits.underlayFactsMax);
