// A platform with its database, one object of each noun that can be changed, and two operators.
import { randomBytes } from 'node:crypto';
import { type PlatformProgram, startPlatformProgram } from '../stage/platform-program.ts';

type Body = Record<string, Record<string, string>>;

export interface Scene {
  readonly platform: PlatformProgram;
  /** Of the second operator, who is called Grace. */
  readonly graceToken: string;
  /** By the parameter that takes the id. */
  readonly ids: Readonly<Record<string, string>>;
  /** Hostnames of peers that can hold and answer, by the id of the peer. */
  readonly members: Readonly<Record<string, string>>;
  /** Runs an action as Grace. */
  asGrace<Answer>(name: string, input: object): Promise<Answer>;
}

/** Where the two hubs are met from outside. */
export const hubAddresses = ['203.0.113.1', '203.0.113.2'] as const;

export async function makeScene(): Promise<Scene> {
  const platform = await startPlatformProgram();
  const { action } = platform;
  const grace = (await action<Body>('system_create_operator', { name: 'Grace', role: 'owner' }))['operator'];
  const { api_token: token } = await action<Body>('system_create_api_token', {
    operator_id: grace?.['id'],
    name: 'grace',
  });
  const { operator: other } = await action<Body>('system_create_operator', { name: 'Maria', role: 'viewer' });
  const network = (await action<Body>('system_sdwan_create_network', { name: 'office' }))['network'];
  const network_id = network?.['id'] ?? '';

  async function attach(hostname: string, place: object = {}): Promise<[peer: string, instance: string]> {
    const instance = await platform.joinMachine(hostname);
    const input = { network_id, node_instance_id: instance, ...place };
    const { peer } = await action<Body>('system_sdwan_attach_peer', input);
    return [peer?.['id'] ?? '', instance];
  }
  const asHub = (address: string) => ({ publicly_reachable: true, endpoint_address: `${address}:51820` });
  const [hub] = await attach('hub1', asHub(hubAddresses[0]));
  await attach('hub2', asHub(hubAddresses[1]));
  const [one] = await attach('edge1');
  const [two] = await attach('edge2');
  // With an endpoint, as it is to become a hub too.
  const [edited, instance] = await attach('edge3', {
    publicly_reachable: false,
    endpoint_address: '203.0.113.9:51999',
  });

  const { virtual_ip: virtualIp } = await action<Body>('system_sdwan_create_virtual_ip', {
    network_id,
    name: 'way-in',
    primary_holder_peer_id: one,
    failover_holder_peer_ids: [two],
  });
  const { port_mapping: mapping } = await action<Body>('system_sdwan_create_port_mapping', {
    network_id,
    external_address: hubAddresses[0],
    external_port: 8443,
    internal_peer_id: one,
    internal_port: 443,
    protocol: 'tcp',
  });
  const { firewall_rule: rule } = await action<Body>('system_sdwan_create_firewall_rule', {
    network_id,
    name: 'guests',
    direction: 'ingress',
    action: 'accept',
    selector: { kind: 'tag', tag: 'guest' },
    // Of none of the prefixes that are drawn (cases.ts).
    destination: { kind: 'cidr', cidr: 'fd00:ffff::/64' },
    protocol: 'tcp',
    port_range: '443',
  });
  const { route_policy: policy } = await action<Body>('system_sdwan_create_route_policy', {
    network_id,
    name: 'prefers',
    direction: 'import',
    statements: [{ seq: 10, match: { peer: one }, set: { local_pref: 200 }, action: 'permit' }],
  });
  const { access_grant: grant } = await action<Body>('system_sdwan_create_access_grant', {
    network_id,
    device_name_hint: 'phone',
  });
  const { user_device: device } = await action<Body>('system_sdwan_issue_user_device', {
    network_id,
    access_grant_id: grant?.['id'],
    public_key: randomBytes(32).toString('base64'),
  });
  return {
    platform,
    graceToken: token?.['token'] ?? '',
    ids: {
      network_id,
      peer_id: edited,
      instance_id: instance,
      virtual_ip_id: virtualIp?.['id'] ?? '',
      port_mapping_id: mapping?.['id'] ?? '',
      firewall_rule_id: rule?.['id'] ?? '',
      route_policy_id: policy?.['id'] ?? '',
      user_device_id: device?.['id'] ?? '',
      operator_id: other?.['id'] ?? '',
    },
    members: { [hub]: 'hub1', [one]: 'edge1', [two]: 'edge2' },
    async asGrace<Answer>(name: string, input: object): Promise<Answer> {
      const response = await fetch(`${platform.url}/api/v1/actions/${name}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token?.['token']}`, 'content-type': 'application/json' },
        body: JSON.stringify(input),
      });
      const answer = (await response.json()) as Answer;
      if (!response.ok) throw new Error(`${name} answered ${JSON.stringify(answer)}`);
      return answer;
    },
  };
}
