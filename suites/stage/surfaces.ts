// Every way in which an operator, a script or a model may look at a machine, on a running platform: what each of them
// says of it at this moment.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { Browser, Page } from 'playwright-core';
import { openBrowser, openSignedIn } from '../../packages/console/browser/browser.ts';

const cli = path.join(import.meta.dirname, '..', '..', 'packages', 'cli', 'main.ts');

export interface Watched {
  readonly url: string;
  readonly token: string;
  readonly networkId: string;
  readonly peerId: string;
  readonly instanceId: string;
  readonly hostname: string;
  /** A machine that is well, which asks whether it reaches the watched one. */
  readonly fromPeerId: string;
}

/** What one surface says. */
export interface Said {
  readonly reachable: boolean | null;
  /** Why not, as text or code. */
  readonly why: string;
}

interface PeerShown {
  readonly reachable: boolean | null;
  readonly unreachable_because: { readonly code: string; readonly detail: string } | null;
}

export class Surfaces {
  readonly #of: Watched;
  readonly #closers: (() => Promise<void>)[] = [];
  #page: Page | null = null;
  #mcp: Client | null = null;

  constructor(of: Watched) {
    this.#of = of;
  }

  async open(): Promise<void> {
    const { url, token } = this.#of;
    const client = new Client(
      { name: 'test', version: '1' },
      { versionNegotiation: { mode: { pin: '2026-07-28' } } },
    );
    const headers = { authorization: `Bearer ${token}` };
    await client.connect(
      new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { requestInit: { headers } }),
    );
    this.#closers.push(() => client.close());
    this.#mcp = client;
  }

  /** The console too, on the picture of the network. Without it, it is no surface. */
  async openConsole(): Promise<void> {
    const { url, token, networkId } = this.#of;
    const browser: Browser = await openBrowser();
    this.#closers.push(() => browser.close());
    const { page } = await openSignedIn(browser, { url, token });
    await page.goto(`/networks/${networkId}`);
    await page.locator('[data-spot]').first().waitFor();
    this.#page = page;
  }

  /** The names of those that are open. */
  get names(): string[] {
    return Object.keys(this.all).filter((name) => name !== 'console' || this.#page !== null);
  }

  look(name: string): Promise<Said> {
    return this.all[name]?.() ?? Promise.reject(new Error(`no surface ${name}`));
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
  }

  /** By the name of the surface. */
  readonly all: Readonly<Record<string, () => Promise<Said>>> = {
    HTTP: async () => saidOf((await this.#get<{ peer: PeerShown }>(`sdwan/peers/${this.#of.peerId}`)).peer),
    list: async () => {
      const query = `network_id=${this.#of.networkId}&limit=500&reachable=false`;
      const { peers } = await this.#get<{ peers: (PeerShown & { id: string })[] }>(`sdwan/peers?${query}`);
      const peer = peers.find(({ id }) => id === this.#of.peerId);
      return peer === undefined ? { reachable: true, why: '' } : saidOf(peer);
    },
    topology: async () => {
      const { topology } = await this.#act<{ topology: { nodes: (PeerShown & { peer_id: string })[] } }>(
        'system_sdwan_get_topology',
        { network_id: this.#of.networkId },
      );
      const node = topology.nodes.find(({ peer_id }) => peer_id === this.#of.peerId);
      return node === undefined ? nothing : saidOf(node);
    },
    explain: async () => {
      const { verdict, because } = await this.#act<{
        verdict: string;
        because: { step: string; detail: string }[];
      }>('system_sdwan_explain_reachability', {
        network_id: this.#of.networkId,
        source: { peer_id: this.#of.fromPeerId },
        destination: { peer_id: this.#of.peerId },
        protocol: 'icmp6',
      });
      // What the machine itself says is wrong with it comes before what others do not hear of it.
      const why = because.find(({ step }) => step === 'presence' || step === 'problem')?.detail ?? '';
      return { reachable: verdict === 'allowed', why };
    },
    matrix: async () => {
      const { matrix } = await this.#act<{
        matrix: { nodes: { id: string }[]; rows: { id: string; verdicts: string }[] };
      }>('system_sdwan_get_reachability_matrix', { network_id: this.#of.networkId, protocol: 'icmp6' });
      const at = matrix.nodes.findIndex(({ id }) => id === this.#of.peerId);
      const letter = matrix.rows.find(({ id }) => id === this.#of.fromPeerId)?.verdicts[at];
      return {
        reachable: letter === 'a' ? true : letter === 'u' || letter === 'd' ? false : null,
        why: letter ?? '',
      };
    },
    MCP: async () => {
      const answer = await this.#mcp?.callTool({
        name: 'system_sdwan_get_peer',
        arguments: { peer_id: this.#of.peerId },
      });
      const content = answer?.structuredContent as { peer: PeerShown } | undefined;
      return content === undefined ? nothing : saidOf(content.peer);
    },
    CLI: async () => {
      const text = await this.#command(['peer', 'get', this.#of.peerId, '--json']);
      return saidOf((JSON.parse(text) as { peer: PeerShown }).peer);
    },
    metrics: async () => {
      const { url, token, peerId } = this.#of;
      const response = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${token}` } });
      const text = await response.text();
      const line = text
        .split('\n')
        .find((one) => one.startsWith('powernode_peer_reachable{') && one.includes(peerId));
      return { reachable: line === undefined ? null : line.endsWith(' 1'), why: line ?? '' };
    },
    console: async () => {
      const spot = this.#page?.locator('[data-spot]').filter({ hasText: this.#of.hostname });
      const tone = await spot?.getAttribute('data-tone');
      const text = (await spot?.textContent()) ?? '';
      return { reachable: tone === 'bad' ? false : tone === 'ok' ? true : null, why: text };
    },
  };

  /** Whether the surface has nothing of the machine as a member any more: absent, and not only not reached. */
  async isGone(name: string): Promise<boolean> {
    return (await this.#gone[name]?.()) ?? Promise.reject(new Error(`no surface ${name}`));
  }

  readonly #gone: Readonly<Record<string, () => Promise<boolean>>> = {
    HTTP: async () => isAbsent(await this.#get(`sdwan/peers/${this.#of.peerId}`)),
    list: async () => {
      const query = `network_id=${this.#of.networkId}&limit=500`;
      const { peers } = await this.#get<{ peers: { id: string }[] }>(`sdwan/peers?${query}`);
      return peers.length > 0 && !peers.some(({ id }) => id === this.#of.peerId);
    },
    topology: async () => (await this.look('topology')) === nothing,
    explain: async () => {
      const { networkId, fromPeerId, peerId } = this.#of;
      const [source, destination] = [{ peer_id: fromPeerId }, { peer_id: peerId }];
      const asked = { network_id: networkId, source, destination, protocol: 'icmp6' };
      return isAbsent(await this.#act('system_sdwan_explain_reachability', asked));
    },
    matrix: async () => (await this.look('matrix')).why === '',
    MCP: async () => {
      const asked = { name: 'system_sdwan_get_peer', arguments: { peer_id: this.#of.peerId } };
      const answer = await this.#mcp?.callTool(asked);
      return answer?.isError === true && JSON.stringify(answer.content).includes('not_found');
    },
    CLI: async () => {
      const list = ['peer', 'list', '--network-id', this.#of.networkId, '--limit', '500', '--json'];
      const { peers } = JSON.parse(await this.#command(list)) as { peers: { id: string }[] };
      return peers.length > 0 && !peers.some(({ id }) => id === this.#of.peerId);
    },
    metrics: async () => (await this.look('metrics')).reachable === null,
    console: async () => {
      const spots = this.#page?.locator('[data-spot]');
      const own = spots?.filter({ hasText: this.#of.hostname });
      return (await spots?.count()) !== 0 && (await own?.count()) === 0;
    },
  };

  async instance(): Promise<{ connected: boolean; offline_since: string | null; status: string }> {
    const path = `instances/${this.#of.instanceId}`;
    return (
      await this.#get<{ instance: { connected: boolean; offline_since: string | null; status: string } }>(
        path,
      )
    ).instance;
  }

  /** Events of that kind about the watched machine since then, oldest first. */
  async events(kind: string, since: Date): Promise<readonly Record<string, unknown>[]> {
    const { events } = await this.#act<{ events: { payload: Record<string, unknown> }[] }>('recent_events', {
      kind_prefix: kind,
      since: since.toISOString(),
      limit: 100,
    });
    const { peerId, instanceId } = this.#of;
    return events
      .map(({ payload }) => payload)
      .filter((payload) => {
        const { after } = payload as { after?: { id?: unknown } | null };
        return payload['peer_id'] === peerId || [payload['instance_id'], after?.id].includes(instanceId);
      })
      .reverse();
  }

  async #get<T>(where: string): Promise<T> {
    const { url, token } = this.#of;
    const response = await fetch(`${url}/api/v1/system/${where}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    return (await response.json()) as T;
  }

  async #act<T>(action: string, input: object): Promise<T> {
    const { url, token } = this.#of;
    const response = await fetch(`${url}/api/v1/actions/${action}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(input),
    });
    return (await response.json()) as T;
  }

  #command(args: readonly string[]): Promise<string> {
    const { url, token } = this.#of;
    const child = spawn(process.execPath, [cli, ...args], {
      env: { ...process.env, POWERNODE_URL: url, POWERNODE_TOKEN: token },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
    });
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', () => resolve(text));
    });
  }
}

/** An answer that is the problem of what is not there. */
function isAbsent(answer: unknown): boolean {
  return (answer as { readonly code?: unknown }).code === 'not_found';
}

const nothing: Said = { reachable: null, why: 'it is not there' };

function saidOf({ reachable, unreachable_because: because }: PeerShown): Said {
  return { reachable, why: because === null ? '' : `${because.code}: ${because.detail}` };
}
