import { existsSync } from 'node:fs';
import { chromium, type Page } from 'playwright-core';

export interface ChromiumSignIn {
  /** Default `demo`. */
  readonly user?: string;
  /** Default `demo`. */
  readonly password?: string;
  /** Path for a PNG of the last page. Absent: none. */
  readonly screenshotPath?: string;
  /** Default `light`. */
  readonly colorScheme?: 'light' | 'dark';
}

export interface ChromiumResult {
  /** The URL of the last page: the client's callback, or a page of the provider. */
  readonly url: string;
  readonly title: string;
  /** The visible text. */
  readonly text: string;
}

const launchArguments = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const timeoutMs = 20_000;

/** Path of Chromium; undefined: tests skip. The variable `CHROMIUM` overrides it. */
export function findChromium(): string | undefined {
  const { CHROMIUM } = process.env;
  const usual = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
  return [...(CHROMIUM ? [CHROMIUM] : usual)].find((path) => existsSync(path));
}

/** Signs in at the sandbox's provider with a real, headless browser and closes it. @throws when there is no Chromium */
export function signInWithChromium(url: string | URL, options: ChromiumSignIn = {}): Promise<ChromiumResult> {
  return inChromium({ colorScheme: options.colorScheme ?? 'light' }, async (page) => {
    await page.goto(String(url));
    const password = page.getByLabel('Password');
    if (await password.isVisible()) {
      await page.getByLabel('User name').fill(options.user ?? 'demo');
      await password.fill(options.password ?? 'demo');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.waitForLoadState('load');
    }
    if (options.screenshotPath !== undefined) await page.screenshot({ path: options.screenshotPath });
    return whatIsShown(page);
  });
}

/** Opens a page of a browser of its own, and closes both when `use` has ended. @throws when there is no Chromium */
export async function inChromium<T>(
  options: { readonly colorScheme?: 'light' | 'dark' },
  use: (page: Page) => Promise<T>,
): Promise<T> {
  const executablePath = findChromium();
  if (executablePath === undefined)
    throw new Error('no Chromium found: install it or set CHROMIUM to its path');
  const browser = await chromium.launch({ executablePath, args: launchArguments, timeout: timeoutMs });
  try {
    const page = await browser.newPage(options);
    page.setDefaultTimeout(timeoutMs);
    return await use(page);
  } finally {
    await browser.close();
  }
}

/** Returns the browser's URL and the visible text. */
export async function whatIsShown(page: Page): Promise<ChromiumResult> {
  const text = await page.locator('body').innerText();
  return { url: page.url(), title: await page.title(), text };
}
