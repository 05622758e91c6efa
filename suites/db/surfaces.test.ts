// One platform, one flow, every surface: from a network to an attached peer, by the generic route, by resource routes,
// by MCP with the official client of either era, and by the command line. All of them see the same objects.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SurfacedPlatform, surfaceNames } from '../stage/every-surface.ts';

const platform = new SurfacedPlatform();
beforeAll(() => platform.start(), 150_000);
afterAll(() => platform.end());

describe.each(surfaceNames)('%s', (name) => {
  const open = () => platform.open(name);

  test('makes a network, attaches a peer, and reads both as every other surface does', async () => {
    const call = await open();
    const { id: machine } = await platform.joinMachine(`machine of ${name}`.replaceAll(/[^a-z0-9]+/gi, '-'));
    const { network } = await call('system_sdwan_create_network', { name: `network of ${name}`, mtu: 1400 });
    const { peer } = await call('system_sdwan_attach_peer', {
      network_id: network?.['id'],
      node_instance_id: machine,
      publicly_reachable: true,
      endpoint_address: '203.0.113.5:51999',
    });
    expect(network).toMatchObject({ name: `network of ${name}`, mtu: 1400, status: 'active' });
    expect(peer).toMatchObject({ network_id: network?.['id'], role: 'hub', endpoint: '203.0.113.5:51999' });
    const settled = await platform.byGenericRoute('system_sdwan_get_peer', { peer_id: peer?.['id'] });
    for (const otherName of surfaceNames) {
      const other = await platform.open(otherName);
      const read = await other('system_sdwan_get_network', { network_id: network?.['id'] });
      expect(read['network']).toEqual({ ...network, peer_count: 1, hub_count: 1 });
      const sameKeys = (await other('system_sdwan_get_peer', { peer_id: peer?.['id'] }))['peer'] ?? {};
      expect(Object.keys(sameKeys)).toEqual(Object.keys(settled['peer'] ?? {}));
      expect(sameKeys).toMatchObject({ id: peer?.['id'], host_address: peer?.['host_address'] });
      const listed = await other('system_sdwan_list_peers', { network_id: network?.['id'], limit: 5 });
      expect(listed).toMatchObject({ count: 1, has_more: false, next_cursor: null });
    }
  });

  test('has a machine before it exists, which joins as itself and as nobody else', async () => {
    const call = await open();
    const offered = async (list: string, noun: string) => {
      const answer = await call(list, {});
      const [first] = answer[noun] as unknown as { id: string; provider: string }[];
      expect(first?.provider).toBe('own');
      return first?.id;
    };
    const wanted = {
      template_id: await offered('system_list_templates', 'templates'),
      provider_region_id: await offered('system_list_provider_regions', 'provider_regions'),
      provider_instance_type_id: await offered('system_list_instance_types', 'instance_types'),
      hostname: `ordered by ${name}`.replaceAll(/[^a-z0-9]+/gi, '-'),
      tags: ['rack-7'],
    };
    const { instance, join_token: made } = await platform.decided(call, 'system_create_instance', wanted);
    expect(instance).toMatchObject({ hostname: wanted.hostname, status: 'pending', provider: 'own' });
    expect(made).toMatchObject({ instance_id: instance?.['id'], status: 'unused' });
    const token = String(made?.['token']);
    expect((await platform.joinWith(token, 'what-it-calls-itself')).id).toBe(instance?.['id']);
    const joined = await platform.byGenericRoute('system_get_instance', { instance_id: instance?.['id'] });
    expect(joined['instance']).toMatchObject({
      hostname: wanted.hostname,
      status: 'running',
      provider: 'own',
      tags: ['rack-7'],
    });
    await expect(platform.joinWith(token, 'another-one')).rejects.toThrow();
  });

  test('a destructive action waits for approval, and can be looked at', async () => {
    const call = await open();
    const { network } = await call('system_sdwan_create_network', { name: `doomed by ${name}` });
    const answer = await call('system_sdwan_delete_network', { network_id: network?.['id'] });
    expect(answer).toMatchObject({
      pending: true,
      deferred_operation: { action: 'system_sdwan_delete_network' },
    });
    const { approval } = await call('system_get_approval', {
      approval_id: answer['deferred_operation']?.['id'],
    });
    expect(approval).toMatchObject({ status: 'pending', input: { network_id: network?.['id'] } });
  });
});
