// What a provider of machines offers: a template (what runs), a region (where) or a type (how large).
import { z } from 'zod';
import * as common from './common.ts';

export const offer = z.object({
  ...common.base,
  name: z.string(),
  description: z.string(),
  provider: z.string().meta({ description: 'Who creates the instance; own: you do' }),
});
export type Offer = z.infer<typeof offer>;
