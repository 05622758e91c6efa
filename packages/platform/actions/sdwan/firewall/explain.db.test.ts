// The explanation, the matrix and the audit of a network that was made by actions.
import { randomBytes, randomUUID } from 'node:crypto';
import type { ActionKey } from '@powernode/core/actions/catalogue';
import type { FirewallFinding } from '@powernode/core/intent/firewall';
import type { ReachabilityMatrix, ReachabilityStep } from '@powernode/core/intent/reachability';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';

let platform: TestPlatform;
let scene: { readonly networkId: string; readonly hub: Peer; readonly web: Peer; readonly db: Peer };

interface Peer {
  readonly id: string;
  readonly host_address: string;
  readonly ipv4_address: string | null;
}
interface Answer {
  readonly verdict: string;
  readonly because: readonly ReachabilityStep[];
}

beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.close());

let count = 0;
beforeEach(async () => {
  count++;
  const { network } = await run<{ network: { id: string } }>('createNetwork', { name: `explained ${count}` });
  scene = {
    networkId: network.id,
    hub: await attach({ networkId: network.id, hostname: `hub-${count}`, publicAddress: hubAddress() }),
    web: await attach({ networkId: network.id, hostname: `web-${count}`, tags: ['web'] }),
    db: await attach({ networkId: network.id, hostname: `db-${count}`, tags: ['db'] }),
  };
});

const hubAddress = () => `203.0.113.${count}`;

async function run<Result>(key: ActionKey, input: object): Promise<Result> {
  return (await platform.call(key, input)) as unknown as Result;
}

async function attach(of: {
  readonly networkId: string;
  readonly hostname: string;
  readonly publicAddress?: string;
  readonly tags?: string[];
}): Promise<Peer> {
  const machine = await platform.addMachine(platform.admin.accountId, of.hostname, of);
  const input = { network_id: of.networkId, node_instance_id: machine, tags: of.tags ?? [] };
  return (await run<{ peer: Peer }>('attachPeer', input)).peer;
}

async function addRule(more: object): Promise<string> {
  const input = {
    network_id: scene.networkId,
    direction: 'ingress',
    action: 'drop',
    selector: { kind: 'all' },
    ...more,
  };
  return (await run<{ firewall_rule: { id: string } }>('createFirewallRule', input)).firewall_rule.id;
}

function explain(
  source: object,
  destination: object,
  traffic: object = { protocol: 'tcp', port: 5432 },
): Promise<Answer> {
  return run<Answer>('explainReachability', { network_id: scene.networkId, source, destination, ...traffic });
}

/** Each step as the node, what is done there, and the object that it names. */
const stepsOf = (answer: Answer) =>
  answer.because.map(({ step, node, object }) => `${node?.hostname ?? '-'} ${step} ${object?.name ?? '-'}`);

const refusal = (of: Promise<unknown>): Promise<{ code: string; fields: { path: string }[] }> =>
  of.then(
    () => expect.fail('it was not refused'),
    (error: unknown) => error as { code: string; fields: { path: string }[] },
  );

describe('an explanation', () => {
  test('follows a packet from spoke to spoke and names each object', async () => {
    const answer = await explain({ peer_id: scene.web.id }, { peer_id: scene.db.id });
    expect(answer.verdict).toBe('allowed');
    const [hub, web, db] = [`hub-${count}`, `web-${count}`, `db-${count}`];
    const { network } = await run<{ network: { name: string; handle: string; prefix: string } }>(
      'getNetwork',
      {
        network_id: scene.networkId,
      },
    );
    expect(stepsOf(answer)).toEqual([
      `${web} source ${web}`,
      `${db} destination ${db}`,
      `${web} route ${network.prefix}`,
      `${web} egress ${network.name}`,
      `${web} tunnel wg-${network.handle}-1`,
      `${hub} forward ${network.name}`,
      `${hub} route ${network.prefix}`,
      `${hub} tunnel wg-${network.handle}`,
      `${db} ingress ${network.name}`,
      `${db} verdict ${db}`,
    ]);
    for (const { detail } of answer.because) expect(detail).toMatch(/^\S.*\.$/);
  });

  test('names the rule that denies, where it does', async () => {
    const id = await addRule({
      name: 'no database',
      destination: { kind: 'tag', tag: 'db' },
      protocol: 'tcp',
    });
    const answer = await explain({ peer_id: scene.web.id }, { address: scene.db.host_address });
    expect(answer.verdict).toBe('denied');
    const step = answer.because.find(({ object }) => object?.id === id);
    expect(step).toMatchObject({
      step: 'ingress',
      node: { peer_id: scene.db.id },
      object: { name: 'no database' },
    });
    const icmp = await explain({ peer_id: scene.web.id }, { peer_id: scene.db.id }, { protocol: 'icmp6' });
    expect(icmp.verdict).toBe('allowed');
  });

  test('calls a rule without a name by what it does', async () => {
    await addRule({
      direction: 'egress',
      selector: { kind: 'tag', tag: 'web' },
      protocol: 'tcp',
      port_range: '1-9999',
    });
    const answer = await explain({ peer_id: scene.web.id }, { peer_id: scene.db.id });
    const step = answer.because.find(({ object }) => object?.type === 'firewall_rule');
    expect(step?.object?.name).toBe('drop tcp 1-9999 from web to all');
    expect(answer.verdict).toBe('denied');
  });

  test('goes by the IPv4 prefix when an IPv4 address is asked for', async () => {
    const answer = await explain({ peer_id: scene.web.id }, { address: scene.db.ipv4_address });
    expect(answer.verdict).toBe('allowed');
    expect(answer.because[0]?.detail).toContain(scene.web.ipv4_address);
  });

  test('says why there is no way', async () => {
    const nobody = scene.db.host_address.replace(/[^:]+$/, 'ffff');
    for (const [source, destination, said] of [
      [{ peer_id: scene.web.id }, { address: nobody }, 'does not belong to any member'],
      [{ address: nobody }, { peer_id: scene.db.id }, 'does not belong to any member'],
      [{ peer_id: scene.web.id }, { address: '2001:db8::1' }, 'outside the overlay'],
      [{ address: '2001:db8::1' }, { peer_id: scene.db.id }, 'only port mappings admit'],
      [{ address: '198.51.100.7' }, { address: hubAddress() }, 'No port mapping'],
      [{ address: '198.51.100.7' }, { address: scene.db.host_address }, 'not of the same address family'],
    ] as const) {
      const answer = await explain(source, destination);
      expect(answer.verdict).toBe('no_route');
      expect(answer.because.map(({ detail }) => detail).join(' ')).toContain(said);
    }
  });

  test('goes through a port mapping from outside, as far as the rules let it', async () => {
    await run('createPortMapping', {
      network_id: scene.networkId,
      external_address: hubAddress(),
      external_port: 443,
      internal_peer_id: scene.web.id,
      internal_port: 8443,
      protocol: 'tcp',
      source_cidrs: ['198.51.100.0/24'],
    });
    const enter = (address: string) =>
      explain({ address }, { address: hubAddress() }, { protocol: 'tcp', port: 443 });
    const answer = await enter('198.51.100.7');
    expect(answer.verdict).toBe('allowed');
    expect(answer.because[0]).toMatchObject({
      step: 'mapping',
      object: { type: 'port_mapping', name: `tcp port 443 at ${hubAddress()}` },
    });
    expect((await enter('192.0.2.1')).verdict).toBe('denied');
    const id = await addRule({
      selector: { kind: 'peer', peer_id: scene.hub.id },
      protocol: 'tcp',
      port_range: '8443',
    });
    const after = await enter('198.51.100.7');
    expect(after.verdict).toBe('denied');
    expect(after.because.some(({ object }) => object?.id === id)).toBe(true);
    const inside = await explain({ peer_id: scene.db.id }, { address: hubAddress() });
    expect(inside.verdict).toBe('no_route');
    expect(inside.because[0]?.detail).toContain('The port mapping tcp port 443');
  });

  test('follows a device by its hub', async () => {
    const device = await addDevice();
    const answer = await explain({ user_device_id: device }, { peer_id: scene.db.id });
    expect(answer.verdict).toBe('allowed');
    await addRule({ direction: 'egress', selector: { kind: 'user_device', user_device_id: device } });
    const denied = await explain({ user_device_id: device }, { peer_id: scene.db.id });
    expect(denied.verdict).toBe('denied');
    expect(denied.because.at(-1)?.node?.peer_id).toBe(scene.hub.id);
  });

  test('is not given for what is not there, elsewhere, or makes no sense', async () => {
    const here = { peer_id: scene.web.id };
    expect(await refusal(explain({ peer_id: randomUUID() }, here))).toMatchObject({
      code: 'not_found',
      fields: [{ path: 'source.peer_id' }],
    });
    const { network } = await run<{ network: { id: string } }>('createNetwork', { name: `far ${count}` });
    const far = await attach({ networkId: network.id, hostname: `far-${count}` });
    expect(await refusal(explain(here, { peer_id: far.id }))).toMatchObject({
      code: 'validation_failed',
      fields: [{ path: 'destination.peer_id' }],
    });
    expect(await refusal(explain(here, here, { protocol: 'icmp6', port: 80 }))).toMatchObject({
      code: 'validation_failed',
      fields: [{ path: 'port' }],
    });
  });
});

async function addDevice(): Promise<string> {
  const { access_grant: grant } = await run<{ access_grant: { id: string } }>('createAccessGrant', {
    network_id: scene.networkId,
    device_name_hint: `phone ${count}`,
  });
  const { user_device: device } = await run<{ user_device: { id: string } }>('issueUserDevice', {
    network_id: scene.networkId,
    access_grant_id: grant.id,
    public_key: randomBytes(32).toString('base64'),
  });
  return device.id;
}

describe('the matrix', () => {
  test('is what the explanation says, for every pair', async () => {
    const device = await addDevice();
    await addRule({ destination: { kind: 'tag', tag: 'db' } });
    const { matrix } = await run<{ matrix: ReachabilityMatrix }>('getReachabilityMatrix', {
      network_id: scene.networkId,
      protocol: 'tcp',
      port: 80,
    });
    expect(matrix.nodes.map(({ name }) => name)).toEqual([
      `hub-${count}`,
      `web-${count}`,
      `db-${count}`,
      `phone ${count}`,
    ]);
    expect(matrix.rows).toEqual([
      { id: scene.hub.id, verdicts: '-ada' },
      { id: scene.web.id, verdicts: 'a-da' },
      { id: scene.db.id, verdicts: 'aa-a' },
      { id: device, verdicts: 'aad-' },
    ]);
    expect(matrix.truncated).toBe(false);
    const pings = await run<{ matrix: ReachabilityMatrix }>('getReachabilityMatrix', {
      network_id: scene.networkId,
    });
    expect(pings.matrix).toMatchObject({ protocol: 'icmp6', port: null });
  });
});

describe('the audit', () => {
  async function audit(): Promise<{ findings: FirewallFinding[]; rules_count: number }> {
    return run('auditFirewall', { network_id: scene.networkId });
  }

  test('names rules that never decide, with what decides instead', async () => {
    const wide = await addRule({ name: 'all tcp', protocol: 'tcp' });
    const destination = { kind: 'peer', peer_id: scene.web.id } as const;
    const narrow = await addRule({ name: 'web', protocol: 'tcp', destination });
    // A narrower one goes first, so it decides; but without it the same would be decided.
    const port = await addRule({ name: 'port 80', protocol: 'tcp', port_range: '80' });
    const { findings, rules_count } = await audit();
    expect(rules_count).toBe(3);
    expect(findings).toEqual([
      {
        kind: 'shadowed',
        severity: 'warning',
        object: { type: 'firewall_rule', id: narrow, name: 'web' },
        by: { type: 'firewall_rule', id: wide, name: 'all tcp' },
        detail: expect.stringMatching(/has no effect/),
      },
      {
        kind: 'redundant',
        severity: 'info',
        object: { type: 'firewall_rule', id: port, name: 'port 80' },
        by: { type: 'firewall_rule', id: wide, name: 'all tcp' },
        detail: expect.stringMatching(/already has the same effect/),
      },
    ]);
  });

  test('names port mappings whose target is gone, first', async () => {
    await addRule({ selector: { kind: 'tag', tag: 'nobody' } });
    await run('createPortMapping', {
      network_id: scene.networkId,
      external_address: hubAddress(),
      external_port: 443,
      internal_peer_id: scene.web.id,
      internal_port: 8443,
      protocol: 'tcp',
    });
    expect((await audit()).findings.map(({ kind }) => kind)).toEqual(['dead']);
    await run('detachPeer', { peer_id: scene.web.id, approve: true });
    expect((await audit()).findings).toMatchObject([
      {
        kind: 'target_missing',
        severity: 'error',
        object: { name: `tcp port 443 at ${hubAddress()}` },
        by: null,
      },
      { kind: 'dead', severity: 'info' },
    ]);
  });
});
