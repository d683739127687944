import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDaemonClient } from '../../protocol/client.ts';
import { CcwbError, loginRequired } from '../../protocol/errors.ts';
import { Failure } from './failure.ts';
import { havoc } from './havoc.ts';
import { mutatedJson } from './json.ts';
import { measured } from './measure.ts';
import type { Random } from './random.ts';
import type { Target } from './target.ts';

/** A caller's patience here: enough for a reply on this machine, little for one that never comes. */
const ANSWER_MS = 500;

/** When such a caller must have been told, in milliseconds, on a machine that does other work too. */
const BOUND_MS = 20_000;

const BODIES: readonly unknown[] = [
  { valid: true, expiration: '2026-01-02T03:04:05Z' },
  {
    state: 'pending',
    signIn: 'id',
    url: 'https://idp.example/',
    openPage: true,
    expiresAt: '2026-01-02T03:04:05Z',
  },
  loginRequired().toBody(),
  new CcwbError('ERR_AWS_DENIED', 'message', 'fix').toBody(),
];

/** What the shims make of whatever answers on the socket in the daemon's place. */
export const clientTarget: Target = {
  name: 'client',
  count: 20_000,
  every: 5_000,
  atOnce: 16,
  open: async () => {
    const directory = await mkdtemp(join(tmpdir(), 'ccwb-fuzz-'));
    const path = join(directory, 's');
    const replies = new Map<string, { bytes: Buffer; ending: Ending }>();
    const open = new Set<Socket>();
    const server = createServer((socket) => {
      open.add(socket);
      socket.once('close', () => open.delete(socket));
      socket.on('error', () => {});
      socket.once('data', (chunk) => {
        const id = /\/profiles\/(\w+)\//.exec(chunk.toString('latin1'))?.[1] ?? '';
        const { bytes, ending } = replies.get(id) ?? { bytes: Buffer.alloc(0), ending: 'close' };
        socket.write(bytes, () => {
          if (ending === 'close') socket.end();
          if (ending === 'cut') socket.destroy();
        });
      });
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const client = createDaemonClient(path);
    let serial = 0;
    return {
      run: async (random) => {
        serial += 1;
        const profile = `p${serial}`;
        const { bytes, ending } = reply(random);
        replies.set(profile, { bytes, ending });
        const asked = random.chance(0.5)
          ? client.ask({ route: 'expiration', params: { profile }, answerMs: ANSWER_MS })
          : client.ask({
              route: 'signIn',
              params: { profile },
              body: { automatic: true },
              answerMs: ANSWER_MS,
            });
        await judge(asked, bytes);
        replies.delete(profile);
      },
      check: async () => {
        for (const socket of open) socket.destroy();
        while (open.size > 0) await new Promise((resolve) => setTimeout(resolve, 10));
        return measured();
      },
      close: async () => {
        for (const socket of open) socket.destroy();
        await new Promise((resolve) => server.close(resolve));
        await rm(directory, { recursive: true, force: true });
      },
    };
  },
};

type Ending = 'close' | 'cut' | 'open';

function reply(random: Random): { bytes: Buffer; ending: Ending } {
  const odd = (probability: number): boolean => random.chance(probability);
  const body = odd(0.003)
    ? `"${'x'.repeat(1_100_000)}"`
    : odd(0.7)
      ? mutatedJson(random.pick(BODIES), random)
      : JSON.stringify(random.pick(BODIES));
  const status = random.pick([
    200, 200, 200, 401, 400, 500, 503, 100, 101, 103, 204, 206, 301, 304, 408, 0, 99, 999,
  ]);
  const length = odd(0.15) ? random.below(3 * body.length + 2) : Buffer.byteLength(body);
  const framing = odd(0.15)
    ? `Transfer-Encoding: chunked\r\n\r\n${odd(0.2) ? 'zz' : body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
    : `Content-Length: ${length}\r\n\r\n${body}`;
  const extra = odd(0.2)
    ? random.pick([
        'Connection: close\r\n',
        'Connection: upgrade\r\nUpgrade: x\r\n',
        'Content-Encoding: gzip\r\n',
        'Content-Length: 3\r\n',
        'Location: http://evil.example/\r\n',
        'X: a\0b\r\n',
        'X\r\n',
        `X: ${'y'.repeat(20_000)}\r\n`,
      ])
    : '';
  const interim = odd(0.05) ? 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(random.below(50)) : '';
  const version = odd(0.05) ? random.pick(['HTTP/1.0', 'HTTP/2', 'HTTP/0.9', 'ICY', '']) : 'HTTP/1.1';
  const bytes = Buffer.from(`${interim}${version} ${status} ${odd(0.1) ? '' : 'X'}\r\n${extra}${framing}`);
  const ending = odd(0.1) ? 'cut' : odd(0.02) ? 'open' : 'close';
  return {
    bytes: odd(0.3) && bytes.length < 60_000 ? havoc(bytes, random, random.below(4) + 1) : bytes,
    ending,
  };
}

/** An answer in time, and when it is an error, one of ours. */
async function judge(asked: Promise<unknown>, sent: Buffer): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Failure(`no answer after ${BOUND_MS} ms`, sent)), BOUND_MS);
  });
  try {
    const value = await Promise.race([asked, late]);
    if (value === undefined) throw new Failure('an answer of nothing', sent);
  } catch (error) {
    if (error instanceof Failure) throw error;
    if (!(error instanceof CcwbError)) throw new Failure('an error that is not ours', sent, String(error));
    if (typeof error.message !== 'string' || typeof error.fix !== 'string')
      throw new Failure('an error without text', sent);
  } finally {
    clearTimeout(timer);
  }
}
