// Every page, light and dark, wide and narrow: nothing for axe to complain of, nothing wider than the screen, and
// nothing that the browser complains of. A few tabs go from page to page, as people do: loading the console and axe for
// every page would take most of the time. Each page is looked at in light colours at one width, which is drawn, and in
// dark ones at the other. POWERNODE_LONG=1: both colours at both widths.
import { AxeBuilder } from '@axe-core/playwright';
import { seededRandom } from '@powernode/core/testing/random';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { networkViews } from '../src/app/search.ts';
import { goTo, type Look, looks, openPage, openSignedIn, type Signed, wide } from './browser.ts';
import { idOf } from './fake/ids.ts';
import { fakeToken } from './fake/server.ts';
import { emptyWorld } from './fake/world.ts';
import { placesOf, type Subjects } from './places.ts';
import { useStage } from './stage.ts';

const seed = Number(process.env['POWERNODE_SEED'] ?? Date.now() % 1_000_000);
const random = seededRandom(seed);
const stage = useStage();
/** An address that nothing is at. From there on every page is a new one, so that nothing of the page before is taken for
 * it. */
const nowhere = '/nowhere';
const atNowhere = (page: Page) => page.getByRole('heading', { name: 'Page not found', level: 1 });

/** Goes as a link does, without loading anything that is there already. */
async function follow({ page }: Signed, path: string): Promise<void> {
  const push = (to: string) => page.evaluate((url) => history.pushState(null, '', url), to);
  await push(nowhere);
  await atNowhere(page).waitFor();
  if (path === nowhere) return;
  await push(path);
  await atNowhere(page).waitFor({ state: 'detached' });
}

/** Tabs that one test after the other uses. Each has a context to itself: a browser opens no more than six lines to one
 * server, and every page keeps one open. */
class Tabs {
  readonly #free: Signed[] = [];
  readonly #url: () => Promise<string>;

  constructor(url: () => Promise<string>) {
    this.#url = url;
  }

  /** Goes to a page and has it looked at. What failed there is not used again. */
  async open(path: string, look: (signed: Signed) => Promise<void>): Promise<void> {
    const tab = this.#free.pop() ?? (await this.#openTab());
    try {
      await take(tab.page, wide);
      await follow(tab, path);
      await look(tab);
      await closeKeys(tab.page);
      this.#free.push(tab);
    } catch (error) {
      await tab.context.close();
      throw error;
    }
  }

  async #openTab(): Promise<Signed> {
    const tab = await openSignedIn(stage.browser, { url: await this.#url(), token: fakeToken });
    await goTo(tab.page, nowhere);
    await live(tab.page);
    return tab;
  }
}

/** What is over a page goes with it, but for the list of keys, which is the frame's. */
async function closeKeys(page: Page): Promise<void> {
  const keys = page.getByRole('dialog', { name: 'Keys' });
  if ((await keys.count()) === 0) return;
  await page.keyboard.press('Escape');
  await keys.waitFor({ state: 'detached' });
}

const office = new Tabs(async () => stage.server.url);
let served: Promise<string> | null = null;
const nothing = new Tabs(() => {
  served ??= stage.fresh(emptyWorld()).then(({ server }) => server.url);
  return served;
});

const subjects: Subjects = {
  networkId: idOf(501),
  instanceId: idOf(10_003),
  peerId: idOf(1_000_002),
  otherPeerId: idOf(1_000_003),
  approvalId: idOf(63),
  virtualIpId: idOf(3000),
  firewallRuleId: idOf(3102),
  portMappingId: idOf(3402),
  userDeviceId: idOf(3201),
  routing: {
    networkId: idOf(502),
    prefix: '10.7.0.0/24',
    sessionId: idOf(3701),
    policyId: idOf(3600),
  },
};

const withAxe = new WeakSet<Page>();

/** The dark page is the light one in other colours, so only colours are looked at again. */
async function complaintsOfAxe(page: Page, look: Look): Promise<string[]> {
  // axe is half a megabyte: it is read once by each page, and says only what is wrong. Without frames of other origins
  // it needs no page of its own to put its findings together.
  const axe = new AxeBuilder({ page, ...(withAxe.has(page) ? { axeSource: 'void 0;' } : {}) })
    .setLegacyMode()
    .options({ resultTypes: ['violations'] });
  withAxe.add(page);
  const { violations } = await (look.colours === 'dark' ? axe.withRules('color-contrast') : axe).analyze();
  return violations.flatMap((violation) =>
    violation.nodes.map(
      (node) => `${violation.id} at ${node.target.join(' ')}: ${node.failureSummary ?? ''}`,
    ),
  );
}

async function take(page: Page, { colours, width }: Look): Promise<void> {
  await page.emulateMedia({ colorScheme: colours, reducedMotion: 'reduce' });
  const { height = 0 } = page.viewportSize() ?? {};
  await page.setViewportSize({ width, height });
  // What follows the size of the window is drawn in the frames after, and colours may go over into each other.
  await page.evaluate(async () => {
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    const transitions = document.getAnimations().filter((one) => one instanceof CSSTransition);
    await Promise.allSettled(transitions.map((one) => one.finished));
  });
}

/** In light colours at one width and in dark ones at the other, or all. */
function drawLooks(): readonly Look[] {
  if (process.env['POWERNODE_LONG'] === '1') return looks;
  const lightAtWide = random() < 0.5;
  return looks.filter(
    ({ colours, width }) => ((colours === 'light') === (width === wide.width)) === lightAtWide,
  );
}

/** The page as it stands now, in these looks. */
async function expectClean({ page, complaints }: Signed, inLooks = drawLooks()): Promise<void> {
  const found: Record<string, unknown> = {};
  const clean: Record<string, unknown> = {};
  for (const look of inLooks) {
    await take(page, look);
    const name = `${look.colours}, ${look.width} px, seed ${seed}`;
    found[name] = {
      axe: await complaintsOfAxe(page, look),
      beyond: await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      ),
    };
    clean[name] = { axe: [], beyond: 0 };
  }
  expect(found).toEqual(clean);
  expect(complaints).toEqual([]);
}

const live = (page: Page) => page.locator('.connection:visible', { hasText: 'Live' }).waitFor();

describe.concurrent('every page is clean', () => {
  it.each(placesOf(subjects).map((place) => [place.name, place] as const))('%s', (_name, place) =>
    office.open(place.path, async (signed) => {
      await place.ready(signed.page);
      await expectClean(signed);
    }),
  );

  it('sign-in', async () => {
    const signed = await openPage(stage.browser, stage.server.url, { colours: 'light', width: 1280 });
    await signed.page.goto('/');
    await signed.page.getByLabel('Token').waitFor();
    await expectClean(signed);
    await signed.context.close();
  });
});

const network = `/networks/${idOf(501)}`;
const routed = `/networks/${idOf(502)}?view=routing`;
type Step = (page: Page) => Promise<void>;
const press =
  (name: string, shows: string): Step =>
  async (page) => {
    await page.getByRole('button', { name, exact: true }).first().click();
    await page.getByText(shows).first().waitFor();
  };

/** What opens over pages: where, and the presses that open it. */
const opened: readonly (readonly [what: string, path: string, steps: readonly Step[]])[] = [
  ['a machine to attach', `${network}?view=peers`, [press('Attach an instance', 'spare-1')]],
  ['a network to edit', network, [press('Edit', 'Direct paths')]],
  ['a network to make', '/networks', [press('New network', 'IPv4')]],
  ['a plan before a deletion', network, [press('Delete', '6 instances change')]],
  ['a virtual IP to make', `${network}?view=virtual-ips`, [press('New virtual IP', 'Fail-over holders')]],
  [
    'a fail-over',
    `${network}?view=virtual-ips&virtual_ip=${idOf(3000)}`,
    [press('Fail over', '2 instances change')],
  ],
  ['a rule to make', `${network}?view=firewall`, [press('New rule', 'Enabled')]],
  [
    'a rule with its plan',
    `${network}?view=firewall`,
    [press('New rule', 'Enabled'), press('Create rule', 'Nothing has changed yet')],
  ],
  [
    'a route policy to make',
    `${routed}&part=policies`,
    [press('New route policy', 'Set next hop'), press('Preview', 'Compiled text')],
  ],
  [
    'a route policy to edit, with its preview',
    `${routed}&route_policy=${idOf(3600)}`,
    [press('Edit', 'Set next hop'), press('Preview', 'Compiled text')],
  ],
  ['another routing mode', `${network}?view=routing`, [press('Change to iBGP', '6 instances change')]],
  ['another AS number', `${network}?view=routing`, [press('Change AS number', '4200000000')]],
  ['a port mapping to make', `${network}?view=port-mappings`, [press('New port mapping', 'Allowed sources')]],
  [
    'a grant with its QR code',
    `${network}?view=devices`,
    [
      press('New access grant', 'Valid for'),
      async (page) => page.getByLabel('Device name').fill('a phone'),
      press('Create access grant', 'Shown only once'),
    ],
  ],
  ['a machine to edit', `/instances/${idOf(10_001)}`, [press('Edit', 'The name on the platform')]],
  ['a machine to drain', `/instances/${idOf(10_001)}`, [press('Drain', 'go through another hub')]],
  [
    'the keys',
    '/networks',
    [
      async (page) => {
        await page.getByRole('link', { name: 'office' }).waitFor();
        await page.keyboard.press('?');
        await page.getByRole('dialog', { name: 'Keys' }).waitFor();
      },
    ],
  ],
  [
    'an event with its before and after',
    '/events',
    [
      async (page) => {
        await page.getByRole('row').filter({ hasText: 'sdwan.network.updated' }).click();
        await page.getByText('1380').waitFor();
      },
    ],
  ],
];

describe.concurrent('what opens over pages is clean', () => {
  it.each(opened)('%s', (_what, path, steps) =>
    office.open(path, async (signed) => {
      for (const step of steps) await step(signed.page);
      await expectClean(signed);
    }),
  );
});

describe.concurrent('where nothing is yet, it is clean', () => {
  const none = idOf(0xdead);
  const listed = [
    'networks',
    'instances',
    'join',
    'events',
    'approvals',
    'settings-operators',
    'settings-tokens',
  ];
  const places = placesOf({ ...subjects, networkId: none, instanceId: none, approvalId: none });
  const pages = places.filter(({ name }) => listed.includes(name));

  it.each(pages.map((place) => [place.name, place.path] as const))('%s', (_name, path) =>
    nothing.open(path, async (signed) => {
      await signed.page.locator('.empty, .table, .muted').first().waitFor();
      await expectClean(signed);
    }),
  );

  // Tunnels are what instances report, of which this network has none.
  const views = networkViews.filter((view) => view !== 'tunnels');

  it.each(views)('%s of a network', (view) =>
    office.open(`/networks/${idOf(503)}?view=${view}`, async (signed) => {
      await signed.page.locator('.empty').first().waitFor();
      await expectClean(signed);
    }),
  );
});

it('a page that cannot show what it is for is clean', async () => {
  const { server, platform } = await stage.fresh();
  platform.permissions = ['system.sdwan.networks.read', 'system.events.read'];
  const signed = await openSignedIn(stage.browser, { url: server.url, token: fakeToken });
  await signed.page.goto('/policies');
  await signed.page.getByRole('heading', { name: 'No permission' }).waitFor();
  await server.stop();
  await signed.page.getByText('Disconnected —').waitFor();
  // That nobody answers is what the browser complains of.
  await expectClean({ ...signed, complaints: [] });
  await signed.context.close();
});
