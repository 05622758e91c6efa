// Asks the platform whom the token belongs to.
import type { PlatformClient } from '@powernode/client/platform-client';
import { type actions, definitionOf } from '@powernode/core/actions/catalogue';
import { outputOf } from '@powernode/core/actions/define';
import type { z } from 'zod';

type Whoami = z.output<z.ZodObject<(typeof actions.whoami)['output']>>;

export async function whoami(platform: PlatformClient): Promise<Whoami> {
  const action = definitionOf('whoami');
  const { body } = await platform.call(action.name, {});
  return outputOf(action).parse(body) as Whoami;
}
