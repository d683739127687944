/**
 * Brings the parts of the documentation that are made from the programs up to date: the quoted `--help`
 * texts, and with --pictures the pictures of the demo and of the sign-in's last page (needs Chromium).
 *
 * Usage: npm run build && node build/js/test/docs/update.js [--pictures]
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { demoPicture, runDemo } from './demo-picture.ts';
import { withFreshQuotes } from './help.ts';
import { pages, ROOT, readText } from './pages.ts';
import { takeScreenshots } from './screenshots.ts';

for (const page of pages()) {
  const before = readText(page);
  const after = withFreshQuotes(before);
  if (after === before) continue;
  writeFileSync(join(ROOT, page), after);
  process.stdout.write(`updated ${page}\n`);
}

if (process.argv.includes('--pictures')) {
  writeFileSync(join(ROOT, 'docs/images/demo.svg'), demoPicture(await runDemo()));
  await takeScreenshots(join(ROOT, 'docs/images'));
  process.stdout.write('drew docs/images/demo.svg and the screenshots\n');
}
