import t from 'tap';
import { ALARMS } from '../../infra/dashboard/alarms.ts';
import { layout } from '../../infra/dashboard/dashboard-body.ts';
import { linesOf, tableOf } from '../../tools/docs/dashboard-evaluate.ts';
import { sampleDay } from '../../tools/docs/dashboard-sample.ts';
import { PART_NAMES, partsIn, withFreshParts, withPictureMark } from '../../tools/docs/generated.ts';
import { pages, readText } from '../../tools/docs/pages.ts';

const UPDATE = 'run npm run build && node build/js/tools/docs/update.js';

t.test('tables made from the code are those of the code', async (t) => {
  for (const page of pages()) t.equal(readText(page), withFreshParts(readText(page)), `${page}; ${UPDATE}`);
});

t.test('every such table is on some page', async (t) => {
  const found = pages().flatMap((page) => partsIn(readText(page)));
  t.strictSame(found.sort(), [...PART_NAMES].sort());
});

t.test('docs/images/dashboard.png was drawn from the widgets of today', async (t) => {
  const page = readText('docs/monitoring.md');
  t.match(page, /!\[[^\]]+\]\(images\/dashboard\.png\)\n<!-- dashboard\.png of \w+ -->/);
  t.equal(page, withPictureMark(page), `${UPDATE} --pictures`);
});

t.test('the sample data has something for every widget to show', async (t) => {
  const day = sampleDay();
  for (const { widget } of layout(true)) {
    const { id, source } = widget;
    if (source.kind === 'log') t.ok(tableOf(source.query, day).rows.length > 0, id);
    if (source.kind === 'metrics') t.ok(linesOf(source, day).length > 0, id);
  }
});

t.test('every alarm has a runbook of its name', async (t) => {
  const page = readText('docs/monitoring.md');
  for (const { name } of Object.values(ALARMS)) t.match(page, new RegExp(`^### ${name}$`, 'm'), name);
});
