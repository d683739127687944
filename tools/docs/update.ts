/**
 * Brings the parts of the documentation that are made from the programs up to date: the quoted `--help`
 * texts and the tables of the AWS side, with --transcript the first hour and those of the wizard, and with --pictures the pictures of
 * the demo, of terminals, of the sign-in's last page and of the dashboard (needs Chromium and tmux), with
 * --dashboard the latter alone.
 *
 * Usage: npm run build && node build/js/tools/docs/update.js [--transcript] [--pictures | --dashboard]
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { drawDashboard } from './dashboard-picture.ts';
import { demoPicture, runDemo } from './demo-picture.ts';
import { firstHour } from './first-hour.ts';
import { withFreshParts, withPictureMark } from './generated.ts';
import { withFreshQuotes } from './help.ts';
import { pages, ROOT, readText } from './pages.ts';
import { takeScreenshots } from './screenshots.ts';
import { drawTerminals } from './terminal-picture.ts';
import { drawWizard, PAGE, pageText, withFreshTranscripts } from './wizard-session.ts';

for (const page of pages()) {
  const before = readText(page);
  const after = withFreshParts(withFreshQuotes(before));
  if (after === before) continue;
  writeFileSync(join(ROOT, page), after);
  process.stdout.write(`updated ${page}\n`);
}

if (process.argv.includes('--transcript')) {
  writeFileSync(join(ROOT, 'docs/first-hour.md'), await firstHour());
  writeFileSync(join(ROOT, PAGE), await withFreshTranscripts(pageText()));
  process.stdout.write('wrote docs/first-hour.md and the transcripts of docs/init.md\n');
}

if (process.argv.includes('--pictures') || process.argv.includes('--dashboard')) {
  await drawDashboard(join(ROOT, 'docs/images/dashboard.png'));
  const page = 'docs/monitoring.md';
  writeFileSync(join(ROOT, page), withPictureMark(readText(page)));
  process.stdout.write('drew docs/images/dashboard.png\n');
}

if (process.argv.includes('--pictures')) {
  writeFileSync(join(ROOT, 'docs/images/demo.svg'), demoPicture(await runDemo()));
  await takeScreenshots(join(ROOT, 'docs/images'));
  await drawTerminals(join(ROOT, 'docs/images'));
  await drawWizard(join(ROOT, 'docs/images'));
  process.stdout.write('drew docs/images/demo.svg and the screenshots\n');
}
