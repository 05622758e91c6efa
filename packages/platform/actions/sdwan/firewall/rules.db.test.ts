// Firewall rules over a real database: what is stored, refused, shown and given to nodes.
import { randomUUID } from 'node:crypto';
import type { ActionKey } from '@powernode/core/actions/catalogue';
import { refusalOf } from '@powernode/core/compile/firewall/nft.fixture';
import type { FirewallRule } from '@powernode/core/intent/firewall';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';

let platform: TestPlatform;
let scene: { readonly networkId: string; readonly hub: Peer; readonly web: Peer; readonly db: Peer };

interface Peer {
  readonly id: string;
  readonly node_instance_id: string;
  readonly host_address: string;
  readonly ipv4_address: string | null;
}
type Compiled = FirewallRule & {
  compiled: { text: string; evaluated_on: { hostname: string }[]; evaluated_on_count: number };
};

beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.close());

let count = 0;
beforeEach(async () => {
  count++;
  const networkId = await newNetwork(`ruled ${count}`);
  scene = {
    networkId,
    hub: await attach(networkId, { hostname: `hub-${count}`, publicAddress: `203.0.113.${count}` }),
    web: await attach(networkId, { hostname: `web-${count}`, tags: ['web'] }),
    db: await attach(networkId, { hostname: `db-${count}`, tags: ['db'] }),
  };
});

async function run<Answer>(key: ActionKey, input: object): Promise<Answer> {
  return (await platform.call(key, input)) as unknown as Answer;
}

async function newNetwork(name: string): Promise<string> {
  return (await run<{ network: { id: string } }>('createNetwork', { name })).network.id;
}

async function attach(
  networkId: string,
  of: { readonly hostname: string; readonly publicAddress?: string; readonly tags?: string[] },
): Promise<Peer> {
  const machine = await platform.addMachine(platform.admin.accountId, of.hostname, of);
  const input = { network_id: networkId, node_instance_id: machine, tags: of.tags ?? [] };
  return (await run<{ peer: Peer }>('attachPeer', input)).peer;
}

const base = () => ({
  network_id: scene.networkId,
  direction: 'ingress',
  action: 'accept',
  selector: { kind: 'tag', tag: 'web' },
});

async function create(more: object = {}): Promise<FirewallRule> {
  return (await run<{ firewall_rule: FirewallRule }>('createFirewallRule', { ...base(), ...more }))
    .firewall_rule;
}

async function update(rule: { readonly id: string }, more: object): Promise<FirewallRule> {
  const input = { firewall_rule_id: rule.id, ...more };
  return (await run<{ firewall_rule: FirewallRule }>('updateFirewallRule', input)).firewall_rule;
}

async function get(rule: { readonly id: string }): Promise<Compiled> {
  return (await run<{ firewall_rule: Compiled }>('getFirewallRule', { firewall_rule_id: rule.id }))
    .firewall_rule;
}

interface Refusal {
  readonly code: string;
  readonly fields: readonly { readonly path: string; readonly code: string }[];
}
const refusal = (of: Promise<unknown>): Promise<Refusal> =>
  of.then(
    () => expect.fail('it was not refused'),
    (error: unknown) => error as Refusal,
  );
const refused = async (of: Promise<unknown>) => {
  const { code, fields } = await refusal(of);
  return [code, ...fields.map((field) => field.path)];
};

/** The ids of the rules that a machine is given. */
function given(peer: Peer): string[] {
  const entries = platform.delivery.network(scene.networkId)?.compile(peer.node_instance_id) ?? [];
  return entries.flatMap(({ value }) => (value.kind === 'rule' ? value.rule_id : []));
}

describe('a rule', () => {
  test('is shown as it was given, with the names of what it means', async () => {
    const rule = await create({
      name: 'web to db',
      destination: { kind: 'peer', peer_id: scene.db.id },
      protocol: 'tcp',
      port_range: '5432-5432',
    });
    expect(rule).toMatchObject({
      network_id: scene.networkId,
      name: 'web to db',
      direction: 'ingress',
      action: 'accept',
      selector: { kind: 'tag', tag: 'web', label: 'web', resolves: true },
      destination: { kind: 'peer', peer_id: scene.db.id, label: `db-${count}`, resolves: true },
      protocol: 'tcp',
      port_range: '5432',
      enabled: true,
      packets: null,
      revision: 1,
    });
  });

  test('means everybody and every protocol when it does not say whom', async () => {
    const rule = await create({ selector: { kind: 'all' } });
    expect(rule).toMatchObject({
      destination: { kind: 'all' },
      protocol: 'any',
      port_range: null,
      name: null,
    });
  });

  test('reaches the machines that have to evaluate it, and no other', async () => {
    const rule = await create({ destination: { kind: 'peer', peer_id: scene.db.id } });
    expect([scene.hub, scene.web, scene.db].map(given)).toEqual([[], [], [rule.id]]);
    const both = await create({ direction: 'both', selector: { kind: 'peer', peer_id: scene.web.id } });
    expect([scene.hub, scene.web, scene.db].map((peer) => given(peer).includes(both.id))).toEqual([
      true,
      true,
      true,
    ]);
    await update(rule, { enabled: false });
    expect(given(scene.db)).toEqual([both.id]);
    await run('deleteFirewallRule', { firewall_rule_id: both.id, approve: true });
    expect(given(scene.db)).toEqual([]);
  });

  test('comes with its text and the peers that evaluate it', async () => {
    const rule = await create({
      direction: 'both',
      selector: { kind: 'peer', peer_id: scene.web.id },
      destination: { kind: 'peer', peer_id: scene.db.id },
      action: 'reject',
      protocol: 'tcp',
      port_range: '80-90',
    });
    const { compiled } = await get(rule);
    const { handle } = (
      await run<{ network: { handle: string } }>('getNetwork', { network_id: scene.networkId })
    ).network;
    const line6 = `\t\tip6 saddr ${scene.web.host_address} ip6 daddr ${scene.db.host_address} tcp dport 80-90 counter reject with tcp reset comment "${rule.id}"`;
    const line4 = `\t\tip saddr ${scene.web.ipv4_address} ip daddr ${scene.db.ipv4_address} tcp dport 80-90 counter reject with tcp reset comment "${rule.id}"`;
    const chain = (name: string) => [`\tchain pn_${name}_${handle} {`, line6, line4, '\t}'];
    expect(compiled.text).toBe(
      `${['table inet powernode {', ...chain('in'), ...chain('out'), '}'].join('\n')}\n`,
    );
    expect(compiled.evaluated_on.map(({ hostname }) => hostname).sort()).toEqual([
      `db-${count}`,
      `web-${count}`,
    ]);
    expect(compiled.evaluated_on_count).toBe(2);
    const everywhere = await get(await create());
    expect(everywhere.compiled.evaluated_on_count).toBe(3);
    const nowhere = await get(await create({ enabled: false }));
    expect(nowhere.compiled).toEqual({ text: '', evaluated_on: [], evaluated_on_count: 0 });
  });

  test('has the members of a tag in its text, which nft takes', async () => {
    for (const tag of ['a-b', 'a_b:c']) {
      await run('setPeerTags', { peer_id: scene.web.id, tags: [tag, 'web'] });
      const rule = await create({ selector: { kind: 'tag', tag }, protocol: 'udp', port_range: '53' });
      const { text } = (await get(rule)).compiled;
      expect(text).toContain(`comment "${tag}"`);
      expect(text).toContain(`elements = { ${scene.web.host_address} }`);
      expect(text).toContain('ip6 saddr @pn_from_6 udp dport 53 counter accept');
      expect(refusalOf(text)).toBeNull();
    }
    // Nobody has the tag any more: the rule is there, and means nobody.
    const both = await create({ destination: { kind: 'tag', tag: 'nobody' }, action: 'reject' });
    const { text } = (await get(both)).compiled;
    expect(text === '' || refusalOf(text) === null).toBe(true);
  });

  test('changes in what is given, and keeps the rest', async () => {
    const rule = await create({ protocol: 'tcp', port_range: '80', name: 'one' });
    const after = await update(rule, {
      port_range: '443-500',
      action: 'drop',
      destination: { kind: 'cidr', cidr: 'fd00::/8' },
    });
    expect(after).toMatchObject({
      name: 'one',
      action: 'drop',
      protocol: 'tcp',
      port_range: '443-500',
      revision: 2,
    });
    expect(after.destination).toMatchObject({ kind: 'cidr', cidr: 'fd00::/8', label: 'fd00::/8' });
    const wide = await update(after, { protocol: 'any', port_range: null, destination: null, name: null });
    expect(wide).toMatchObject({
      protocol: 'any',
      port_range: null,
      destination: { kind: 'all' },
      name: null,
    });
  });

  test('whose object goes names nobody, and says so', async () => {
    const rule = await create({ destination: { kind: 'peer', peer_id: scene.db.id } });
    await run('detachPeer', { peer_id: scene.db.id, approve: true });
    expect((await get(rule)).destination).toMatchObject({ resolves: false });
    expect((await get(rule)).compiled).toEqual({ text: '', evaluated_on: [], evaluated_on_count: 0 });
    const empty = await create({ selector: { kind: 'tag', tag: 'nobody' } });
    expect(empty.selector).toMatchObject({ label: 'nobody', resolves: false });
  });

  test('goes with its network', async () => {
    const rule = await create();
    await run('deleteNetwork', { network_id: scene.networkId, approve: true });
    expect(await refused(get(rule))).toEqual(['not_found']);
  });
});

describe('refused is', () => {
  test('an object that is not there, or in another network', async () => {
    const gone = randomUUID();
    const elsewhere = await attach(await newNetwork(`elsewhere ${count}`), { hostname: `far-${count}` });
    const from = (peer_id: string) => create({ selector: { kind: 'peer', peer_id } });
    expect(await refused(from(gone))).toEqual(['not_found', 'selector.peer_id']);
    expect(await refused(from(elsewhere.id))).toEqual(['validation_failed', 'selector.peer_id']);
    for (const kind of ['user_device', 'virtual_ip', 'federation_peer']) {
      const to = create({ destination: { kind, [`${kind}_id`]: gone } });
      expect(await refused(to)).toEqual(['not_found', `destination.${kind}_id`]);
    }
  });

  test('ports where there are none', async () => {
    expect(await refused(create({ port_range: '80' }))).toEqual(['validation_failed', 'port_range']);
    expect(await refused(create({ protocol: 'icmp6', port_range: '80' }))).toEqual([
      'validation_failed',
      'port_range',
    ]);
    const rule = await create({ protocol: 'udp', port_range: '53' });
    expect(await refused(update(rule, { protocol: 'any' }))).toEqual(['validation_failed', 'port_range']);
    expect(await refused(create({ protocol: 'tcp', port_range: '90-80' }))).toEqual([
      'validation_failed',
      'port_range',
    ]);
  });

  test('a selector that says too little or too much', async () => {
    const selector = (value: object) => refused(create({ selector: value }));
    expect(await selector({ kind: 'tag' })).toEqual(['validation_failed', 'selector.tag']);
    expect(await selector({ kind: 'all', tag: 'web' })).toEqual(['validation_failed', 'selector.tag']);
    expect(await selector({ kind: 'cidr', cidr: 'fd00::1/64' })).toEqual([
      'validation_failed',
      'selector.cidr',
    ]);
    expect(await selector({ kind: 'virtual_ip' })).toEqual(['validation_failed', 'selector.kind']);
  });

  test('a rule between the families', async () => {
    const rule = create({
      selector: { kind: 'cidr', cidr: 'fd00::/8' },
      destination: { kind: 'cidr', cidr: '100.64.0.0/10' },
    });
    expect(await refused(rule)).toEqual(['validation_failed', 'destination.cidr']);
  });

  test('a change of what somebody else has changed', async () => {
    const rule = await create();
    await update(rule, { if_revision: 1, name: 'mine' });
    expect(await refused(update(rule, { if_revision: 1, name: 'late' }))).toEqual(['revision_conflict']);
  });
});

describe('the list', () => {
  test('is filtered and paged, oldest first', async () => {
    const rules = [
      await create(),
      await create({ action: 'drop' }),
      await create({ direction: 'egress', enabled: false }),
    ];
    const list = async (more: object) => {
      const input = { network_id: scene.networkId, ...more };
      const answer = await run<{ firewall_rules: FirewallRule[] }>('listFirewallRules', input);
      return answer.firewall_rules.map((rule) => rules.findIndex(({ id }) => id === rule.id));
    };
    expect(await list({})).toEqual([0, 1, 2]);
    expect(await list({ action: 'drop' })).toEqual([1]);
    expect(await list({ direction: 'egress' })).toEqual([2]);
    expect(await list({ enabled: true })).toEqual([0, 1]);
    expect(await list({ limit: 2 })).toEqual([0, 1]);
  });
});

describe('what is recorded', () => {
  test('is before and after of every change', async () => {
    const rule = await create({ name: 'first' });
    await update(rule, { name: 'second' });
    await run('deleteFirewallRule', { firewall_rule_id: rule.id, approve: true });
    const { events } = await run<{
      events: { kind: string; payload: Record<string, { name: string } | null> }[];
    }>('recentEvents', { kind_prefix: 'sdwan.firewall_rule.', limit: 3 });
    const told = events.map(({ kind, payload }) => [
      kind.split('.')[2],
      payload['before']?.name,
      payload['after']?.name,
    ]);
    const kinds = (a: readonly unknown[], b: readonly unknown[]) => String(a[0]).localeCompare(String(b[0]));
    expect(told.sort(kinds)).toEqual([
      ['created', undefined, 'first'],
      ['deleted', 'second', undefined],
      ['updated', 'first', 'second'],
    ]);
  });

  test('of a dry run is nothing, and it answers with the plan', async () => {
    const answer = await run<{ dry_run: boolean; plan: { node_count: number }; firewall_rule: FirewallRule }>(
      'createFirewallRule',
      { ...base(), destination: { kind: 'peer', peer_id: scene.db.id }, dry_run: true },
    );
    expect(answer).toMatchObject({ dry_run: true, firewall_rule: { action: 'accept' } });
    // The peer gets the rule, and with it every machine the members of the tag that it names.
    expect(answer.plan.node_count).toBe(3);
    expect(given(scene.db)).toEqual([]);
    expect(await refused(get(answer.firewall_rule))).toEqual(['not_found']);
  });
});
