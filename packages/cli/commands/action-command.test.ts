// Commands for actions: what they send, what they print, how they fail.
import { actionKeys, definitionOf } from '@powernode/core/actions/catalogue';
import { expect, test } from 'vitest';
import { cli, fixturePlatform, problem, type Reply } from '../testing/fixture.ts';
import { flagsOf } from './flags.ts';

const id = '01990000-0000-7000-8000-000000000001';
const other = '01990000-0000-7000-8000-000000000002';

const seven = { prefix: 'fd00:7::/64', preference: 7 };
const ten = { prefix: '10.0.0.0/24' };

async function run(argv: readonly string[], replies: Readonly<Record<string, Reply>>, columns?: number) {
  const platform = await fixturePlatform(replies);
  const env = { POWERNODE_URL: platform.url, POWERNODE_TOKEN: 'secret-token' };
  const result = await cli(argv, { env, ...(columns === undefined ? {} : { columns }) });
  return { ...result, received: platform.received };
}

const network = {
  id,
  account_id: other,
  created_at: '2026-08-01T00:00:00.000Z',
  updated_at: '2026-08-01T00:00:00.000Z',
  revision: 3,
  name: 'office',
  description: '',
  handle: 'k3v9qa',
  prefix: 'fd00:1:2:3::/64',
  ipv4_prefix: null,
  pod_subnet_prefix: null,
  routing_mode: 'static',
  topology_strategy: 'hub_and_spoke',
  firewall_default_policy: 'accept',
  mtu: 1420,
  status: 'active',
  peer_count: 5,
  hub_count: 2,
};

test('flags become parameters, and nothing is sent that was not given', async () => {
  const { received, code } = await run(
    ['network', 'create', '--name', 'office', '--mtu', '1380', '--dry-run'],
    {
      system_sdwan_create_network: { status: 201, body: { network } },
    },
  );
  expect(code).toBe(0);
  expect(received).toMatchObject([
    {
      method: 'POST',
      path: '/api/v1/actions/system_sdwan_create_network',
      body: { name: 'office', mtu: 1380, dry_run: true },
      headers: { authorization: 'Bearer secret-token' },
    },
  ]);
});

test('a number of several ranges is a number, and a dry run by default is left with --no-dry-run', async () => {
  const bgp = { as_number: 65_000, router_id_strategy: 'host_address', default_local_pref: 100 };
  const numbers = await run(['bgp', 'update-as-number', '--as-number', '65000'], {
    system_sdwan_update_account_as_number: { status: 200, body: { account_bgp: bgp } },
  });
  expect(numbers.received).toMatchObject([{ body: { as_number: 65_000 } }]);
  const inputs = `{"bgp_session_id":"${id}"}`;
  const acting = await run(['skill', 'execute', '--skill', 'x', '--inputs', inputs, '--no-dry-run'], {
    execute_skill: { status: 200, body: { session_id: id, carried_out: false, dry_run: false } },
  });
  expect(acting.received).toMatchObject([{ body: { inputs: { bgp_session_id: id }, dry_run: false } }]);
});

test.each<[string, string[], object[]]>([
  ['one JSON list', ['[{"prefix":"fd00:7::/64","preference":7},{"prefix":"10.0.0.0/24"}]'], [seven, ten]],
  [
    'an object for each flag',
    ['{"prefix":"fd00:7::/64","preference":7}', '{"prefix":"10.0.0.0/24"}'],
    [seven, ten],
  ],
  ['an empty list', ['[]'], []],
])('a list of objects is %s', async (_, given, subnets) => {
  const flags = given.flatMap((text) => ['--subnets', text]);
  const { received, stderr } = await run(['peer', 'update-lan-subnets', id, ...flags], {
    system_sdwan_update_peer_lan_subnets: { body: { subnet_advertisements: [] } },
  });
  expect(stderr).toBe('');
  expect(received[0]?.body).toEqual({ peer_id: id, subnets });
});

test.each<[string, string[], object]>([
  ['a negated boolean', ['--no-publicly-reachable'], { publicly_reachable: false }],
  ['a boolean', ['--publicly-reachable'], { publicly_reachable: true }],
  [
    'null',
    ['--unset', 'publicly-reachable,endpoint-address'],
    { publicly_reachable: null, endpoint_address: null },
  ],
  ['a list with commas', ['--tags', 'a,b'], { tags: ['a', 'b'] }],
  ['a repeated flag', ['--tags', 'a', '--tags', 'b'], { tags: ['a', 'b'] }],
  ['an empty list', ['--tags', ''], { tags: [] }],
  ['a number', ['--if-revision', '3'], { if_revision: 3 }],
])('%s', async (_, flags, parameters) => {
  const { received, stderr } = await run(['peer', 'update', id, ...flags], {
    system_sdwan_update_peer: { body: { peer: {} } },
  });
  expect(stderr).toBe('');
  expect(received[0]?.body).toEqual({ peer_id: id, ...parameters });
});

test('the subject is an argument or a flag, and must be given once', async () => {
  const replies = { system_sdwan_get_network: { body: { network } } };
  expect((await run(['network', 'get', id], replies)).received[0]?.body).toEqual({ network_id: id });
  expect((await run(['network', 'get', '--network-id', id], replies)).received[0]?.body).toEqual({
    network_id: id,
  });
  const none = await run(['network', 'get'], replies);
  expect(none).toMatchObject({ code: 64, stderr: expect.stringContaining('<network-id> or --network-id') });
  expect(await run(['network', 'get', id, '--network-id', other], replies)).toMatchObject({
    code: 64,
    received: [],
  });
});

test('an object with another name may go by that', async () => {
  const replies = { system_set_policy: { body: { policy: {} } } };
  const flags = ['--mode', 'blocked'];
  const category = 'sdwan.peer_detach';
  expect((await run(['policy', 'set', '--category', category, ...flags], replies)).received[0]?.body).toEqual(
    {
      category,
      mode: 'blocked',
    },
  );
  expect((await run(['policy', 'set', id, ...flags], replies)).received[0]?.body).toEqual({
    policy_id: id,
    mode: 'blocked',
  });
});

test('an object is printed as names and values', async () => {
  const { stdout } = await run(['network', 'get', id], { system_sdwan_get_network: { body: { network } } });
  expect(stdout).toBe(`id                       ${id}
name                     office
description              -
handle                   k3v9qa
prefix                   fd00:1:2:3::/64
ipv4 prefix              -
pod subnet prefix        -
routing mode             static
topology strategy        hub_and_spoke
firewall default policy  accept
mtu                      1420
status                   active
peer count               5
hub count                2
account id               ${other}
created at               2026-08-01T00:00:00.000Z
updated at               2026-08-01T00:00:00.000Z
revision                 3
`);
});

test('a list is a table of the columns that fit, and says when there is more', async () => {
  const list = { networks: [network, { ...network, id: other, name: 'plant', peer_count: 120 }] };
  const replies = {
    system_sdwan_list_networks: { body: { ...list, count: 2, has_more: true, next_cursor: 'abc' } },
  };
  expect(
    (await run(['network', 'list'], replies, 70)).stdout,
  ).toBe(`ID                                    NAME    PREFIX
${id}  office  fd00:1:2:3::/64
${other}  plant   fd00:1:2:3::/64

More results: --cursor abc
`);
  expect((await run(['network', 'list'], replies)).stdout).toContain(
    'PEER COUNT  HUB COUNT  TOPOLOGY STRATEGY',
  );
});

test('an empty list says so', async () => {
  const body = { networks: [], count: 0, has_more: false, next_cursor: null };
  const { stdout } = await run(['network', 'list'], { system_sdwan_list_networks: { body } });
  expect(stdout).toBe('No networks.\n');
});

test('what waits for approval is explained', async () => {
  const operation = {
    id: other,
    action: 'x',
    summary: 'Delete a network: office',
    expires_at: '2026-08-01T04:00:00Z',
  };
  const body = { pending: true, deferred_operation: operation };
  const { stdout, code } = await run(['network', 'delete', id], {
    system_sdwan_delete_network: { status: 202, body },
  });
  expect(code).toBe(0);
  expect(stdout).toBe(`Waits for approval until 2026-08-01T04:00:00Z: Delete a network: office
Nothing has changed yet. Decide in the console, or with one of:

  powernode approval decide ${other} --decision approve
  powernode approval decide ${other} --decision reject
`);
});

test('the plan of a dry run is printed after the object', async () => {
  const changes = [
    { op: 'set', key: 'peer/1', detail: 'allowed fd00::1/128' },
    { op: 'remove', key: 'route/2', detail: '' },
  ];
  const plan = {
    fields: [{ path: 'mtu', before: null, after: 1400 }],
    nodes: [{ instance_id: other, hostname: 'hub1', changes, changes_count: 5 }],
    node_count: 3,
    truncated: true,
  };
  const { stdout } = await run(['network', 'update', id, '--mtu', '1400', '--dry-run'], {
    system_sdwan_update_network: { body: { network: { id, mtu: 1400 }, dry_run: true, plan } },
  });
  expect(stdout).toBe(`Dry run: nothing was changed. The result would be:

id   ${id}
mtu  1400

These values would change:
  mtu: null → 1400
3 instances would change:
  hub1  (${other})
    + peer/1  allowed fd00::1/128
    - route/2
    and 3 more
  and 2 more instances
`);
});

test('--json prints the answer as it came', async () => {
  const body = { network, something_new: [1] };
  const { stdout } = await run(['network', 'get', id, '--json'], { system_sdwan_get_network: { body } });
  expect(JSON.parse(stdout)).toEqual(body);
});

test('a failure goes to standard error with each field, and its exit code is the table’s', async () => {
  const errors = [{ path: 'node_instance_id', code: 'missing', message: 'is required' }];
  const detail = 'The parameters are invalid.';
  const replies = {
    system_sdwan_create_network: { status: 422, body: problem('validation_failed', 422, detail, errors) },
  };
  const argv = ['network', 'create', '--name', 'x'];
  expect(await run(argv, replies)).toMatchObject({
    code: 65,
    stdout: '',
    stderr: 'powernode: The parameters are invalid.\n  --node-instance-id: is required\n',
  });
  const machine = await run([...argv, '--json'], replies);
  expect(machine).toMatchObject({ code: 65, stdout: '' });
  expect(JSON.parse(machine.stderr)).toMatchObject({ code: 'validation_failed', errors });
});

test.each([
  ['not_found', 404, 66],
  ['permission_denied', 403, 77],
  ['rate_limited', 429, 75],
  ['a_code_from_the_future', 409, 73],
])('%s', async (code, status, exitCode) => {
  const result = await run(['whoami'], {
    system_whoami: { status, body: problem(code, status, 'Because.') },
  });
  expect(result).toMatchObject({ code: exitCode, stderr: 'powernode: Because.\n' });
});

test('mistyped words are suggested, with the exit code of misuse', async () => {
  expect(await cli(['netwrok', 'list'])).toMatchObject({
    code: 64,
    stderr: expect.stringContaining('`network`'),
  });
  expect(await cli(['network', 'lst'])).toMatchObject({
    code: 64,
    stderr: expect.stringContaining('`list`'),
  });
  expect(await cli(['network', 'create', '--nmae', 'x'])).toMatchObject({
    code: 64,
    stderr: expect.stringContaining('--name'),
  });
});

test('control characters of what others named do not reach the terminal', async () => {
  const { stdout } = await run(['network', 'get', id], {
    system_sdwan_get_network: { body: { network: { id, name: 'a\u001b[2Jb' } } },
  });
  expect(stdout).not.toContain('\u001b');
});

test('every action has a command, with no two of the same name, and help', async () => {
  const names = new Set<string>();
  for (const key of actionKeys) {
    const action = definitionOf(key);
    const { noun, verb } = action.cli;
    expect(names.has(`${noun} ${verb}`), action.name).toBe(false);
    names.add(`${noun} ${verb}`);
    expect(() => flagsOf(action)).not.toThrow();
    const { stdout, code } = await cli([noun, verb, '--help']);
    expect(code, action.name).toBe(0);
    expect(stdout).toContain(action.name);
  }
});

test('the help names what other programs of powernode do', async () => {
  const { stdout } = await cli(['--help']);
  for (const word of ['up', 'config', 'agent', 'lab', 'demo', 'bench', 'login', 'event', 'mcp']) {
    expect(stdout).toContain(`powernode ${word}`);
  }
});

test('shells can complete nouns, verbs and flags', async () => {
  expect((await cli(['__complete', 'netw'])).stdout).toBe('network\n');
  expect((await cli(['__complete', 'peer', 'att'])).stdout).toBe('attach\n');
  expect((await cli(['__complete', 'network', 'create', '--topology-strategy', ''])).stdout).toContain(
    'full_mesh',
  );
  for (const shell of ['bash', 'zsh', 'fish'])
    expect((await cli(['completion', shell])).stdout).toContain('powernode');
});
