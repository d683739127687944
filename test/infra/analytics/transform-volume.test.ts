import t from 'tap';
import { DeliveryStream } from '../fixtures/delivery-stream.ts';
import { emf, packed, UNREADABLE, unpacked } from '../fixtures/emf.ts';

const AT = Date.UTC(2026, 2, 31, 9, 30, 15, 250);
const TOKENS = 'claude_code.token.usage';

// A bound on a test that hangs: a million records take seconds, on a busy machine more.
t.setTimeout(240_000);

t.test('no record of 1,000,000 and no malformed one of 10,000 is lost', async (t) => {
  const perRecord = 2_525;
  const total = 1_010_000;
  const seen = new Uint8Array(total);
  const labels = {
    'user.email': 'ada@company.example',
    type: 'input',
    model: 'eu.anthropic.claude-sonnet-5',
  };
  const template = emf({ [TOKENS]: 123_456_789 }, labels, AT);
  const [before = '', after = ''] = template.split('123456789');
  const malformed = Object.values(UNREADABLE);
  const isMalformed = (index: number): boolean => index % 101 === 100;
  let failedEvents = 0;
  let rows = 0;
  const stream = new DeliveryStream();
  for (let start = 0; start < total; start += 4 * perRecord) {
    const records = [0, 1, 2, 3].map((part) =>
      packed(
        Array.from({ length: perRecord }, (_, offset) => {
          const index = start + part * perRecord + offset;
          const message = isMalformed(index)
            ? malformed[index % malformed.length]
            : `${before}${index}${after}`;
          return { id: String(index), timestamp: AT, message: message ?? '' };
        }),
      ),
    );
    const { failed } = await stream.deliver(records, 4, (lines) => {
      for (const [, value] of lines.matchAll(/"value":(\d+)/g)) {
        seen[Number(value)] = (seen[Number(value)] ?? 0) + 1;
        rows += 1;
      }
    });
    for (const record of failed) {
      for (const { id } of unpacked(Buffer.from(record, 'base64')).logEvents) {
        seen[Number(id)] = (seen[Number(id)] ?? 0) + 1;
        failedEvents += 1;
      }
    }
  }
  t.equal(rows, 1_000_000);
  t.equal(failedEvents, 10_000);
  t.ok(
    seen.every((times) => times === 1),
    'each exactly once',
  );
});
