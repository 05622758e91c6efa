// A real browser, and a console that is signed in.
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

export const executablePath = process.env['POWERNODE_CHROMIUM'] ?? '/usr/bin/chromium';

export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath,
    headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  });
}

export interface Look {
  readonly colours: 'light' | 'dark';
  readonly width: number;
}

export const looks: readonly Look[] = [
  { colours: 'light', width: 1280 },
  { colours: 'dark', width: 1280 },
  { colours: 'light', width: 390 },
  { colours: 'dark', width: 390 },
];

export const wide: Look = { colours: 'light', width: 1280 };

export interface Signed {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What the browser complained about: exceptions, errors of the console, refused content. */
  readonly complaints: string[];
}

export async function openPage(browser: Browser, url: string, look: Look): Promise<Signed> {
  return openTab(await openContext(browser, url, look));
}

async function openTab(context: BrowserContext): Promise<Signed> {
  const page = await context.newPage();
  return { context, page, complaints: complaintsOf(page) };
}

function openContext(browser: Browser, url: string, look: Look): Promise<BrowserContext> {
  return browser.newContext({
    baseURL: url,
    colorScheme: look.colours,
    viewport: { width: look.width, height: look.width < 500 ? 844 : 860 },
    reducedMotion: 'reduce',
    permissions: ['clipboard-read', 'clipboard-write'],
  });
}

function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    // Labs that run beside the tests make and remove interfaces, and the browser mentions it.
    const ofTheMachine = message.text().includes('ERR_NETWORK_CHANGED');
    if (message.type() === 'error' && !ofTheMachine) complaints.push(message.text());
  });
  return complaints;
}

/** Puts the token where the console keeps it, so that every page can be gone to directly. */
export async function openSignedIn(
  browser: Browser,
  at: { readonly url: string; readonly token: string },
  look: Look = wide,
): Promise<Signed> {
  const context = await openContext(browser, at.url, look);
  await context.addInitScript((token) => sessionStorage.setItem('powernode.token', token), at.token);
  return openTab(context);
}

/** Labs that run beside the tests make and remove interfaces, and the browser gives up what it was loading. */
const networkChangesMax = 5;

export async function goTo(page: Page, path: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await page.goto(path);
      return;
    } catch (error) {
      if (tries === networkChangesMax || !String(error).includes('ERR_NETWORK_CHANGED')) throw error;
    }
  }
}
