import t from 'tap';
import { firstHour, withoutChance } from '../../tools/docs/first-hour.ts';
import { readText } from '../../tools/docs/pages.ts';
import { pictured } from '../../tools/docs/terminal-picture.ts';

// Many programs one after the other, on a machine that runs other tests too.
t.setTimeout(120_000);

t.test('docs/first-hour.md is what a run prints', { skip: process.platform !== 'linux' }, async (t) => {
  t.equal(
    withoutChance(readText('docs/first-hour.md')),
    withoutChance(await firstHour()),
    'run npm run build && node build/js/tools/docs/update.js --transcript',
  );
});

t.test('docs/images/status.svg shows what docs/first-hour.md does', async (t) => {
  const [, after = ''] = readText('docs/first-hour.md').split('$ bedrock-auth status\n');
  const [printed = ''] = after.split('```');
  t.equal(
    withoutChance(pictured(readText('docs/images/status.svg'))).trim(),
    withoutChance(printed).trim(),
    'run npm run build && node build/js/tools/docs/update.js --pictures',
  );
});
