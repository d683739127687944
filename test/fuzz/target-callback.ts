import { resultPage } from '../../daemon/sign-in/result-page.ts';
import { mayBeAwaited, mutatedCallback } from './callback-request.ts';
import { type DaemonWorld, startDaemonWorld } from './daemon-world.ts';
import { exchange } from './exchange.ts';
import { Failure } from './failure.ts';
import { readReplies } from './http-reply.ts';
import type { Target } from './target.ts';

/** Callbacks of every kind but the awaited one, while a sign-in waits: none may end it or redeem a code. */
export const callbackTarget: Target = {
  name: 'callback',
  count: 300_000,
  every: 20_000,
  atOnce: 64,
  open: async () => {
    const world = await startDaemonWorld();
    let waiting = await startWaiting(world);
    return {
      run: async (random) => {
        const parameters: [string, string][] = [
          ['code', 'a-code-that-nobody-gave'],
          ['state', waiting.state],
          ['iss', world.provider.issuer],
        ];
        const good = { port: world.redirectPort, parameters };
        const bytes = mutatedCallback(random, good, { wrongState: true });
        if (mayBeAwaited(bytes, waiting.state)) return;
        const host = random.chance(0.5) ? '127.0.0.1' : '::1';
        const manner = random.chance(0.0003) ? 'silent' : random.chance(0.1) ? 'hurried' : 'patient';
        judgeRefusal(bytes, await exchange({ host, port: world.redirectPort }, bytes, manner));
      },
      check: async () => {
        world.assertWell(await world.planted());
        const redeemed = world.provider.counts.codeExchanges - waiting.redeemed;
        if (redeemed !== 0) throw new Failure(`${redeemed} codes were redeemed`);
        const still = await world.startSignIn('Other');
        if (!still?.url.includes(waiting.state)) throw new Failure('the sign-in under way has ended');
        await world.signIn('Other');
        await world.signOut('Other');
        waiting = await startWaiting(world);
        return world.measure();
      },
      close: world.close,
    };
  },
};

/** Starts a sign-in: the state that its callback must have, and how many codes were redeemed before it. */
async function startWaiting(world: DaemonWorld): Promise<{ state: string; redeemed: number }> {
  const redeemed = world.provider.counts.codeExchanges;
  const { url = '' } = (await world.startSignIn('Other')) ?? {};
  return { state: new URL(url).searchParams.get('state') ?? '', redeemed };
}

/** The one page for whatever was not awaited: the same bytes for everybody. */
const UNKNOWN = resultPage({ outcome: 'unknown' });

/** @throws Failure unless every reply is that page, or a plain refusal of what is no request */
export function judgeRefusal(sent: Buffer, got: Buffer): void {
  try {
    for (const { status, headers, body } of readReplies(got, sent.includes('HEAD'))) {
      const ours = headers.get('content-security-policy') === UNKNOWN.contentSecurityPolicy;
      const page = body.length === 0 || body.toString() === UNKNOWN.html;
      if (ours ? status !== 400 || !page : status < 400 || status > 499 || body.length > 0)
        throw new Error(`status ${status}`);
    }
  } catch (error) {
    throw new Failure(`not the page for an unknown callback: ${(error as Error).message}`, sent, got);
  }
}
