/** Views of CloudWatch, drawn as SVG and HTML: near enough to know one's way around the real ones. */
import type { Widget } from '../../infra/dashboard/widget-source.ts';
import type { Line, Table } from './dashboard-evaluate.ts';
import { POINTS } from './dashboard-sample.ts';

const COLOURS = ['#0073bb', '#ec7211', '#1d8102', '#b5478f', '#6b40b2', '#00a1b2', '#c33d69', '#7d8998'];

type Unit = Widget['unit'];

export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Shortens a number like CloudWatch: 12.3M, 4.56k. */
export function short(value: number): string {
  const magnitude = Math.abs(value);
  for (const [limit, suffix] of [
    [1e9, 'B'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const) {
    if (magnitude >= limit) return `${Number((value / limit).toPrecision(3))}${suffix}`;
  }
  return String(magnitude >= 100 ? Math.round(value) : Number(value.toPrecision(3)));
}

function withUnit(value: number, unit: Unit): string {
  if (unit === 'USD') return `$${short(value)}`;
  return unit === '%' ? `${value.toFixed(1)} %` : short(value);
}

/** Value of the whole time range. */
function totalOf({ values }: Line): number {
  return values[POINTS] ?? values.slice(0, POINTS).reduce((sum, value) => sum + value, 0);
}

export function numberView(lines: readonly Line[], unit: Unit, width: number, height: number): string {
  return lines
    .map((line) => {
      const values = line.values.slice(0, POINTS);
      const top = Math.max(...values, 1e-9);
      const points = hourly(values).map(
        (value, hour, all) =>
          `${((hour / (all.length - 1)) * width).toFixed(1)},${(height - 6 - (value / (top * sumFactor(unit))) * 34).toFixed(1)}`,
      );
      const spark = `<svg class="spark" width="${width}" height="${height}"><polyline points="${points.join(' ')}" fill="none" stroke="${COLOURS[0]}" stroke-width="1.5" opacity=".55"/></svg>`;
      return `${spark}<div class="big">${escapeHtml(withUnit(totalOf(line), unit))}</div><div class="of">${escapeHtml(line.label)}</div>`;
    })
    .join('');
}

/** Each hour's highest point. */
function hourly(values: readonly number[]): number[] {
  return Array.from({ length: 24 }, (_, hour) => Math.max(...values.slice(hour * 12, hour * 12 + 12), 0));
}

function sumFactor(unit: Unit): number {
  return unit === '%' ? 1.15 : 1;
}

export function tableView({ columns, rows }: Table, height: number): string {
  const visible = Math.max(1, Math.floor((height - 34) / 22));
  const head = ['#', ...columns].map((name) => `<th>${escapeHtml(name)}</th>`).join('');
  const body = rows.slice(0, visible).map((row, index) => {
    const cells = row.map((cell) =>
      typeof cell === 'number'
        ? `<td class="n">${Number.isInteger(cell) ? cell : cell.toFixed(4)}</td>`
        : `<td>${escapeHtml(cell)}</td>`,
    );
    return `<tr><td class="i">${index + 1}</td>${cells.join('')}</tr>`;
  });
  return `<table><thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table>`;
}

const MARGIN = { left: 46, right: 12, top: 8, bottom: 20 };
const LEGEND_LINE = 17;

export function timeView(
  lines: readonly Line[],
  { stacked, unit, width, height }: { stacked: boolean; unit: Unit; width: number; height: number },
): string {
  const shown = lines.slice(0, COLOURS.length);
  const length = shown[0]?.values.length ?? 0;
  const count = length > POINTS ? POINTS : length;
  const { html, lines: legendLines } = legend(shown, width);
  const chart = { width, height: height - legendLines * LEGEND_LINE - 4 };
  const inner = {
    width: chart.width - MARGIN.left - MARGIN.right,
    height: chart.height - MARGIN.top - MARGIN.bottom,
  };
  const base = new Array<number>(count).fill(0);
  const areas = shown.map(({ values }) => {
    const from = stacked ? [...base] : base;
    const to = Array.from({ length: count }, (_, index) => (from[index] ?? 0) + (values[index] ?? 0));
    if (stacked) for (const [index, value] of to.entries()) base[index] = value;
    return { from, to };
  });
  const top = niceTop(Math.max(...areas.flatMap(({ to }) => to), 1e-9));
  const x = (index: number): string => (MARGIN.left + (index / (count - 1)) * inner.width).toFixed(1);
  const y = (value: number): string => (MARGIN.top + inner.height * (1 - value / top)).toFixed(1);
  const drawn = areas.map(({ from, to }, index) => {
    const line = to.map((value, at) => `${x(at)},${y(value)}`).join(' ');
    const colour = COLOURS[index];
    if (!stacked) return `<polyline points="${line}" fill="none" stroke="${colour}" stroke-width="1.6"/>`;
    const under = from.map((value, at) => `${x(at)},${y(value)}`).reverse();
    return `<polygon points="${line} ${under.join(' ')}" fill="${colour}" opacity=".82"/>`;
  });
  return `<svg width="${chart.width}" height="${chart.height}">${axes(top, unit, inner, y)}${drawn.reverse().join('')}</svg>${html}`;
}

function axes(
  top: number,
  unit: Unit,
  inner: { width: number; height: number },
  y: (value: number) => string,
): string {
  const levels = [0, 0.5, 1].map((part) => {
    const at = y(top * part);
    const label = unit === '%' ? short(top * part) : withUnit(top * part, unit);
    return `<line x1="${MARGIN.left}" x2="${MARGIN.left + inner.width}" y1="${at}" y2="${at}" class="grid"/><text x="${MARGIN.left - 6}" y="${Number(at) + 4}" class="y">${label}</text>`;
  });
  const times = [0, 6, 12, 18, 24].map((hour) => {
    const at = MARGIN.left + (hour / 24) * inner.width;
    const text = `${String(hour % 24).padStart(2, '0')}:00`;
    const anchor = hour === 24 ? 'end' : 'middle';
    return `<text x="${at.toFixed(1)}" y="${MARGIN.top + inner.height + 15}" class="x" text-anchor="${anchor}">${text}</text>`;
  });
  return levels.join('') + times.join('');
}

function niceTop(value: number): number {
  const magnitude = 10 ** Math.floor(Math.log10(value));
  return ([1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((step) => step * magnitude >= value * 1.02) ?? 10) * magnitude;
}

/** Labels below a chart, as many to a line as fit. */
function legend(lines: readonly Line[], width: number): { html: string; lines: number } {
  let used = 0;
  let rows = 1;
  for (const { label } of lines) {
    const needed = 22 + label.length * 6.3;
    if (used + needed > width - 16 && used > 0) {
      rows += 1;
      used = 0;
    }
    used += needed;
  }
  const entries = lines.map(
    ({ label }, index) => `<span><i style="background:${COLOURS[index]}"></i>${escapeHtml(label)}</span>`,
  );
  return { html: `<div class="legend">${entries.join('')}</div>`, lines: rows };
}

export function barView(
  lines: readonly Line[],
  { unit, width, height }: { unit: Unit; width: number; height: number },
): string {
  const shown = lines.slice(0, COLOURS.length);
  const { html, lines: legendLines } = legend(shown, width);
  const tall = height - legendLines * LEGEND_LINE - 4;
  const top = niceTop(Math.max(...shown.map(totalOf), 1e-9));
  const inner = { width: width - MARGIN.left - MARGIN.right, height: tall - MARGIN.top - 12 };
  const slot = inner.width / Math.max(shown.length, 1);
  const y = (value: number): string => (MARGIN.top + inner.height * (1 - value / top)).toFixed(1);
  const bars = shown.map((line, index) => {
    const at = MARGIN.left + slot * (index + 0.18);
    const value = totalOf(line);
    const barWidth = Math.min(slot * 0.64, 64);
    const left = at + (slot * 0.64 - barWidth) / 2;
    const bar = `<rect x="${left.toFixed(1)}" y="${y(value)}" width="${barWidth.toFixed(1)}" height="${(MARGIN.top + inner.height - Number(y(value))).toFixed(1)}" rx="2" fill="${COLOURS[index]}"/>`;
    return `${bar}<text x="${(left + barWidth / 2).toFixed(1)}" y="${Number(y(value)) - 4}" class="v">${withUnit(value, unit)}</text>`;
  });
  const grid = [0, 0.5, 1].map(
    (part) =>
      `<line x1="${MARGIN.left}" x2="${MARGIN.left + inner.width}" y1="${y(top * part)}" y2="${y(top * part)}" class="grid"/><text x="${MARGIN.left - 6}" y="${Number(y(top * part)) + 4}" class="y">${withUnit(top * part, unit)}</text>`,
  );
  return `<svg width="${width}" height="${tall}">${grid.join('')}${bars.join('')}</svg>${html}`;
}
