// The operation behind a drain: it follows what the drain has begun until nothing depends on the machine any more, so that
// whoever asked for it knows when to switch the machine off. It only looks; what moves, the drain itself has moved.
import { id } from '@powernode/core/intent/common';
import { drainLookMs, drainWaitMs } from '@powernode/core/limits/coordination';
import { namedInErrorMax, namedInEventMax } from '@powernode/core/limits/overlay';
import { sql } from 'kysely';
import { z } from 'zod';
import type { OperationKind, StepInput, StepOutcome } from '../../coordination/operations/kind.ts';
import type { ActionContext } from '../context.ts';

const drainInput = z.strictObject({
  instance_id: id,
  /** The account's change by which others hear of the drain. */
  sequence: z.int(),
});
type DrainInput = z.output<typeof drainInput>;

interface Named {
  readonly id: string;
  readonly name: string;
}

export const drainOperation: OperationKind<DrainInput> = {
  name: 'instance_drain',
  input: drainInput,
  permission: 'system.instances.manage',
  steps: [
    { name: 'move_virtual_ips', record: (context, step) => whileDraining(context, step, movesOf) },
    { name: 'leave_hubs', record: (context, step) => whileDraining(context, step, machinesOf) },
  ],
  // It has done nothing itself: the machine stays drained until it is told to take work again.
  cancel: { record: async () => ({ kind: 'done' }) },
};

async function whileDraining(
  context: ActionContext,
  step: StepInput<DrainInput>,
  look: (context: ActionContext, step: StepInput<DrainInput>) => Promise<StepOutcome>,
): Promise<StepOutcome> {
  const instance = await context.trx
    .selectFrom('instances')
    .select('status')
    .where('id', '=', step.input.instance_id)
    .executeTakeFirst();
  if (instance?.status === 'draining') return look(context, step);
  return { kind: 'obsolete', why: 'The instance is no longer draining.' };
}

/** Addresses that are on their way; those that stay, because no other candidate can hold them, are for the result. */
async function movesOf(context: ActionContext, step: StepInput<DrainInput>): Promise<StepOutcome> {
  const { rows } = await sql<Named & { readonly moves: boolean }>`
    select v.id, v.name, v.current_holder_peer_id is null as moves
    from virtual_ips v join peers p on p.network_id = v.network_id
    where p.instance_id = ${step.input.instance_id} and p.account_id = ${context.accountId}
      and (p.id in (v.current_holder_peer_id, v.releasing_peer_id)
        or (v.current_holder_peer_id is null and v.transition ->> 'from_peer_id' = p.id::text))
    order by v.name, v.id
  `.execute(context.trx);
  const moving = rows.filter(({ moves }) => moves);
  if (moving.length > 0 && !isGivenUp(context, step)) {
    return wait(`${moving.length} virtual IPs are being moved: ${listed(moving)}.`);
  }
  const left = rows.slice(0, namedInEventMax).map(({ id: of, name }) => ({ id: of, name }));
  return { kind: 'done', memory: { virtual_ips: left } };
}

/** Machines that have to hear that this hub is drained; those that are offline hear it when they are back. */
async function machinesOf(context: ActionContext, step: StepInput<DrainInput>): Promise<StepOutcome> {
  const { deliverer } = context.services;
  const { instance_id: instanceId, sequence } = step.input;
  if (deliverer.sequenceOf(context.accountId) < sequence) return wait('The platform takes the change in.');
  const { rows } = await sql<Named & { readonly applied: number | null }>`
    select distinct i.id, i.hostname as name, i.applied_revision as applied
    from peers hub
      join peers p on p.network_id = hub.network_id and p.instance_id <> hub.instance_id
      join instances i on i.id = p.instance_id
    where hub.instance_id = ${instanceId} and hub.account_id = ${context.accountId} and hub.hub_slot is not null
      and i.terminated_at is null
    order by i.hostname, i.id
  `.execute(context.trx);
  const behind = rows.flatMap(({ id: of, name, applied }) => {
    const node = deliverer.nodeDelivery(of);
    // The row is of whichever process has its stream.
    const has = Math.max(applied ?? 0, node.appliedRevision ?? 0);
    const isReached = node.desiredRevision >= sequence;
    return isReached && has < sequence ? [{ id: of, name, connected: node.connected }] : [];
  });
  const online = behind.filter(({ connected }) => connected);
  if (online.length > 0 && !isGivenUp(context, step)) {
    return wait(`${online.length} instances have not applied it yet: ${listed(online)}.`);
  }
  return {
    kind: 'done',
    result: {
      virtual_ips_left: step.memory['virtual_ips'] ?? [],
      instances_out_of_date: behind.slice(0, namedInEventMax).map(({ id: of, name }) => ({ id: of, name })),
    },
  };
}

function isGivenUp({ now }: ActionContext, { begunAt }: StepInput<DrainInput>): boolean {
  return now.getTime() - begunAt.getTime() >= drainWaitMs;
}

function wait(detail: string): StepOutcome {
  return { kind: 'wait', forMs: drainLookMs, detail };
}

function listed(all: readonly Named[]): string {
  const names = all.slice(0, namedInErrorMax).map(({ name }) => name);
  return all.length > names.length ? `${names.join(', ')} …` : names.join(', ');
}
