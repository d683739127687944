/** docs/images/dashboard.png: the dashboard's own widgets, computed on sample data. */
import { createHash } from 'node:crypto';
import { GRID, layout, PERIOD_SECONDS } from '../../infra/dashboard/dashboard-body.ts';
import type { Widget } from '../../infra/dashboard/widget-source.ts';
import { inChromium } from '../../sandbox/browser/chromium.ts';
import { barView, escapeHtml, numberView, tableView, timeView } from './dashboard-charts.ts';
import { type Line, linesOf, tableOf } from './dashboard-evaluate.ts';
import { POINTS, sampleDay } from './dashboard-sample.ts';

/** Pixels of a cell of CloudWatch's grid. */
const CELL = { width: 60, height: 42 };
const GAP = 8;
const HEADER = 58;

/** The page that is photographed. The same for the same widgets and sample data. */
export function dashboardPage(): string {
  const day = sampleDay();
  const placed = layout(true);
  const rows = Math.max(...placed.map(({ widget, y }) => y + widget.size[1]));
  const widgets = placed.map(({ widget, x, y }) => {
    const [width, height] = widget.size.map(
      (cells, index) => cells * (index === 0 ? CELL.width : CELL.height) - GAP,
    );
    const box = `left:${x * CELL.width + GAP / 2}px;top:${HEADER + y * CELL.height + GAP / 2}px;width:${width}px;height:${height}px`;
    return `<section class="${widget.view}" style="${box}">${inside(widget, day, (width ?? 0) - 26, (height ?? 0) - 44)}</section>`;
  });
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Dashboard</title><style>${STYLE}</style>
<body style="width:${GRID * CELL.width}px;height:${HEADER + rows * CELL.height + GAP}px">
<header><b>ccwb-ClaudeCode</b><span>1h</span><span>3h</span><span>12h</span><span class="on">1d</span><span>3d</span><span>1w</span><span>Custom</span><em>UTC timezone</em></header>
${widgets.join('\n')}
</body></html>
`;
}

function inside(widget: Widget, day: ReturnType<typeof sampleDay>, width: number, height: number): string {
  const { source, title, view, unit } = widget;
  if (source.kind === 'text') {
    const [heading = '', ...text] = source.markdown.replace('DEPLOYMENT', 'ClaudeCode').split('\n');
    return `<h1>${escapeHtml(heading.replace(/^#+ /, ''))}</h1><p>${escapeHtml(text.join(' '))}</p>`;
  }
  const heading = `<h2>${escapeHtml(title)}</h2>`;
  if (source.kind === 'log') {
    const table = tableOf(source.query, day);
    if (view === 'table') return heading + tableView(table, height);
    const values = table.rows
      .map(([hour, value]) => [Number(hour), Number(value)] as const)
      .sort(([a], [b]) => a - b)
      .map(([, value]) => value);
    const lines = [{ label: table.columns[1] ?? '', values }];
    return heading + timeView(lines, { stacked: false, unit, width, height });
  }
  const lines = linesOf(source, day).map((line) => coarser(line, widget.periodSeconds ?? PERIOD_SECONDS));
  if (view === 'number') return heading + numberView(lines, unit, width, height);
  if (view === 'bar') return heading + barView(lines, { unit, width, height });
  return heading + timeView(lines, { stacked: view === 'stacked', unit, width, height });
}

/** Tells whether a picture was drawn from the widgets and data of today. */
export function pictureFingerprint(): string {
  return createHash('sha256').update(dashboardPage()).digest('hex').slice(0, 16);
}

/** @throws Error when there is no Chromium */
export async function drawDashboard(path: string): Promise<void> {
  await inChromium({ colorScheme: 'light' }, async (page) => {
    await page.setViewportSize({ width: GRID * CELL.width, height: 900 });
    await page.setContent(dashboardPage());
    await page.screenshot({ path, fullPage: true });
  });
}

/** The sums of longer periods than the sample's. */
function coarser(line: Line, periodSeconds: number): Line {
  const step = periodSeconds / PERIOD_SECONDS;
  if (step === 1) return line;
  const sums = Array.from({ length: POINTS / step }, (_, index) =>
    line.values.slice(index * step, (index + 1) * step).reduce((sum, value) => sum + value, 0),
  );
  return { label: line.label, values: sums };
}

const STYLE = `
*{box-sizing:border-box;margin:0}
body{position:relative;background:#f2f3f3;font:13px "Amazon Ember","Helvetica Neue","Open Sans","Liberation Sans",Arial,sans-serif;color:#16191f}
header{height:${HEADER - 8}px;background:#fff;border-bottom:1px solid #d5dbdb;display:flex;align-items:center;gap:6px;padding:0 20px}
header b{font-size:17px;margin-right:auto}
header span{padding:5px 11px;border:1px solid #aab7b8;border-radius:3px;background:#fff;font-size:12px;color:#545b64}
header .on{background:#0073bb;border-color:#0073bb;color:#fff;font-weight:700}
header em{font-style:normal;font-size:12px;color:#545b64;margin-left:14px}
section{position:absolute;background:#fff;border:1px solid #d5dbdb;border-radius:4px;padding:9px 13px;overflow:hidden;box-shadow:0 1px 1px rgba(0,28,36,.12)}
section.text{background:none;border:none;box-shadow:none;padding:6px 10px}
h1{font-size:19px;margin-bottom:6px}
p{color:#545b64}
h2{font-size:13.5px;font-weight:700;margin-bottom:7px}
.number h2{margin-bottom:14px}
.big{font-size:36px;font-weight:300;position:relative;letter-spacing:-.5px}
.of{color:#687078;font-size:12px;position:relative;margin-top:2px}
.spark{position:absolute;left:13px;top:40px}
svg{display:block}
.grid{stroke:#e9ebed;stroke-width:1}
.y,.x,.v{font-size:11px;fill:#687078}
.y{text-anchor:end}
.v{text-anchor:middle;fill:#16191f}
.legend{font-size:11.5px;line-height:${17}px;color:#414750}
.legend span{display:inline-block;margin-right:12px;white-space:nowrap}
.legend i{display:inline-block;width:9px;height:9px;border-radius:2px;margin-right:5px}
table{width:100%;border-collapse:collapse;font-size:12px}
th{text-align:left;color:#545b64;font-weight:700;border-bottom:1px solid #d5dbdb;padding:3px 8px 5px 0}
td{border-bottom:1px solid #eff1f1;padding:3px 8px 3px 0;height:22px;white-space:nowrap;font-variant-numeric:tabular-nums}
td.i,th:first-child{color:#95a5a6;width:26px}
`;
