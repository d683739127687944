import { Readable } from 'node:stream';
import t from 'tap';
import { probeAddresses } from '../../../daemon/platform/probe.ts';
import type { Fetch } from '../../../network/transport.ts';
import { CcwbError } from '../../../protocol/errors.ts';
import { PROBE_BODY_LENGTH, type Probe } from '../../../protocol/probe.ts';

/** What is printed for these addresses, by address. */
async function probed(fetch: Fetch, ...addresses: string[]): Promise<Record<string, Probe>> {
  let output = '';
  await probeAddresses(fetch, Readable.from(addresses), {
    write: (text: string) => {
      output += text;
      return true;
    },
  });
  const lines = output.split('\n').filter(Boolean);
  return Object.fromEntries(lines.map((line) => [JSON.parse(line).url, JSON.parse(line)]));
}

t.test('a reply is reported with its status, time and start of its body', async (t) => {
  const asked: unknown[] = [];
  const fetch = (async (url: string, init: RequestInit) => {
    asked.push([url, init.redirect]);
    const headers: Record<string, string> = url.endsWith('dated')
      ? { date: 'Fri, 02 Jan 2026 03:04:05 GMT' }
      : {};
    return new Response('x'.repeat(PROBE_BODY_LENGTH + 1), { status: 418, headers });
  }) as Fetch;
  const found = await probed(fetch, 'https://a.example/dated', '', 'https://b.example/');
  t.strictSame(asked, [
    ['https://a.example/dated', 'manual'],
    ['https://b.example/', 'manual'],
  ]);
  t.match(found['https://a.example/dated'], { status: 418, date: Date.UTC(2026, 0, 2, 3, 4, 5) });
  t.match(found['https://b.example/'], { status: 418, date: null });
  t.match(found['https://b.example/'], { body: 'x'.repeat(PROBE_BODY_LENGTH) });
});

t.test('a failure is reported with its innermost code and without foreign text', async (t) => {
  const refused = Object.assign(new Error('secret'), { code: 'ECONNREFUSED' });
  const failures: Record<string, unknown> = {
    'https://refused.example/': new TypeError('fetch failed', { cause: new AggregateError([refused]) }),
    'https://slow.example/': new DOMException('secret', 'TimeoutError'),
    'https://odd.example/': 'secret',
    'https://settings.example/': new CcwbError('ERR_CONFIG_INVALID', 'network.json: wrong', 'correct it'),
  };
  const fetch = (async (url: string) => {
    throw failures[url];
  }) as unknown as Fetch;
  const found = await probed(fetch, ...Object.keys(failures));
  t.strictSame(found, {
    'https://refused.example/': { url: 'https://refused.example/', code: 'ECONNREFUSED', message: null },
    'https://slow.example/': { url: 'https://slow.example/', code: 'ETIMEDOUT', message: null },
    'https://odd.example/': { url: 'https://odd.example/', code: 'unknown', message: null },
    'https://settings.example/': {
      url: 'https://settings.example/',
      code: 'ERR_CONFIG_INVALID',
      message: 'network.json: wrong',
    },
  });
});
