// Where machines come from: providers, and what they offer (templates, regions, types).
import { z } from 'zod';
import * as common from './common.ts';

const offer = {
  ...common.base,
  name: z.string(),
  description: z.string(),
  provider: z.string().meta({ description: 'Who makes the machine; own: you do' }),
};

/** What runs on a new machine. */
export const template = z.object(offer);
/** Where it runs. */
export const providerRegion = z.object(offer);
/** How large it is. */
export const instanceType = z.object(offer);
export type Offer = z.infer<typeof template>;
