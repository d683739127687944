/** Events of CloudFormation as lines: short ones on a terminal, complete ones in a pipe. */
import type { StackEvent } from '../aws/cloudformation-types.ts';
import type { AdminEdges } from '../edges.ts';
import { paragraph, typeWords } from '../terminal/text.ts';

/** Verbs of CloudFormation's statuses, by their beginning. */
const VERBS: readonly (readonly [start: string, going: string, done: string])[] = [
  ['UPDATE_ROLLBACK_COMPLETE_CLEANUP', 'cleaning up', 'cleaned up'],
  ['UPDATE_ROLLBACK', 'rolling back', 'rolled back'],
  ['UPDATE_COMPLETE_CLEANUP', 'cleaning up', 'cleaned up'],
  ['ROLLBACK', 'rolling back', 'rolled back'],
  ['CREATE', 'creating', 'created'],
  ['UPDATE', 'updating', 'updated'],
  ['DELETE', 'deleting', 'deleted'],
  ['IMPORT', 'importing', 'imported'],
];

/** Width of the column of verbs; only the rarest are longer. */
const VERB_WIDTH = 'create FAILED'.length;

export type Progress = {
  event(event: StackEvent): void;
  /** Shows the time since the last event; on a terminal only, until the next line. */
  waiting(ms: number): void;
  note(text: string): void;
  end(): void;
};

export function showProgress(stackName: string, edges: AdminEdges): Progress {
  const { columns } = edges;
  let transient = false;
  // CloudFormation reports the start of a resource twice: before and after the service accepted the request.
  const going = new Set<string>();
  const clear = (): void => {
    if (transient) edges.writeError('\r\u001b[2K');
    transient = false;
  };
  return {
    event(event) {
      clear();
      if (columns === undefined) return edges.writeError(plainLine(stackName, event));
      const key = `${event.logicalId} ${event.status}`;
      if (going.has(key) && event.status.endsWith('_IN_PROGRESS')) return;
      going.add(key);
      edges.writeError(tidyLines(event, columns));
    },
    waiting(ms) {
      if (columns === undefined) return;
      clear();
      edges.writeError(`  … CloudFormation is at work, nothing new for ${Math.round(ms / 1000)} s`);
      transient = true;
    },
    note(text) {
      clear();
      edges.writeError(paragraph(text, columns));
    },
    end: clear,
  };
}

/** Formats every field of an event in one line. */
function plainLine(stackName: string, event: StackEvent): string {
  const at = new Date(event.at).toISOString().replace(/\.\d+Z$/, 'Z');
  const reason = event.reason === undefined ? '' : ` ${event.reason}`;
  return `${at} ${stackName} ${event.logicalId} ${event.type} ${event.status}${reason}\n`;
}

function tidyLines(event: StackEvent, columns: number): string {
  const at = new Date(event.at).toTimeString().slice(0, 8);
  const what = event.ofStack ? `stack ${event.logicalId}` : `${event.logicalId} (${typeWords(event.type)})`;
  const line = paragraph(what, columns, `  ${at}  ${verb(event.status).padEnd(VERB_WIDTH)}  `);
  // The reason of a successful event repeats its status.
  if (event.reason === undefined || !isTrouble(event.status)) return line;
  return `${line}${paragraph(event.reason, columns, ' '.repeat(12))}`;
}

function verb(status: string): string {
  if (status === 'DELETE_SKIPPED') return 'kept';
  if (status === 'REVIEW_IN_PROGRESS') return 'planned';
  const found = VERBS.find(([start]) => status.startsWith(start));
  if (!found) return status.toLowerCase();
  const [start, going, done] = found;
  if (status.endsWith('_FAILED')) return `${start.split('_').at(-1)?.toLowerCase()} FAILED`;
  return status.endsWith('_IN_PROGRESS') ? going : done;
}

export function isTrouble(status: string): boolean {
  return status.endsWith('_FAILED') || status.includes('ROLLBACK');
}
