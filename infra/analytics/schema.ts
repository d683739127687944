/**
 * The one table of the analytics: a row for each measurement and each event of Claude Code. The transform,
 * the Glue table, the delivery stream and the queries are all made from this list.
 */

export type ColumnType = 'timestamp' | 'string' | 'double' | 'bigint';

export type Column = {
  readonly name: string;
  readonly type: ColumnType;
  /** Label of the record it is taken from; absent for the columns that every row has. */
  readonly label?: string;
  readonly comment: string;
};

/** A label's column has its name, dots being underscores. */
function column(label: string, comment: string, type: ColumnType = 'string'): Column {
  return { name: label.replaceAll('.', '_'), type, label, comment };
}

export const COLUMNS: readonly Column[] = [
  { name: 'time', type: 'timestamp', comment: 'when it was measured, UTC' },
  { name: 'kind', type: 'string', comment: 'metric or event' },
  { name: 'name', type: 'string', comment: 'e.g. token.usage, session.count; api_request, api_error' },
  { name: 'value', type: 'double', comment: 'of a metric: tokens, USD, seconds, a count' },
  column('user.email', 'who, as the sign-in says'),
  column('user.id', 'who, as a hash'),
  column('user.name', 'who, for reading'),
  column('session.id', 'one run of Claude Code'),
  column('organization', 'claim of the sign-in'),
  column('department', 'claim of the sign-in'),
  column('team.id', 'claim of the sign-in'),
  column('cost_center', 'claim of the sign-in'),
  column('location', 'claim of the sign-in'),
  column('role', 'claim of the sign-in'),
  column('manager', 'claim of the sign-in'),
  column('aws.account_id', 'account of the collector'),
  column('deployment.environment', 'as configured'),
  column('app.version', 'version of Claude Code'),
  column('terminal.type', 'terminal or editor'),
  column('model', 'model id or inference profile'),
  column('type', 'of tokens: input, output, cacheRead, cacheCreation; of lines: added, removed'),
  column('tool_name', 'tool of an edit decision or result'),
  column('decision', 'accept or reject'),
  column('success', 'of a tool result'),
  column('status_code', 'of an api_error'),
  column('cost_usd', 'of an api_request, as Claude Code computes it', 'double'),
  column('duration_ms', 'of an api_request, api_error or tool_result', 'bigint'),
  column('input_tokens', 'of an api_request', 'bigint'),
  column('output_tokens', 'of an api_request', 'bigint'),
  column('cache_read_tokens', 'of an api_request', 'bigint'),
  column('cache_creation_tokens', 'of an api_request', 'bigint'),
];

/** The day of delivery in UTC, `yyyy-MM-dd`: the folder a row is in. Every query should limit it. */
export const PARTITION = { name: 'day', type: 'string', comment: 'day of delivery, UTC' } as const;

export const TABLE = 'usage';

/** Labels of the record that become text, whatever they were. */
export const TEXT_LABELS = labelsOf('string');

/** Labels that become numbers, whole ones where Parquet wants them. */
export const NUMBER_LABELS = labelsOf('double');
export const INTEGER_LABELS = labelsOf('bigint');

function labelsOf(type: ColumnType): string[] {
  return COLUMNS.flatMap((column) => (column.label && column.type === type ? [column.label] : []));
}
