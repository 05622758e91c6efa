// Handler: what a machine took back because it had cut the machine off (decision 10) is tried there once more.
import { ProductError } from '@powernode/core/errors';
import type { Handler } from '../context.ts';
import { instanceRow } from '../sdwan/rows.ts';
import { showInstance } from './present.ts';
import { showProblem } from './problems.ts';

export const retryRolledBack: Handler<'retryRolledBack'> = async (context, input) => {
  const row = await instanceRow(context, input.instance_id);
  const { hostname } = row;
  const rolledBack = row.problems.filter(({ code }) => code === 'change_rolled_back');
  if (row.status === 'terminated') {
    throw new ProductError('conflict', `The instance "${hostname}" is terminated.`);
  }
  if (rolledBack.length === 0) {
    throw new ProductError(
      'conflict',
      `Nothing was rolled back on "${hostname}": it does not have the problem change_rolled_back.`,
    );
  }
  const { deliverer } = context.services;
  if (!deliverer.nodeDelivery(row.id).connected) {
    throw new ProductError(
      'conflict',
      `"${hostname}" is offline. Try again when it is online, or run "powernode agent retry" on it.`,
    );
  }
  const instance = await showInstance(context, row);
  // A problem for each network that it concerns, with one text.
  const details = [...new Set(rolledBack.map(({ detail }) => detail))];
  context.addPlanNode({
    instance_id: row.id,
    hostname,
    changes: details.map((detail) => ({
      op: 'set',
      key: 'change_rolled_back',
      detail: `apply again what was rolled back. ${detail}`,
    })),
    changes_count: details.length,
  });
  context.event('system.instance.retried', {
    node_instance_id: row.id,
    hostname,
    problems: rolledBack.map(showProblem),
  });
  context.whenCommitted(() => deliverer.retryRolledBack(row.id));
  return { instance };
};
