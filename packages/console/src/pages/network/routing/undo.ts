// Takes back that a route policy was changed or deleted. What somebody else did since is not taken back.
import type { RoutePolicy } from '@powernode/core/intent/route-policy';
import { actionFacts } from '../../../api/actions.ts';
import type { Answer, ChangeAction, Parameters } from '../../../api/client.ts';
import { nounsOf } from '../../../api/nouns.ts';
import { problemOfThrown } from '../../../api/problem.ts';
import { client } from '../../../app/platform.ts';
import { refresh } from '../../../app/query-client.ts';
import { tell } from '../../../app/toasts.ts';

/** The policy as it was, over what it became. */
export function goBackTo(before: RoutePolicy, after: RoutePolicy): Promise<void> {
  const { name, direction, statements } = before;
  return takeBack('updateRoutePolicy', `${name} is as it was`, after.name, {
    route_policy_id: after.id,
    name,
    direction,
    statements,
    // Refused when somebody else changed it after that.
    if_revision: after.revision,
  });
}

/** Says it, and offers to create it again. */
export function reportDeleted({ network_id, name, direction, statements }: RoutePolicy): void {
  tell({
    tone: 'done',
    text: `${name} is deleted`,
    undo: () =>
      void takeBack('createRoutePolicy', `${name} is created again, behind all others`, name, {
        network_id,
        name,
        direction,
        statements,
      }),
  });
}

async function takeBack<K extends ChangeAction>(
  action: K,
  done: string,
  name: string,
  parameters: Parameters<K>,
): Promise<void> {
  try {
    const answer: Answer<K> = await client.change(action, parameters);
    if (answer.kind === 'done') tell({ tone: 'done', text: `Undone: ${done}` });
    else {
      const link = { approvalId: answer.deferred.id, label: 'Open the request' };
      tell({ tone: 'wait', text: `The undo waits for approval: ${answer.deferred.summary}`, link });
    }
  } catch (thrown) {
    tell({ tone: 'bad', text: `${name} was not undone: ${problemOfThrown(thrown).detail}` });
  }
  refresh(new Set([...nounsOf(actionFacts[action].category ?? ''), 'approvals']), 'short');
}
