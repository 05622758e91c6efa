// What nodes are given for one rule: which peers evaluate it, and the text of it.

import { ruleContribution } from '@powernode/core/compile/items/firewall-rule';
import type { RuleModel } from '@powernode/core/compile/model';
import { rulePeersShownMax } from '@powernode/core/limits/overlay';
import type { ActionContext } from '../../context.ts';
import { peerNames } from '../peers/peer-names.ts';
import { ruleText } from './rule-text.ts';

export async function compiledOf(context: ActionContext, rule: RuleModel) {
  const index = context.services.deliverer.network(rule.networkId);
  if (index === undefined) return { text: '', judged_on: [], judged_on_count: 0 };
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
    judged_on: shown.map((id) => ({ peer_id: id, hostname: names.get(id) ?? '' })),
    judged_on_count: evaluators.length,
  };
}
