// The AS number of an account over a real database: who gets it, what it ends, and which numbers are refused.
import type { AccountBgp } from '@powernode/core/intent/bgp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inAccount } from '../../../store/tenancy.ts';
import type { TestPlatform } from '../../../testing/test-platform.ts';
import { loadFleet } from '../../load-fleet.ts';
import { RoutingScene } from './routing-scene.fixture.ts';

let platform: TestPlatform;
let networkId: string;
let run: RoutingScene['run'];
let refusal: RoutingScene['refusal'];
let idOf: RoutingScene['idOf'];

beforeAll(async () => {
  ({ platform, networkId, run, refusal, idOf } = await RoutingScene.make());
});
afterAll(() => platform.close());

describe('the AS number', () => {
  test('a change of it reaches all peers, and its plan says which sessions end', async () => {
    const input = { as_number: 65_000 };
    const dry = await run<{ plan: { nodes: unknown[]; notes: object[] } }>('updateAccountAsNumber', {
      ...input,
      dry_run: true,
    });
    expect(dry.plan.nodes).toHaveLength(4);
    expect(dry.plan.notes).toMatchObject([
      { code: 'sessions_end', detail: expect.stringContaining('All 3') },
    ]);
    const { account_bgp: before } = await run<{ account_bgp: AccountBgp }>('getAccountBgp', {});
    const stale = { ...input, if_revision: before.revision + 1 };
    expect(await refusal('updateAccountAsNumber', stale)).toMatchObject({ code: 'revision_conflict' });
    expect(await run('updateAccountAsNumber', { ...input, if_revision: before.revision })).toEqual({
      account_bgp: {
        ...before,
        as_number: 65_000,
        router_id_strategy: 'host_address',
        default_local_pref: 100,
        revision: before.revision + 1,
        updated_at: expect.any(String),
      },
    });
    expect(before).toMatchObject({ id: platform.admin.accountId, account_id: platform.admin.accountId });
    expect(await run('getAccountBgp', {})).toMatchObject({ account_bgp: { as_number: 65_000 } });
    const { config } = await run<{ config: string }>('getBgpConfigForPeer', { peer_id: idOf('a') });
    expect(config).toContain('router bgp 65000');
    for (const as_number of [64_511, 65_535, 4_199_999_999]) {
      expect(await refusal('updateAccountAsNumber', { as_number })).toMatchObject({ status: 422 });
    }
  });

  test('what a process loads at its start has it too', async () => {
    const models = await inAccount(platform.store, platform.admin.accountId, (trx) => loadFleet(trx));
    expect(models.get(networkId as never)?.network.asNumber).toBe(65_000);
  });
});
