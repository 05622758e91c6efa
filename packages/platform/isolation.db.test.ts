// Whatever an operator of one account asks for, nothing of another account is read, listed, changed or betrayed;
// and no action runs without its permission. Generated from the list of actions, so that a new action is covered.
import { type ActionKey, actionKeys, definitionOf } from '@powernode/core/actions/catalogue';
import { routesOf } from '@powernode/core/actions/define';
import { ProductError, problemOf } from '@powernode/core/errors';
import { permissionNames } from '@powernode/core/intent/account';
import { Hono } from 'hono';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Caller } from './actions/invoke-types.ts';
import { createBootstrap } from './actions/sdwan/devices/bootstrap.ts';
import { createHttpApp } from './surfaces/http/app.ts';
import { everythingOf, inputFor, makeTenant, type Tenant } from './testing/tenant.fixture.ts';
import { startTestPlatform, type TestPlatform, withPermissions } from './testing/test-platform.ts';

let platform: TestPlatform;
let tenants: { readonly mine: Tenant; readonly theirs: Tenant };

beforeAll(async () => {
  platform = await startTestPlatform();
  tenants = { mine: await makeTenant(platform, 'mine'), theirs: await makeTenant(platform, 'theirs') };
});
afterAll(() => platform.close());

function namesObjects(key: ActionKey): boolean {
  return Object.keys(definitionOf(key).input).some((name) => name.endsWith('_id'));
}

async function outcome(key: ActionKey, input: object, caller: Caller): Promise<unknown> {
  try {
    return await platform.invoke({ caller, action: key, input, correlationId: 'isolation' });
  } catch (error) {
    if (error instanceof ProductError) return problemOf(error);
    throw error;
  }
}

describe('another account', () => {
  test.each(actionKeys.map((key) => [definitionOf(key).name, key] as const))(
    '%s betrays nothing of it and changes nothing in it',
    async (_name, key) => {
      const { mine, theirs } = tenants;
      const before = await everythingOf(platform, theirs.caller.accountId);
      for (const dryRun of definitionOf(key).category === null
        ? [{}]
        : [{}, { dry_run: true }, { approve: true }]) {
        const input: Record<string, unknown> = { ...inputFor(key, theirs.ids), ...dryRun };
        const answered = await outcome(key, input, mine.caller);
        const shown = JSON.stringify(answered);
        const echoed = new Set<unknown>(Object.values(input));
        for (const secret of theirs.secrets.filter((text) => !echoed.has(text))) {
          expect(shown).not.toContain(secret);
        }
      }
      expect(await everythingOf(platform, theirs.caller.accountId)).toBe(before);
    },
  );

  test.each(actionKeys.filter(namesObjects).map((key) => [definitionOf(key).name, key] as const))(
    '%s answers for one of its objects exactly as for one that never was',
    async (_name, key) => {
      const { mine, theirs } = tenants;
      const parameters = Object.keys(definitionOf(key).input).filter((name) => name in theirs.ids);
      for (const name of parameters) {
        const absent = '01990000-0000-7000-8000-00000000dead';
        const own = inputFor(key, mine.ids);
        const foreign = await outcome(
          key,
          { ...own, [name]: theirs.ids[name], dry_run: undefined },
          mine.caller,
        );
        const none = await outcome(key, { ...own, [name]: absent, dry_run: undefined }, mine.caller);
        const text = (value: unknown, id: string) => JSON.stringify(value).replaceAll(id, '<id>');
        expect(text(foreign, theirs.ids[name] ?? '')).toBe(text(none, absent));
      }
    },
  );

  const sides = [
    ['createFirewallRule', 'selector', ['peer', 'user_device']],
    ['createFirewallRule', 'destination', ['peer', 'user_device', 'virtual_ip']],
    ['updateFirewallRule', 'selector', ['peer', 'user_device']],
    ['updateFirewallRule', 'destination', ['peer', 'user_device', 'virtual_ip']],
    ['explainReachability', 'source', ['peer', 'user_device']],
    ['explainReachability', 'destination', ['peer', 'virtual_ip']],
  ] as const;
  test.each(sides.flatMap(([key, side, kinds]) => kinds.map((kind) => [key, side, kind] as const)))(
    '%s answers for one of its objects as %s (%s) exactly as for one that never was',
    async (key, side, kind) => {
      const { mine, theirs } = tenants;
      const answerFor = async (id: string) => {
        const selector = { ...(key === 'explainReachability' ? {} : { kind }), [`${kind}_id`]: id };
        const answered = await outcome(key, { ...inputFor(key, mine.ids), [side]: selector }, mine.caller);
        return JSON.stringify(answered).replaceAll(id, '<id>');
      };
      const answered = await answerFor(theirs.ids[`${kind}_id`] ?? '');
      expect(answered).toBe(await answerFor('01990000-0000-7000-8000-00000000dead'));
      expect(answered).toContain('not_found');
    },
  );

  test('is as invisible over every resource route', async () => {
    const { mine, theirs } = tenants;
    const app = createHttpApp({
      ...silentHttpParts(),
      invoke: platform.invoke,
      authenticate: async () => mine.caller,
    });
    const routes = actionKeys.flatMap((key) =>
      routesOf(definitionOf(key)).map((route) => ({ key, route, name: definitionOf(key).name })),
    );
    for (const { key, route, name } of routes) {
      const input = inputFor(key, theirs.ids);
      const path = route.path.replaceAll(/\{(\w+)\}/g, (_, parameter: string) => theirs.ids[parameter] ?? '');
      const inPath = new Set([...route.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]));
      const rest = Object.fromEntries(Object.entries(input).filter(([parameter]) => !inPath.has(parameter)));
      const query =
        route.method === 'GET' ? `?${new URLSearchParams(rest as Record<string, string>).toString()}` : '';
      const response = await app.request(`http://127.0.0.1/api/v1/system${path}${query}`, {
        method: route.method,
        ...(route.method === 'GET'
          ? {}
          : { body: JSON.stringify(rest), headers: { 'content-type': 'application/json' } }),
      });
      const shown = await response.text();
      const echoed = new Set<unknown>(Object.values(input));
      for (const secret of theirs.secrets.filter((text) => !echoed.has(text))) {
        expect(shown, `${name} ${route.method} ${path}`).not.toContain(secret);
      }
      expect(response.status, `${name} ${route.method} ${path}: ${shown}`).not.toBe(500);
    }
  });
});

describe('permissions', () => {
  test.each(actionKeys.map((key) => [definitionOf(key).name, key] as const))(
    '%s needs exactly the permission that it names',
    async (_name, key) => {
      const definition = definitionOf(key);
      // Changes are tried as dry runs, for which some need less than for doing it.
      const permission = definition.plansFirst?.permission ?? definition.permission;
      const { mine } = tenants;
      const input = {
        ...inputFor(key, mine.ids),
        ...(definition.category === null ? {} : { dry_run: true }),
      };
      if (permission !== null) {
        // Whoever may do it may have it planned.
        const without = permissionNames.filter(
          (name) => name !== permission && name !== definition.permission,
        );
        const refused = await outcome(key, input, withPermissions(mine.caller, without));
        expect(refused).toMatchObject({ status: 403, code: 'permission_denied', permission });
      }
      const only = permission === null ? [] : [permission];
      const allowed = (await outcome(key, input, withPermissions(mine.caller, only))) as {
        permission?: string;
      };
      expect(allowed.permission).toBeUndefined();
    },
  );

  test('a decision in the same breath needs system.approvals.decide', async () => {
    const { mine } = tenants;
    const caller = withPermissions(mine.caller, ['system.sdwan.peers.manage']);
    expect(
      await outcome('detachPeer', { peer_id: mine.ids['peer_id'], approve: true }, caller),
    ).toMatchObject({
      code: 'permission_denied',
      permission: 'system.approvals.decide',
    });
  });
});

function silentHttpParts() {
  const log = pino({ level: 'silent' });
  return {
    bootstrap: createBootstrap({ ...platform, log }),
    streams: { open: async () => new Response(null), count: () => 0 },
    rights: platform.rights,
    mcp: new Hono(),
    metrics: { observeRequest: () => {}, print: async () => ({ text: '', type: 'text/plain' }) },
    ready: async () => {},
    newId: platform.services.newId,
    log,
    version: 'test',
    nodeUrl: () => 'https://192.0.2.1:7443',
    downloads: null,
    hosts: [],
    isSecure: false,
    consoleDirectory: '/nonexistent',
  };
}
