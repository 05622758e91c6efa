// What each file of browser tests stands on: the console as built for this run, a fake platform and one browser.
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, inject } from 'vitest';
import { goTo, type Look, openBrowser, openSignedIn, type Signed, wide } from './browser.ts';
import { emitPast } from './fake/past.ts';
import { FakePlatform } from './fake/platform.ts';
import { type FakeServer, fakeToken, serveFake } from './fake/server.ts';
import { smallWorld } from './fake/small-world.ts';
import type { World } from './fake/world.ts';

export interface Stage {
  readonly browser: Browser;
  readonly server: FakeServer;
  readonly platform: FakePlatform;
  /** A signed-in page on a fake platform; ended with `end`. */
  open(path: string, look?: Look): Promise<Signed>;
  /** A fresh platform with a world of its own, for a test that changes or stops it. */
  fresh(world?: World): Promise<{ readonly server: FakeServer; readonly platform: FakePlatform }>;
  /** A signed-in page on a fresh platform, closed afterwards. */
  on(path: string, run: (page: Page, platform: FakePlatform) => Promise<void>): Promise<void>;
}

/** Call once at the top of a file. The stage is there inside of tests. */
export function useStage(makeWorld: () => World = smallWorld): Stage {
  let browser: Browser;
  let server: FakeServer;
  const servers: FakeServer[] = [];

  async function serve(world: World): Promise<FakeServer> {
    const platform = new FakePlatform(world);
    if (world.networks.length > 1) emitPast(platform);
    const started = await serveFake(platform, inject('consoleDirectory'));
    servers.push(started);
    return started;
  }

  beforeAll(async () => {
    browser = await openBrowser();
    server = await serve(makeWorld());
  });
  afterAll(async () => {
    await browser?.close();
    for (const one of servers) await one.stop().catch(() => {});
  });

  return {
    get browser() {
      return browser;
    },
    get server() {
      return server;
    },
    get platform() {
      return server.platform;
    },
    async open(path, look = wide) {
      const signed = await openSignedIn(browser, { url: server.url, token: fakeToken }, look);
      await goTo(signed.page, path);
      return signed;
    },
    async fresh(world = makeWorld()) {
      const own = await serve(world);
      return { server: own, platform: own.platform };
    },
    async on(path, run) {
      const own = await serve(makeWorld());
      const { page, context } = await openSignedIn(browser, { url: own.url, token: fakeToken });
      await goTo(page, path);
      await run(page, own.platform);
      await context.close();
    },
  };
}
