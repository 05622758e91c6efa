// Handlers: firewall rules.

import { ruleContribution } from '@powernode/core/compile/items/firewall-rule';
import type { RuleModel } from '@powernode/core/compile/model';
import { ProductError } from '@powernode/core/errors';
import { rulePeersShownMax, rulesPerNetworkMax } from '@powernode/core/limits/overlay';
import { type ActionContext, checkRevision, type HandlersOf, type Input, notFound } from '../../context.ts';
import { page, pageAnswer } from '../../paging.ts';
import { itemChanged } from '../item-changed.ts';
import { peerNames } from '../peers/peer-names.ts';
import { networkRow } from '../rows.ts';
import { type RuleRow, ruleModel } from './model.ts';
import { portColumns, portRangeOf } from './port-range.ts';
import { showRule, showRules } from './present-rule.ts';
import { ruleText } from './rule-text.ts';
import { readSelector, refuseTwoFamilies } from './selectors.ts';

export const firewallRuleHandlers: HandlersOf<
  'createFirewallRule' | 'listFirewallRules' | 'getFirewallRule' | 'updateFirewallRule' | 'deleteFirewallRule'
> = {
  async createFirewallRule(context, input) {
    await context.lock();
    const network = await networkRow(context, input.network_id);
    await refuseTooMany(context, network.id);
    const sides = {
      selector: await readSelector(context, input.selector, { networkId: network.id, side: 'selector' }),
      destination: await readSelector(context, input.destination ?? { kind: 'all' }, {
        networkId: network.id,
        side: 'destination',
      }),
    };
    refuseTwoFamilies(sides);
    const row = await context.trx
      .insertInto('firewall_rules')
      .values({
        id: context.services.newId(),
        account_id: context.accountId,
        network_id: network.id,
        name: input.name ?? null,
        direction: input.direction,
        action: input.action,
        selector: JSON.stringify(sides.selector),
        destination: JSON.stringify(sides.destination),
        protocol: input.protocol,
        ...portColumns(input.protocol, input.port_range ?? null),
        enabled: input.enabled,
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    itemChanged(context, ruleModel, { before: null, after: row });
    const rule = await showRule(context, row);
    context.event('sdwan.firewall_rule.created', { before: null, after: rule });
    return { firewall_rule: rule };
  },

  async listFirewallRules(context, input) {
    if (input.network_id !== undefined) await networkRow(context, input.network_id);
    let query = context.trx
      .selectFrom('firewall_rules')
      .selectAll()
      .where('account_id', '=', context.accountId);
    if (input.network_id !== undefined) query = query.where('network_id', '=', input.network_id);
    if (input.direction !== undefined) query = query.where('direction', '=', input.direction);
    if (input.action !== undefined) query = query.where('action', '=', input.action);
    if (input.enabled !== undefined) query = query.where('enabled', '=', input.enabled);
    const found = await page(query, input, { by: 'id', direction: 'asc' });
    return { firewall_rules: await showRules(context, found.rows), ...pageAnswer(found) };
  },

  async getFirewallRule(context, input) {
    const row = await ruleRow(context, input.firewall_rule_id);
    return {
      firewall_rule: {
        ...(await showRule(context, row)),
        compiled: await compiledOf(context, ruleModel(row)),
      },
    };
  },

  async updateFirewallRule(context, input) {
    await context.lock();
    const before = await ruleRow(context, input.firewall_rule_id);
    checkRevision(before, input);
    const shownBefore = await showRule(context, before);
    const after = await context.trx
      .updateTable('firewall_rules')
      .set({
        ...(await changedColumns(context, { before, input })),
        updated_at: context.now,
        revision: before.revision + 1,
      })
      .where('id', '=', before.id)
      .returningAll()
      .executeTakeFirstOrThrow();
    itemChanged(context, ruleModel, { before, after });
    const rule = await showRule(context, after);
    context.event('sdwan.firewall_rule.updated', { before: shownBefore, after: rule });
    return { firewall_rule: rule };
  },

  async deleteFirewallRule(context, input) {
    await context.lock();
    const before = await ruleRow(context, input.firewall_rule_id);
    checkRevision(before, input);
    const rule = await showRule(context, before);
    await context.trx.deleteFrom('firewall_rules').where('id', '=', before.id).execute();
    itemChanged(context, ruleModel, { before, after: null });
    context.event('sdwan.firewall_rule.deleted', { before: rule, after: null });
    return { firewall_rule: rule };
  },
};

async function ruleRow(context: ActionContext, id: string): Promise<RuleRow> {
  const row = await context.trx
    .selectFrom('firewall_rules')
    .selectAll()
    .where('id', '=', id)
    .where('account_id', '=', context.accountId)
    .executeTakeFirst();
  if (row === undefined) throw notFound('firewall rule', id);
  return row;
}

async function refuseTooMany(context: ActionContext, networkId: string): Promise<void> {
  const { count } = await context.trx
    .selectFrom('firewall_rules')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('network_id', '=', networkId)
    .executeTakeFirstOrThrow();
  if (count < rulesPerNetworkMax) return;
  throw new ProductError(
    'limit_reached',
    `The network has ${count} firewall rules, which is the limit. Delete what the audit finds (network audit-firewall), or use tags.`,
  );
}

async function changedColumns(
  context: ActionContext,
  { before, input }: { readonly before: RuleRow; readonly input: Input<'updateFirewallRule'> },
) {
  const at = { networkId: before.network_id };
  const selector =
    input.selector === undefined
      ? before.selector
      : await readSelector(context, input.selector, { ...at, side: 'selector' });
  const destination =
    input.destination === undefined
      ? before.destination
      : await readSelector(context, input.destination ?? { kind: 'all' }, { ...at, side: 'destination' });
  refuseTwoFamilies({ selector, destination });
  const protocol = input.protocol ?? before.protocol;
  const portRange = input.port_range === undefined ? portRangeOf(before) : input.port_range;
  return {
    name: input.name === undefined ? before.name : input.name,
    direction: input.direction ?? before.direction,
    action: input.action ?? before.action,
    selector: JSON.stringify(selector),
    destination: JSON.stringify(destination),
    protocol,
    ...portColumns(protocol, portRange),
    enabled: input.enabled ?? before.enabled,
  };
}

/** What nodes are given for a rule: which peers evaluate it, and its text. */
async function compiledOf(context: ActionContext, rule: RuleModel) {
  const index = context.services.deliverer.network(rule.networkId);
  if (index === undefined) return { text: '', evaluated_on: [], evaluated_on_count: 0 };
  const views = ruleContribution(rule, {
    network: index.network,
    peer: (id) => index.peer(id),
    item: (id) => index.item(id),
    hubs: () => index.hubs(),
    transit: index.transit,
  });
  const evaluators =
    views.all.length > 0
      ? Array.from(index.peers(), (peer) => peer.id)
      : [...views.peers.keys()].filter((id) => index.peer(id) !== undefined);
  const shown = evaluators.slice(0, rulePeersShownMax);
  const names = await peerNames(context, shown);
  const { handle, ipv4Prefix } = index.network;
  const families = ipv4Prefix === null ? ([6] as const) : ([6, 4] as const);
  const [entry] = [...views.all, ...[...views.peers.values()].flat()];
  const first = index.peer(evaluators[0] ?? '');
  const given = first === undefined ? [] : index.compile(first.instanceId);
  const members = (group: string) =>
    given.flatMap(({ value }) => (value.kind === 'member' && value.group === group ? value.addresses : []));
  return {
    text: entry?.kind === 'rule' ? ruleText(entry, { handle, families, members }) : '',
    evaluated_on: shown.map((id) => ({ peer_id: id, hostname: names.get(id) ?? '' })),
    evaluated_on_count: evaluators.length,
  };
}
