import t from 'tap';
import { checkProtocol } from '../../../daemon/api/protocol-check.ts';
import { ROUTES } from '../../../protocol/api.ts';
import { CcwbError } from '../../../protocol/errors.ts';
import { PROTOCOL_VERSION, VERSION_HEADER } from '../../../protocol/version.ts';
import { serve } from '../fixtures/api.ts';
import { ask } from '../fixtures/sockets.ts';

function refusal(version: unknown, path: string, current: number): CcwbError | undefined {
  try {
    checkProtocol(version, path, current);
    return undefined;
  } catch (error) {
    if (error instanceof CcwbError) return error;
    throw error;
  }
}

t.test('the current and the previous protocol are served', async (t) => {
  for (const current of [1, 2, 7]) {
    for (const asked of [current, current - 1])
      t.equal(refusal(`${asked}/1.0.0`, ROUTES.status.path, current), undefined, `${asked} by ${current}`);
  }
});

t.test('the error for another protocol says which side to upgrade', async (t) => {
  const newer = refusal('8/2.0.0', ROUTES.status.path, 7);
  t.match(newer, { code: 'ERR_PROTOCOL_VERSION', message: /\(2\.0\.0\) speaks protocol 8, the daemon 7/ });
  t.match(newer?.fix, /bedrock-auth service restart/);
  const older = refusal('5/0.9.0', ROUTES.status.path, 7);
  t.match(older, { code: 'ERR_PROTOCOL_VERSION', message: /\(0\.9\.0\) speaks protocol 5/ });
  t.match(older?.fix, /install\.sh/);
});

t.test('every version serves the version and drain routes', async (t) => {
  for (const { path } of [ROUTES.version, ROUTES.drain])
    for (const asked of ['1/0.1.0', '99/9.0.0']) t.equal(refusal(asked, path, 7), undefined);
});

t.test('a request that names no version, or none of this form, is served', async (t) => {
  for (const version of [undefined, '', 'curl/8.0', ['1/0.1.0', '2/0.2.0']])
    t.equal(refusal(version, ROUTES.status.path, 7), undefined, String(version));
});

t.test('the server checks every request', async (t) => {
  const handlers = { status: async () => ({}), version: async () => VERSION };
  const VERSION = { protocol: 1, build: '0.1.0', pid: 7, startedAt: '2026-01-02T03:04:05Z' };
  const headersOf = (version: string) => ({ host: 'localhost', [VERSION_HEADER]: version });
  const next = await serve(t, handlers, { protocol: PROTOCOL_VERSION + 1 });
  const path = ROUTES.expiration.path.replace(':profile', 'A');
  const asked = async (protocol: number) =>
    (await ask(next.socket, { path, headers: headersOf(`${protocol}/0.1.0`) })).body;
  t.match(await asked(PROTOCOL_VERSION - 1), 'ERR_PROTOCOL_VERSION');
  t.match(await asked(PROTOCOL_VERSION), 'ERR_INTERNAL', 'came to the handler, which the test does not have');
  t.match(await asked(PROTOCOL_VERSION + 1), 'ERR_INTERNAL');
  t.match(await asked(PROTOCOL_VERSION + 2), 'ERR_PROTOCOL_VERSION');
  const version = await ask(next.socket, { headers: headersOf(`${PROTOCOL_VERSION + 2}/9.0.0`) });
  t.equal(version.status, 200);
});
