// A network as delivery holds it in memory, for those who look into what its nodes are given.
import type { NetworkIndex } from '@powernode/core/compile/network-index';
import { ProductError } from '@powernode/core/errors';
import type { ActionContext } from '../../context.ts';
import { networkRow } from '../rows.ts';

export async function loadedNetwork(context: ActionContext, id: string): Promise<NetworkIndex> {
  const { name } = await networkRow(context, id);
  const index = context.services.deliverer.network(id);
  if (index !== undefined) return index;
  throw new ProductError(
    'conflict',
    `The network "${name}" was created by another platform process and is not available here yet. Try again in a moment.`,
  );
}
