import type { Random } from './random.ts';

/** What parsers of requests, URLs and JSON have been known to trip over. */
const TOKENS = [
  '\r\n',
  '\n',
  '\r',
  '\0',
  '\r\n\r\n',
  ' ',
  '\t',
  ':',
  '%',
  '%00',
  '%0d%0a',
  '%2e%2e%2f',
  '%2F',
  '%c0%af',
  '%ff',
  '%u0041',
  '../',
  '//',
  '\\',
  '?',
  '#',
  '&',
  '=',
  ';',
  '"',
  '{',
  '}',
  '[',
  ']',
  ',',
  '\\u0000',
  '\\ud800',
  '\u00e9',
  '\ufeff',
  '\u{1f511}',
  '0',
  '-1',
  '99999999999999999999',
  '1e999',
  'null',
  'true',
  '__proto__',
  'constructor',
  'GET / HTTP/1.1\r\n',
  'host: localhost\r\n',
  'Content-Length: 5\r\n',
  'Transfer-Encoding: chunked\r\n',
  '0\r\n\r\n',
] as const;
const BUFFERS = TOKENS.map((token) => Buffer.from(token));

/** No mutation makes an input longer than this, in bytes: the limits under test are far below. */
const MOST_BYTES = 65_536;

/** Changes bytes without regard to what they mean, `times` times. */
export function havoc(bytes: Buffer, random: Random, times: number): Buffer {
  let changed = bytes;
  for (let time = 0; time < times; time += 1) changed = once(changed, random);
  return changed.subarray(0, MOST_BYTES);
}

function once(bytes: Buffer, random: Random): Buffer {
  const at = random.below(bytes.length + 1);
  const length = Math.min(random.below(random.chance(0.1) ? 512 : 8) + 1, bytes.length - at);
  switch (random.below(8)) {
    case 0:
      return replaced(bytes, at, 1, Buffer.from([(bytes[at] ?? 0) ^ (1 << random.below(8))]));
    case 1:
      return replaced(bytes, at, 1, Buffer.from([random.below(256)]));
    case 2:
      return replaced(bytes, at, length, Buffer.alloc(0));
    case 3:
      return replaced(bytes, at, 0, bytes.subarray(at, at + length));
    case 4:
      return replaced(bytes, at, 0, random.pick(BUFFERS));
    case 5: {
      const token = random.pick(BUFFERS);
      return replaced(bytes, at, token.length, token);
    }
    case 6: {
      const from = random.below(bytes.length + 1);
      return replaced(bytes, at, 0, bytes.subarray(from, from + length));
    }
    default:
      return random.chance(0.2)
        ? bytes.subarray(0, at)
        : replaced(
            bytes,
            at,
            0,
            Buffer.alloc(random.below(random.chance(0.05) ? 20_000 : 40), bytes[at] ?? 65),
          );
  }
}

function replaced(bytes: Buffer, at: number, length: number, by: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), by, bytes.subarray(at + length)]);
}
