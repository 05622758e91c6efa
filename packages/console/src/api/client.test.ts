// What the typed client sends, and what it makes of answers.
import { describe, expect, it, vi } from 'vitest';
import { type Client, type ClientParts, createClient } from './client.ts';

function clientAnswering(answer: () => Response | Promise<Response>, parts: Partial<ClientParts> = {}) {
  const fetch = vi.fn(async (_url: string, _init: RequestInit) => answer());
  const client: Client = createClient({
    fetch,
    token: () => 'secret',
    newIdempotencyKey: () => 'key-1',
    ...parts,
  });
  return { client, fetch };
}

function json(body: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers });
}

describe('the client', () => {
  it('posts the parameters to the address of the action, with the token', async () => {
    const { client, fetch } = clientAnswering(() => json({ networks: [], count: 0 }));
    await client.read('listNetworks', { limit: 500 });
    const [url, init] = fetch.mock.calls[0] ?? [];
    expect(url).toBe('/api/v1/actions/system_sdwan_list_networks');
    expect(init).toMatchObject({ method: 'POST', body: '{"limit":500}' });
    expect(init?.headers).toMatchObject({
      authorization: 'Bearer secret',
      'content-type': 'application/json',
    });
    expect(init?.headers).not.toHaveProperty('idempotency-key');
  });

  it('gives every change a key, so that a repeated one is not done twice', async () => {
    const { client, fetch } = clientAnswering(() => json({ network: { id: 'n' } }, 201));
    const answer = await client.change('createNetwork', { name: 'office' });
    expect(answer).toEqual({ kind: 'done', body: { network: { id: 'n' } } });
    expect(fetch.mock.calls[0]?.[1].headers).toMatchObject({ 'idempotency-key': 'key-1' });
  });

  it('tells what waits for a decision from what is done', async () => {
    const deferred = { id: 'a', action: 'x', summary: 'Delete', expires_at: '2026-01-01T00:00:00Z' };
    const { client } = clientAnswering(() => json({ pending: true, deferred_operation: deferred }, 202));
    expect(await client.change('deleteNetwork', { network_id: 'n' })).toEqual({ kind: 'pending', deferred });
  });

  it('plans with dry_run', async () => {
    const plan = { nodes: [], node_count: 0, truncated: false };
    const { client, fetch } = clientAnswering(() => json({ network: { id: 'n' }, dry_run: true, plan }));
    const preview = await client.previewChange('deleteNetwork', { network_id: 'n' });
    expect(preview).toMatchObject({ plan, body: { network: { id: 'n' } } });
    expect(fetch.mock.calls[0]?.[1].body).toBe('{"network_id":"n","dry_run":true}');
  });

  it('throws the problem of the platform', async () => {
    const { client } = clientAnswering(() =>
      json({ code: 'not_found', detail: 'There is no network n.' }, 404),
    );
    await expect(client.read('getNetwork', { network_id: 'n' })).rejects.toMatchObject({
      code: 'not_found',
      message: 'There is no network n.',
    });
  });

  it('reports a token that is not valid', async () => {
    const onUnauthenticated = vi.fn();
    const { client } = clientAnswering(() => json({ code: 'unauthenticated', detail: 'x' }, 401), {
      onUnauthenticated,
    });
    await expect(client.read('whoami', {})).rejects.toThrow();
    expect(onUnauthenticated).toHaveBeenCalledOnce();
  });

  it('calls silence and a gateway’s answer unreachable, and reports every contact', async () => {
    const onContact = vi.fn();
    const answers: (() => Response | Promise<Response>)[] = [
      () => Promise.reject(new TypeError('Failed to fetch')),
      () => new Response('Bad gateway', { status: 502 }),
      () => json({ count: 0 }, 200, { date: 'Fri, 21 Nov 2025 20:00:00 GMT' }),
    ];
    const { client } = clientAnswering(() => (answers.shift() as () => Response)(), { onContact });
    for (let i = 0; i < 2; i++) {
      await expect(client.read('listNetworks', {})).rejects.toMatchObject({ unreachable: true });
    }
    expect(onContact).toHaveBeenCalledWith({ answered: false, at: null });
    await client.read('listNetworks', {});
    expect(onContact).toHaveBeenLastCalledWith({ answered: true, at: new Date('2025-11-21T20:00:00Z') });
  });

  it('does not take a request that was given up for silence', async () => {
    const onContact = vi.fn();
    const aborted = new DOMException('given up', 'AbortError');
    const { client } = clientAnswering(() => Promise.reject(aborted), { onContact });
    await expect(client.read('listNetworks', {})).rejects.toBe(aborted);
    expect(onContact).not.toHaveBeenCalled();
  });
});
