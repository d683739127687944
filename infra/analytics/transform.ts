import { INTEGER_LABELS, NUMBER_LABELS, TEXT_LABELS } from './schema.ts';

/** Limit of CloudFormation for inline code in a template, in characters. */
export const INLINE_CODE_MAX_CHARACTERS = 4_096;

const join = (labels: readonly string[]): string => `'${labels.join(' ')}'`;

/**
 * The function between the log groups and the delivery stream, as it stands in the template: CommonJS, for
 * the runtime's own libraries. Each record of the stream is a gzip of many log events (CloudWatch's
 * "subscription filter" format) and becomes lines of JSON, one for each row of the table.
 *
 * Nothing is lost: a record that cannot be read fails as a whole, and the stream keeps it under the error
 * prefix. Of one that can be read in part, the unreadable events are sent to the stream again in a record
 * of their own, which then fails; likewise what would make the answer too large is sent again, in two
 * halves if it is one record. If that cannot be done the whole record fails. So rows may come twice after
 * a fault, but never go missing.
 */
export const TRANSFORM_CODE = `const { gunzipSync, gzipSync } = require('node:zlib');
const { FirehoseClient, PutRecordBatchCommand } = require('@aws-sdk/client-firehose');

const columns = (labels) => labels.split(' ').map((label) => [label, label.replaceAll('.', '_')]);
const TEXT = columns(${join(TEXT_LABELS)});
const DOUBLE = columns(${join(NUMBER_LABELS)});
const INTEGER = columns(${join(INTEGER_LABELS)});
const MAX_ANSWER = 5.5e6; // Lambda: 6 MB
const MAX_PUT = 3.5e6; // Firehose: 4 MiB
const client = new FirehoseClient();

function row(kind, name, ms, value, labels) {
  const time = new Date(ms).toISOString().replace('T', ' ').slice(0, -1);
  const out = { time, kind, name: name.replace('claude_code.', ''), value };
  const take = (columns, as) => {
    for (const [label, column] of columns) if (labels[label] != null) out[column] = as(labels[label]);
  };
  take(TEXT, String);
  take(DOUBLE, Number);
  take(INTEGER, Math.round);
  return JSON.stringify(out) + '\\n';
}

// Throws for what is not Claude Code's.
function rows({ message, timestamp }) {
  const record = JSON.parse(message);
  const { attributes, resource, _aws } = record;
  if (attributes) return row('event', attributes['event.name'], timestamp, null, { ...resource, ...attributes });
  const names = Object.keys(record).filter((key) => key.startsWith('claude_code.'));
  if (!names.length || names.some((name) => typeof record[name] !== 'number')) throw 0;
  record.tool_name ??= record.tool;
  return names.map((name) => row('metric', name, _aws?.Timestamp ?? timestamp, record[name], record)).join('');
}

// Result, what to send again, rows.
function read(data, room) {
  const raw = Buffer.from(data, 'base64');
  const envelope = JSON.parse(gunzipSync(raw));
  const pack = (logEvents) => gzipSync(JSON.stringify({ ...envelope, logEvents }));
  const events = envelope.logEvents;
  if (envelope.messageType === 'CONTROL_MESSAGE' || !events.length) return ['Dropped'];
  const bad = [];
  let text = '';
  for (const event of events) {
    try {
      text += rows(event);
    } catch {
      bad.push(event);
    }
  }
  if (!text) return ['ProcessingFailed'];
  const out = Buffer.from(text).toString('base64');
  if (out.length <= room) return ['Ok', bad.length ? [pack(bad)] : [], out];
  if (out.length <= MAX_ANSWER) return ['Dropped', [raw]];
  const half = events.length >> 1;
  return half ? ['Dropped', [pack(events.slice(0, half)), pack(events.slice(half))]] : ['ProcessingFailed'];
}

async function put(DeliveryStreamName, batch) {
  for (let tried = 0; batch.length && tried < 4; tried++) {
    await new Promise((wake) => setTimeout(wake, tried * 100));
    const Records = batch.map(({ Data }) => ({ Data }));
    const command = new PutRecordBatchCommand({ DeliveryStreamName, Records });
    const reply = await client.send(command).catch(() => 0);
    if (reply) batch = batch.filter((_, i) => reply.RequestResponses[i].ErrorCode);
  }
  for (const { answer } of batch) Object.assign(answer, { result: 'ProcessingFailed', data: undefined });
}

exports.handler = async ({ deliveryStreamArn, records }) => {
  let room = MAX_ANSWER;
  let batch = [];
  let bytes = 0;
  const batches = [batch];
  const answers = records.map(({ recordId, data }) => {
    let done = ['ProcessingFailed'];
    try {
      done = read(data, room);
    } catch {}
    const answer = { recordId, result: done[0], data: done[2] };
    room -= 200 + (answer.data?.length ?? 0);
    for (const Data of done[1] ?? []) {
      bytes += Data.length;
      if (bytes > MAX_PUT || batch.length === 500) {
        batches.push((batch = []));
        bytes = Data.length;
      }
      batch.push({ Data, answer });
    }
    return answer;
  });
  for (const each of batches) await put(deliveryStreamArn.split('/')[1], each);
  return { records: answers };
};
`;
