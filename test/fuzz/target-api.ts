import { mutatedApiRequest } from './api-request.ts';
import { judgeReplies } from './api-rules.ts';
import { PROFILES, startDaemonWorld } from './daemon-world.ts';
import { exchange, type Manner } from './exchange.ts';
import type { Random } from './random.ts';
import type { Target } from './target.ts';

/** Raw bytes to the daemon's API over its Unix socket. */
export const apiTarget: Target = {
  name: 'api',
  count: 800_000,
  every: 20_000,
  atOnce: 96,
  open: async () => {
    const world = await startDaemonWorld();
    let planted = await world.planted();
    let signIn = (await world.startSignIn('Other'))?.signIn ?? '';
    return {
      run: async (random) => {
        const bytes = mutatedApiRequest(random, { profiles: PROFILES, signIn });
        const got = await exchange({ path: world.socket }, bytes, mannerOf(random));
        judgeReplies(bytes, got, PROFILES, planted);
      },
      check: async () => {
        world.assertWell(planted);
        // Some of what was sent were requests in order, to sign out for one.
        await world.signIn('ClaudeCode');
        signIn = (await world.startSignIn('Other'))?.signIn ?? '';
        planted = await world.planted();
        return world.measure();
      },
      close: world.close,
    };
  },
};

function mannerOf(random: Random): Manner {
  if (random.chance(0.0003)) return 'silent';
  return random.chance(0.1) ? 'hurried' : 'patient';
}
