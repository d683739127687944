import type { SignInReply } from '../../protocol/api.ts';
import { CcwbError } from '../../protocol/errors.ts';
import { signInOverHttp } from '../../sandbox/browser/browserless.ts';
import { type GoodCallback, MARK, mutatedCallback, SCRIPT } from './callback-request.ts';
import { type DaemonWorld, startDaemonWorld } from './daemon-world.ts';
import { exchange } from './exchange.ts';
import { Failure } from './failure.ts';
import type { Target } from './target.ts';

/** What a sign-in may end with when its callback was tampered with. */
const ENDS: readonly string[] = [
  'ERR_LOGIN_DENIED',
  'ERR_PROVIDER_REJECTED',
  'ERR_PROVIDER_UNREACHABLE',
  'ERR_PROVIDER_INVALID',
  'ERR_ID_TOKEN_INVALID',
];

/** How long the page may take: the code is redeemed and AWS asked first, both on this machine. */
const PAGE_MS = 2_000;

/** Good callbacks, tampered with on their way: only one that still is what the provider gave may sign in. */
export const redeemTarget: Target = {
  name: 'redeem',
  count: 2_000,
  every: 500,
  atOnce: 1,
  open: async () => {
    const world = await startDaemonWorld();
    return {
      run: async (random) => {
        const { signIn, good } = await startSignIn(world);
        const bytes = mutatedCallback(random, good, { wrongState: false });
        const where = { host: '127.0.0.1', port: world.redirectPort };
        const got = await exchange(where, bytes, 'patient', PAGE_MS);
        const end = await endOf(world, signIn);
        if (got.includes(MARK) || got.includes(SCRIPT))
          throw new Failure('a page shows what came in by its address', bytes, got);
        if (end === 'signed-in' && !isUntouched(bytes, good))
          throw new Failure('a callback that was tampered with signed in', bytes, got);
        if (!['signed-in', 'pending', ...ENDS].includes(end))
          throw new Failure(`the sign-in ended with ${end}`, bytes, got);
        await world.signOut('Other');
      },
      check: async () => {
        world.assertWell(await world.planted());
        await world.signIn('Other');
        await world.signOut('Other');
        return world.measure();
      },
      close: world.close,
    };
  },
};

/** Starts a sign-in and goes through the provider's pages up to the redirect back. */
async function startSignIn(world: DaemonWorld): Promise<{ signIn: string; good: GoodCallback }> {
  const started = await world.startSignIn('Other');
  if (!started) throw new Failure('signed in before the sign-in');
  const { callbackUrl = '' } = await signInOverHttp(started.url, {}, { callback: false });
  const parameters = [...new URL(callbackUrl).searchParams] as [string, string][];
  return { signIn: started.signIn, good: { port: world.redirectPort, parameters } };
}

async function endOf(world: DaemonWorld, signIn: string): Promise<string> {
  try {
    const reply = await world.client.ask<SignInReply>({ route: 'awaitSignIn', params: { signIn } });
    return reply.state;
  } catch (error) {
    return error instanceof CcwbError ? error.code : String(error);
  }
}

/**
 * Each parameter that decides is there once, as the provider gave it, and none that speaks of an error; one
 * without a value is as good as absent (RFC 6749 3.1).
 */
function isUntouched(bytes: Buffer, { parameters }: GoodCallback): boolean {
  const target = /\/callback\?\S*/.exec(bytes.toString('latin1'))?.[0] ?? '';
  const given = new URL(target, 'http://localhost').searchParams;
  const same = (name: string): boolean =>
    JSON.stringify(given.getAll(name)) ===
    JSON.stringify(parameters.filter(([each]) => each === name).map(([, value]) => value));
  return ['code', 'state', 'iss'].every(same) && !given.get('error') && !given.get('response');
}
