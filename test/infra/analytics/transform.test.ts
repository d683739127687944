import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { COLUMNS } from '../../../infra/analytics/schema.ts';
import { DeliveryStream } from '../fixtures/delivery-stream.ts';
import { ADA, emf, eventRecord, type LogEvent, packed, UNREADABLE, unpacked } from '../fixtures/emf.ts';

const AT = Date.UTC(2026, 2, 31, 9, 30, 15, 250);
const TIME = '2026-03-31 09:30:15.250';
const TOKENS = 'claude_code.token.usage';

let ids = 0;
function event(message: string, timestamp = AT): LogEvent {
  ids += 1;
  return { id: String(ids), timestamp, message };
}

/** Who and where, as columns. */
const WHO = Object.fromEntries(
  Object.entries(ADA).map(([label, value]) => [label.replaceAll('.', '_'), value]),
);

t.test('a metric becomes a row with a column for each label', async (t) => {
  const labels = { ...ADA, model: 'eu.anthropic.claude-sonnet-5', type: 'input' };
  const { rows, failed } = await new DeliveryStream().deliver(
    [packed([event(emf({ [TOKENS]: 1_234 }, labels, AT))])],
    1,
  );
  t.strictSame(failed, []);
  t.strictSame(rows, [
    {
      time: TIME,
      kind: 'metric',
      name: 'token.usage',
      value: 1_234,
      ...WHO,
      model: 'eu.anthropic.claude-sonnet-5',
      type: 'input',
    },
  ]);
});

t.test('metrics that share a record become a row each', async (t) => {
  const values = { 'claude_code.commit.count': 2, 'claude_code.pull_request.count': 1 };
  const { rows } = await new DeliveryStream().deliver([packed([event(emf(values, ADA, AT))])], 1);
  t.strictSame(
    rows.map(({ name, value }) => [name, value]),
    [
      ['commit.count', 2],
      ['pull_request.count', 1],
    ],
  );
});

t.test('an event becomes a row with its numbers and without its texts', async (t) => {
  const attributes = {
    model: 'eu.anthropic.claude-sonnet-5',
    cost_usd: '0.0125',
    duration_ms: 2_345.6,
    input_tokens: '12',
    output_tokens: 34,
    cache_read_tokens: '56000',
    cache_creation_tokens: 0,
    prompt: 'never to be kept',
    error: 'nor this',
  };
  const { rows } = await new DeliveryStream().deliver(
    [packed([event(eventRecord('api_request', attributes))])],
    1,
  );
  t.strictSame(rows, [
    {
      time: TIME,
      kind: 'event',
      name: 'api_request',
      value: null,
      ...WHO,
      model: 'eu.anthropic.claude-sonnet-5',
      cost_usd: 0.0125,
      duration_ms: 2_346,
      input_tokens: 12,
      output_tokens: 34,
      cache_read_tokens: 56_000,
      cache_creation_tokens: 0,
    },
  ]);
});

t.test('rows hold columns of the table and no other', async (t) => {
  const known = new Set(COLUMNS.map(({ name }) => name));
  const { rows } = await new DeliveryStream().deliver(
    [
      packed([
        event(
          emf({ 'claude_code.code_edit_tool.decision': 1 }, { ...ADA, tool: 'Edit', decision: 'accept' }, AT),
        ),
        event(eventRecord('tool_result', { tool_name: 'Bash', success: true, duration_ms: 5 })),
      ]),
    ],
    1,
  );
  for (const row of rows) for (const name of Object.keys(row)) t.ok(known.has(name), name);
  t.match(rows, [{ tool_name: 'Edit' }, { tool_name: 'Bash', success: 'true' }]);
});

t.test('control messages and empty records are dropped, not failed', async (t) => {
  const { rows, failed } = await new DeliveryStream().deliver(
    [packed([event('CWL CONTROL MESSAGE')], 'CONTROL_MESSAGE'), packed([])],
    2,
  );
  t.strictSame([rows, failed], [[], []]);
});

t.test('an event that cannot be read ends under the error prefix, its neighbours in the table', async (t) => {
  for (const [what, message] of Object.entries(UNREADABLE)) {
    const good = event(emf({ [TOKENS]: 1 }, ADA, AT));
    const bad = event(message);
    const { rows, failed } = await new DeliveryStream().deliver([packed([good, bad, good])], 1);
    t.equal(rows.length, 2, what);
    t.equal(failed.length, 1, what);
    t.strictSame(unpacked(Buffer.from(failed[0] ?? '', 'base64')).logEvents, [bad], what);
  }
});

t.test('a record that cannot be read at all ends under the error prefix as it came', async (t) => {
  const broken = [
    Buffer.from('no gzip').toString('base64'),
    gzipSync('no JSON').toString('base64'),
    gzipSync('{"messageType":"DATA_MESSAGE"}').toString('base64'),
    packed([event('x'), event('y')]),
    '',
  ];
  const { rows, failed } = await new DeliveryStream().deliver(broken, broken.length);
  t.strictSame(rows, []);
  t.strictSame(failed, broken);
});

/** Events whose labels do not compress, as far as that goes. */
function bulky(count: number): LogEvent[] {
  return Array.from({ length: count }, (_, index) => {
    const labels = { ...ADA, 'user.name': randomBytes(150).toString('hex') };
    return event(emf({ [TOKENS]: index }, labels, AT));
  });
}

t.test('an answer over the limit is split over several calls', async (t) => {
  const batches = Array.from({ length: 4 }, () => bulky(2_500));
  const { rows, failed, invocations } = await new DeliveryStream().deliver(
    batches.map((each) => packed(each)),
    4,
  );
  t.strictSame(failed, []);
  t.equal(rows.length, 10_000);
  t.ok(invocations > 1, `${invocations} invocations`);
});

t.test('a record over the limit is halved until it fits', async (t) => {
  const events = Array.from({ length: 20_000 }, (_, index) => event(emf({ [TOKENS]: index }, ADA, AT)));
  const { rows, failed } = await new DeliveryStream().deliver([packed(events)], 1);
  t.strictSame(failed, []);
  t.equal(new Set(rows.map(({ value }) => value)).size, 20_000);
});

t.test('a record that the stream throttles is sent again', async (t) => {
  const stream = new DeliveryStream();
  let calls = 0;
  stream.refuse = () => {
    calls += 1;
    return calls <= 2;
  };
  const { rows, failed } = await stream.deliver(
    [packed([event('x'), event(emf({ [TOKENS]: 1 }, ADA, AT))])],
    1,
  );
  t.equal(rows.length, 1);
  t.equal(failed.length, 1);
  t.equal(calls, 3);
});

t.test('a record that cannot be sent again fails as a whole and is kept', async (t) => {
  for (const refuse of [
    () => true,
    () => {
      throw new Error('no network');
    },
  ]) {
    const stream = new DeliveryStream();
    stream.refuse = refuse;
    const record = packed([event('x'), event(emf({ [TOKENS]: 1 }, ADA, AT))]);
    const { rows, failed } = await stream.deliver([record], 1);
    t.strictSame(rows, []);
    t.strictSame(failed, [record]);
  }
});
