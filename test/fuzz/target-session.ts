import { parseStoredSession, type StoredSession } from '../../daemon/session/stores/secret-store.ts';
import { Failure } from './failure.ts';
import { havoc } from './havoc.ts';
import { mutatedJson } from './json.ts';
import { measured } from './measure.ts';
import type { Target } from './target.ts';

const SESSION: StoredSession = {
  version: 1,
  refreshToken: 'a-refresh-token',
  subject: '00u1',
  user: 'ada@example.com',
};

/** What a keyring or a session file gives back after something else has written there. */
export const sessionTarget: Target = {
  name: 'session',
  count: 200_000,
  every: 50_000,
  atOnce: 1,
  open: async () => ({
    run: (random) => {
      const json = mutatedJson(SESSION, random);
      const text = random.chance(0.3)
        ? havoc(Buffer.from(json), random, random.below(4) + 1).toString()
        : json;
      const found = parseStoredSession(text);
      if (found === undefined) return;
      const { version, refreshToken, subject, user, ...rest } = found;
      const texts = typeof refreshToken === 'string' && typeof subject === 'string';
      const named = user === null || typeof user === 'string';
      if (version !== 1 || !texts || !named || Object.keys(rest).length > 0)
        throw new Failure('a session that must not be', text, JSON.stringify(found));
    },
    check: async () => measured(),
    close: async () => {},
  }),
};
