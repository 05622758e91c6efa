// Every command in the documentation runs: each line of each `sh` block, page by page, against a real platform.
// Words in capitals stand for ids; the test fills in the ones of its own objects. `text` blocks are not run.
// The README starts from nothing. Each how-to page starts with a network of its own, so no page needs another one.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { unusedKeysMax } from '@powernode/core/limits/trust';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { SimulatedNode } from '../../packages/platform/deliver/simulated-node.ts';
import { joinSimulated } from '../stage/join-simulated.ts';

const root = path.join(import.meta.dirname, '..', '..');
const directory = mkdtempSync(path.join(tmpdir(), 'pn-docs-'));
const dataDir = path.join(directory, 'data');
const pages = [
  'README.md',
  ...readdirSync(path.join(root, 'docs/how-to')).map((name) => `docs/how-to/${name}`),
];

const upIsReady = /Powernode is up/;
/** Commands that stay until they are ended: what they print when they are ready. */
const lasting: readonly { readonly starts: RegExp; readonly ready: RegExp }[] = [
  { starts: /^npm run up/, ready: upIsReady },
];
/** Commands that end by themselves only when asked to. */
const ending: Readonly<Record<string, string>> = { 'npm run demo': 'npm run demo -- --once' };

let platform: ChildProcess;
let url = '';
let log = '';
/** What the machine that is the hub has for itself; the platform sees all of them on loopback. */
const hubAddress = '203.0.113.10';
const nodes: SimulatedNode[] = [];
const ids: Record<string, string> = {};

const environment = {
  ...process.env,
  CI: 'true',
  XDG_CONFIG_HOME: path.join(directory, 'config'),
  POWERNODE_DATA_DIR: path.join(directory, 'other-data'),
  POWERNODE_PORT: '0',
  POWERNODE_NODE_PORT: '0',
  POWERNODE_LAB_DIR: path.join(directory, 'lab'),
};

beforeAll(async () => {
  const argv = ['packages/platform/main.ts', 'up', '--port', '0', '--node-port', '0', '--data-dir', dataDir];
  platform = spawn(process.execPath, argv, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  platform.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  platform.stderr?.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  await vi.waitUntil(() => output.includes('admin-token') || platform.exitCode !== null, { timeout: 60_000 });
  url = /http:\/\/\S+/.exec(output)?.[0] ?? '';
  expect(url, log).not.toBe('');
  Object.assign(ids, {
    TOKENFILE: path.join(dataDir, 'admin-token'),
    DATADIR: dataDir,
    INSTANCE: await joinMachine('machine', hubAddress),
    OTHER: await joinMachine('other'),
    SECONDHUB: await joinMachine('second-hub'),
    HUBADDRESS: hubAddress,
    PUBLICKEY: randomBytes(32).toString('base64'),
  });
});

afterAll(async () => {
  for (const node of nodes) node.close();
  platform.kill('SIGINT');
  if (platform.exitCode === null) await once(platform, 'exit');
  await rm(directory, { recursive: true, force: true });
});

async function action<Answer>(name: string, input: object): Promise<Answer> {
  const token = readFileSync(path.join(dataDir, 'admin-token'), 'utf8').trim();
  const response = await fetch(`${url}/api/v1/actions/${name}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(input),
  });
  const answer: unknown = await response.json();
  if (!response.ok) throw new Error(`${name}: ${JSON.stringify(answer)}`);
  return answer as Answer;
}

async function joinMachine(hostname: string, ...addresses: readonly string[]): Promise<string> {
  const { join_token: made } = await action<{ join_token: { token: string } }>(
    'system_create_join_token',
    {},
  );
  const { node, instanceId } = await joinSimulated({
    nodeUrl: `https://127.0.0.1:${/"node_port":(\d+)/.exec(log)?.[1]}`,
    ...{ token: made.token, hostname, addresses, unusedKeys: unusedKeysMax },
  });
  nodes.push(node);
  return instanceId;
}

interface Result {
  readonly code: number | null;
  readonly output: string;
}

function run(command: string, until?: RegExp): Promise<Result> {
  const child = spawn('bash', ['-c', command], {
    cwd: root,
    env: { ...environment, POWERNODE_URL: url },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  const take = (chunk: Buffer) => {
    const before = output;
    output += chunk.toString();
    const becameReady = until !== undefined && until.test(output) && !until.test(before);
    if (becameReady && child.pid !== undefined) process.kill(-child.pid, 'SIGINT');
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  return new Promise((resolve) => {
    child.once('close', (code) => resolve({ code, output }));
  });
}

function commandsOf(page: string): string[] {
  const text = readFileSync(path.join(root, page), 'utf8');
  return [...text.matchAll(/^```sh\n([^]*?)^```$/gm)].flatMap((match) =>
    (match[1] ?? '').split('\n').filter((line) => line.trim() !== ''),
  );
}

/** The newest object of each kind, for the words in capitals. */
const newest = {
  NETWORK: { action: 'system_sdwan_list_networks', noun: 'networks' },
  PEER: { action: 'system_sdwan_list_peers', noun: 'peers', filter: { role: 'spoke' } },
  HUB: { action: 'system_sdwan_list_peers', noun: 'peers', filter: { role: 'hub' } },
  VIRTUALIP: { action: 'system_sdwan_list_virtual_ips', noun: 'virtual_ips' },
  ROUTEPOLICY: { action: 'system_sdwan_list_route_policies', noun: 'route_policies' },
  SESSION: { action: 'system_sdwan_get_bgp_sessions', noun: 'sessions' },
  RULE: { action: 'system_sdwan_list_firewall_rules', noun: 'firewall_rules' },
  MAPPING: { action: 'system_sdwan_list_port_mappings', noun: 'port_mappings' },
  GRANT: { action: 'system_sdwan_list_access_grants', noun: 'access_grants', first: true },
  DEVICE: { action: 'system_sdwan_list_user_devices', noun: 'user_devices' },
  OPERATION: { action: 'system_list_operations', noun: 'operations', first: true },
  APPROVAL: {
    action: 'system_list_approvals',
    noun: 'approvals',
    filter: { status: 'pending' },
    first: true,
  },
  APPROVED: {
    action: 'system_list_approvals',
    noun: 'approvals',
    filter: { status: 'approved' },
    first: true,
  },
} as const satisfies Record<string, { action: string; noun: string; filter?: object; first?: boolean }>;

/** What the reader of a how-to page has: the command line signed in, and a network of two hubs and a spoke. */
async function prepare(page: string): Promise<void> {
  const signIn = await run(`./powernode login --url ${url} --token-file ${ids['TOKENFILE']}`);
  expect(signIn.code, signIn.output).toBe(0);
  const { network } = await action<{ network: { id: string } }>('system_sdwan_create_network', {
    name: path.basename(page, '.md'),
  });
  // All machines reach the platform from loopback, where no other one could call them.
  const attach = (machine: string, endpoint_address?: string) =>
    action('system_sdwan_attach_peer', {
      network_id: network.id,
      node_instance_id: ids[machine],
      publicly_reachable: endpoint_address !== undefined,
      endpoint_address,
    });
  await attach('SECONDHUB', '203.0.113.11');
  await attach('OTHER');
  await attach('INSTANCE', hubAddress);
}

/** What a drill restores: the data directory of a platform that was started once and stopped. */
async function stoppedDataDir(): Promise<string> {
  const stopped = path.join(directory, 'stopped');
  const { output } = await run(`npm run up -- --port 0 --node-port 0 --data-dir ${stopped}`, upIsReady);
  expect(output).toMatch(upIsReady);
  return stopped;
}

/** Folders and files that a page makes beside the reader; the test makes them in its own folder. */
const madeByPages = /\b(restored|powernode-backup\.tar\.gz)\b/g;

async function refreshIds(): Promise<void> {
  for (const [word, kind] of Object.entries(newest)) {
    const filter = 'filter' in kind ? kind.filter : {};
    const answer = await action<Record<string, { id: string }[]>>(kind.action, { limit: 500, ...filter });
    const list = answer[kind.noun] ?? [];
    ids[word] = ('first' in kind ? list[0] : list.at(-1))?.id ?? '';
  }
}

/** A word that stands for no id stays; one whose object is not there is a mistake of the page. */
function idFor(word: string, place: string): string {
  const id = ids[word] ?? word;
  expect(id, `${place}: there is no ${word}`).not.toBe('');
  return id;
}

const skips = JSON.parse(process.env['POWERNODE_SKIP'] ?? '{}') as Record<string, string>;
const needsNamespaces = (line: string) => /\blab\b|run demo/.test(line);

test.each(pages)('%s: every command works', async (page) => {
  if (page !== 'README.md') await prepare(page);
  ids['DATADIR'] = page.endsWith('/backup-and-restore.md') ? await stoppedDataDir() : dataDir;
  for (const line of commandsOf(page)) {
    if ('net' in skips && needsNamespaces(line)) continue;
    await refreshIds();
    const filled = line
      .replaceAll(/\b[A-Z]{3,}\b/g, (word) => idFor(word, `${page}: ${line}`))
      .replace('http://127.0.0.1:7070', url)
      .replace('--port 7070 --data-dir ./data', `--port 0 --data-dir ${path.join(directory, 'page-data')}`)
      .replaceAll(madeByPages, (name) => path.join(directory, name))
      // A reader's instances are elsewhere; these are on loopback, where no other one could call a hub.
      .replace(/--publicly-reachable$/, `--publicly-reachable --endpoint-address ${hubAddress}`);
    const kind = lasting.find(({ starts }) => starts.test(line));
    const result = await run(ending[line] ?? filled, kind?.ready);
    if (kind === undefined) expect(result.code, `${page}: ${filled}\n${result.output}`).toBe(0);
    else expect(result.output, `${page}: ${filled}`).toMatch(kind.ready);
  }
});
