/** docs/images/*.png: the pages a sign-in ends on, as a browser shows them. */
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { resultPage, type SignInOutcome } from '../../daemon/sign-in/result-page.ts';
import { findChromium } from '../../sandbox/browser/chromium.ts';

const PAGES: Readonly<Record<string, SignInOutcome>> = {
  'signed-in': { outcome: 'signed-in', user: 'demo@example.com', profile: 'ClaudeCode' },
  'not-signed-in': { outcome: 'denied' },
  'no-credentials': {
    outcome: 'signed-in-without-aws',
    user: 'demo@example.com',
    message: 'Amazon Cognito: the identity pool does not take ID tokens of this provider',
    fix: 'ask your administrator to compare identity_pool_id in config.json with the pool',
  },
  failed: {
    outcome: 'failed',
    message: 'the identity provider login.example.com did not answer properly',
    fix: 'check the network, VPN and proxy; it is tried again by itself',
  },
  'nothing-waiting': { outcome: 'unknown' },
};

const SCREENS = {
  light: { viewport: { width: 800, height: 500 }, colorScheme: 'light' },
  dark: { viewport: { width: 800, height: 500 }, colorScheme: 'dark' },
  phone: { viewport: { width: 390, height: 640 }, colorScheme: 'light', deviceScaleFactor: 2 },
} as const;

/** Takes all of them, into `folder`. @throws Error when there is no Chromium */
export async function takeScreenshots(folder: string): Promise<string[]> {
  const executablePath = findChromium();
  if (executablePath === undefined)
    throw new Error('no Chromium found: install it or set CHROMIUM to its path');
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
  const taken: string[] = [];
  try {
    for (const [name, outcome] of Object.entries(PAGES)) {
      for (const [screen, options] of Object.entries(SCREENS)) {
        const page = await browser.newPage(options);
        await page.setContent(resultPage(outcome).html);
        const path = join(folder, `${name}-${screen}.png`);
        await page.screenshot({ path });
        await page.close();
        taken.push(path);
      }
    }
  } finally {
    await browser.close();
  }
  return taken;
}
