/** The table at the end of a test. */
import type { AdminEdges } from '../edges.ts';
import { paragraph } from '../terminal/text.ts';
import type { StepReport } from './steps.ts';

const RESULT_WIDTH = 'skipped'.length + 2;
const TIME_WIDTH = '12.3s'.length;

/** Errors stand on lines of their own, indented, since they are long. */
const INDENT = '    ';

export function formatResultTable(
  rows: readonly StepReport[],
  { columns }: Pick<AdminEdges, 'columns'>,
): string {
  const width = Math.max(...rows.map(({ step }) => step.length)) + 2;
  const cells = (step: string, result: string, time: string): string =>
    `${step.padEnd(width)}${result.padEnd(RESULT_WIDTH)}${time.padStart(TIME_WIDTH)}`;
  const lines = rows.map(({ step, result, seconds, detail, fix, code }) => {
    const first = cells(step, result, result === 'skipped' ? '' : `${seconds.toFixed(1)}s`);
    if (result !== 'failed') return paragraph(detail, columns, `${first}  `);
    const problem = paragraph(`${detail} (${code})`, columns, INDENT);
    return `${first}\n${problem}${paragraph(fix ?? '', columns, `${INDENT}fix: `)}`;
  });
  return `${cells('step', 'result', 'time')}\n${lines.join('')}`;
}
