// A platform for the console's tests: the HTTP surface with a handful of data, no database and no machines. It reads
// parameters with the product's own schemas, so that it refuses what the real one refuses.
import {
  type ActionKey,
  actionKeyOf,
  actionKeys,
  actions,
  definitionOf,
} from '@powernode/core/actions/catalogue';
import { inputOf } from '@powernode/core/actions/define';
import { ProductError, problemOf } from '@powernode/core/errors';
import type { Permission } from '@powernode/core/intent/account';
import type { PolicyMode } from '@powernode/core/intent/autonomy';
import type { Event } from '@powernode/core/intent/fleet';
import { secretFetchMs } from '@powernode/core/limits/requests';
import { fieldProblems, validationMessage } from '@powernode/core/validation';
import { changesOf } from './change-log.ts';
import { defer, prepare } from './changes.ts';
import { counter, idOf } from './ids.ts';
import { type ListInput, pageOf, rowsOf } from './lists.ts';
import { type Prepared, planOf, preparedPlan, refuseStale } from './prepared.ts';
import { readService } from './services.ts';
import { topologyOf } from './topology.ts';
import { type Approval, accountId, stored, type World } from './world.ts';

type Body = Record<string, unknown>;
export interface Answer {
  readonly status: number;
  readonly body: Body;
}

export class FakePlatform {
  readonly world: World;
  readonly events: Event[] = [];
  readonly modes = new Map<string, PolicyMode>();
  /** By approval: results with what is shown once, until somebody fetched it. */
  readonly #secrets = new Map<string, Body>();
  /** By category: how often its policy was set. */
  readonly #policyRevisions = new Map<string, number>();
  /** The name of the operator whose call is answered. */
  #caller = 'admin';
  /** What the token of the tests may do. */
  permissions: Permission[];
  readonly #listeners = new Set<(event: Event) => void>();
  readonly #newId = counter(9_000_000);

  constructor(world: World) {
    this.world = world;
    this.permissions = [...world.whoami.permissions];
  }

  emit(kind: string, payload: Body, part: Partial<Event> = {}): Event {
    const event: Event = {
      id: this.#newId(),
      account_id: accountId,
      kind,
      severity: 'info',
      at: new Date().toISOString(),
      actor: { kind: 'operator', id: this.world.whoami.operator.id, name: this.#caller },
      correlation_id: 'c0ffee',
      payload,
      ...part,
    };
    this.events.unshift(event);
    for (const listener of this.#listeners) listener(event);
    return event;
  }

  listen(listener: (event: Event) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Answers the generic call of an action. */
  answer(name: string, raw: unknown, caller = 'admin'): Answer {
    this.#caller = caller;
    try {
      return this.#invoke(name, raw);
    } catch (error) {
      if (!(error instanceof ProductError)) throw error;
      const problem = problemOf(error);
      return { status: problem.status, body: { ...problem } };
    }
  }

  #invoke(name: string, raw: unknown): Answer {
    const key = actionKeyOf(name);
    if (key === undefined) throw new ProductError('not_found', 'Nothing exists at this URL.');
    const definition = definitionOf(key);
    const planning = 'plansFirst' in definition ? definition.plansFirst?.permission : undefined;
    const onlyPlans = (raw as Body | null)?.['dry_run'] !== false;
    const may = planning !== undefined && onlyPlans && this.permissions.includes(planning);
    if (!may) this.require(definition.permission);
    const parsed = inputOf(definition).safeParse(raw, { error: validationMessage });
    if (!parsed.success) throw refusal(parsed.error);
    const { dry_run: dryRun, approve, ...input } = parsed.data as Body;
    if (definition.category === null) return { status: 200, body: this.#read(key, input) };
    if (key === 'setPolicy') return { status: 200, body: this.#setPolicy(input, dryRun === true) };
    if (key === 'decideApproval') return { status: 200, body: this.#decide(input) };
    return this.#change(key, { input, dryRun: dryRun === true, approve: approve === true });
  }

  require(permission: Permission | null): void {
    if (permission === null || this.permissions.includes(permission)) return;
    throw new ProductError(
      'permission_denied',
      `This requires the permission ${permission}. Ask an administrator of the account.`,
      { members: { permission } },
    );
  }

  #read(key: ActionKey, input: Body): Body {
    const { world } = this;
    const list = rowsOf(actions[key].name, world, { list: () => this.#policies() });
    if (list !== null) return pageOf(list.noun, list.rows, input as ListInput);
    const one = (noun: string, rows: readonly { id: string }[]) => {
      const id = input[`${noun}_id`];
      const row = rows.find((candidate) => candidate.id === id);
      if (row === undefined)
        throw new ProductError(
          'not_found',
          `There is no ${noun} ${String(id)}. List the existing ones first.`,
        );
      return { [noun]: row };
    };
    switch (key) {
      case 'whoami':
        return { ...world.whoami, permissions: this.permissions };
      case 'getNetwork':
        return one('network', world.networks);
      case 'getInstance':
        return one('instance', world.instances);
      case 'getPeer':
        return one('peer', world.peers);
      case 'getApproval':
        return this.#approval(one('approval', world.approvals)['approval'] as Approval, input);
      case 'getOperation':
        return one('operation', world.operations);
      case 'getTopology':
        return {
          topology: topologyOf(world, one('network', world.networks)['network'] as World['networks'][number]),
        };
      case 'listChanges': {
        const { network_id, instance_id, from_sequence: _from, ...page } = input as Body & ListInput;
        const filter = { network_id, instance_id } as Parameters<typeof changesOf>[2];
        return pageOf('changes', changesOf(world, this.events, filter), page);
      }
      case 'recentEvents': {
        const { kind_prefix: prefix = '', ...page } = input as unknown as ListInput & {
          kind_prefix?: string;
        };
        return pageOf(
          'events',
          this.events.filter((e) => e.kind.startsWith(prefix)),
          page,
        );
      }
      default: {
        const answer = readService(key, world, input);
        if (answer === null) throw new Error(`the fake platform has no ${key}`);
        return answer;
      }
    }
  }

  #change(
    key: ActionKey,
    call: { readonly input: Body; readonly dryRun: boolean; readonly approve: boolean },
  ): Answer {
    const prepared: Prepared = prepare(key, this.world, call.input);
    const mode = this.#modeOf(key);
    if (call.dryRun) {
      const plan = preparedPlan(this.world, prepared);
      return { status: 200, body: { ...prepared.body, ...prepared.previewed, dry_run: true, plan } };
    }
    if (mode === 'blocked')
      throw new ProductError('policy_blocked', `The account's policy blocks ${actions[key].name}.`);
    if (mode === 'require_approval' && !call.approve) {
      const approval = defer(this.world, { key, input: call.input, prepared });
      const { id, action, summary, expires_at } = approval;
      this.emit(
        'system.approval.requested',
        { approval_id: id, summary, action, expires_at },
        { severity: 'warning' },
      );
      return {
        status: 202,
        body: { pending: true, deferred_operation: { id, action, summary, expires_at } },
      };
    }
    const happened = prepared.commit();
    if (happened !== null) this.emit(happened.kind, happened.payload);
    return { status: 200, body: prepared.body };
  }

  /** What is shown once is in this answer, and not in what is kept. */
  #approval(approval: Approval, input: Body): Body {
    const result = this.#secrets.get(approval.id);
    const { secret } = approval;
    if (result === undefined || secret === null || input['show_secret'] === false) return { approval };
    this.#secrets.delete(approval.id);
    const shown: Approval = { ...approval, secret: { ...secret, status: 'shown' } };
    this.world.approvals.splice(this.world.approvals.indexOf(approval), 1, shown);
    return { approval: { ...shown, result } };
  }

  #decide(input: Body): Body {
    const approval = this.world.approvals.find((one) => one.id === input['approval_id']);
    if (approval === undefined || approval.status !== 'pending') {
      throw new ProductError('conflict', `It is ${approval?.status ?? 'gone'} already; a decision is final.`);
    }
    const approved = input['decision'] === 'approve';
    const next: Approval = {
      ...approval,
      status: approved ? ('approved' as const) : ('rejected' as const),
      decided_by: { id: this.world.whoami.operator.id, name: 'admin' },
      decided_at: new Date().toISOString(),
      reason: (input['reason'] as string | undefined) ?? null,
    };
    this.world.approvals.splice(this.world.approvals.indexOf(approval), 1, next);
    const key = actionKeyOf(approval.action);
    if (approved && key !== undefined) {
      const prepared = prepare(key, this.world, approval.input);
      const happened = prepared.commit();
      if (happened !== null) this.emit(happened.kind, happened.payload);
      if (definitionOf(key).makesSecret) {
        this.#secrets.set(next.id, prepared.body);
        next.secret = {
          status: 'waiting',
          expires_at: new Date(Date.now() + secretFetchMs).toISOString(),
          detail: null,
        };
      } else next.result = prepared.body;
      this.emit(`system.approval.approved`, { approval_id: next.id, summary: next.summary });
      return { approval: next };
    }
    this.emit(`system.approval.${next.status}`, { approval_id: next.id, summary: next.summary });
    return { approval: next };
  }

  #modeOf(key: ActionKey): PolicyMode {
    const { category } = definitionOf(key);
    return this.modes.get(category?.name ?? '') ?? category?.defaultMode ?? 'auto_approve';
  }

  #setPolicy(input: Body, dryRun: boolean): Body {
    const category = String(input['category']);
    const before = this.#policies().find((policy) => policy['category'] === category);
    const revision = Number(before?.['revision'] ?? 1);
    refuseStale({ revision }, input['if_revision']);
    if (dryRun) {
      const mode = input['mode'] ?? before?.['default_mode'];
      const policy = { ...before, mode };
      return { policy, dry_run: true, plan: planOf([], { before: before ?? {}, after: policy }) };
    }
    this.#policyRevisions.set(category, revision + 1);
    if (input['mode'] === null) this.modes.delete(category);
    else this.modes.set(category, input['mode'] as PolicyMode);
    const policy = this.#policies().find((one) => one['category'] === category);
    this.emit('system.policy.set', { before: before ?? null, after: policy ?? null });
    return { policy };
  }

  #policies(): Body[] {
    const categories = new Map<string, Body>();
    for (const key of actionKeys) {
      const { category, title, name } = definitionOf(key);
      if (category === null) continue;
      const mode = this.modes.get(category.name) ?? category.defaultMode;
      categories.set(category.name, {
        category: category.name,
        mode,
        default_mode: category.defaultMode,
        is_default: !this.modes.has(category.name),
        description: title,
        actions: [name],
        ...stored(idOf(5000 + categories.size), 0),
        revision: this.#policyRevisions.get(category.name) ?? 1,
      });
    }
    return [...categories.values()];
  }
}

function refusal(error: Parameters<typeof fieldProblems>[0]): ProductError {
  const fields = fieldProblems(error, 'is not a parameter of this action');
  const first = fields[0];
  return new ProductError('validation_failed', `${first?.path ?? ''}: ${first?.message ?? ''}.`, { fields });
}
