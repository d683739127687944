/** The daemon's real core in this process, on the simulated computer: everything but its edges and its socket. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRouteHandlers } from '../../daemon/api/routes.ts';
import { startRefreshScheduler } from '../../daemon/aws/refresh-scheduler.ts';
import type { DaemonEdges } from '../../daemon/edges.ts';
import { type CorrectedClock, createCorrectedClock } from '../../daemon/platform/clock.ts';
import type { Log } from '../../daemon/platform/log.ts';
import { createProfiles } from '../../daemon/profiles/profiles.ts';
import { createCredentialLocks } from '../../daemon/session/credential-lock.ts';
import type { SecretStore } from '../../daemon/session/stores/secret-store.ts';
import { sessionKey } from '../../daemon/session/stores/secret-store.ts';
import { createSessionFileStore } from '../../daemon/session/stores/session-file-store.ts';
import { createLoopbackRedirect } from '../../daemon/sign-in/loopback-redirect.ts';
import type { Fetch } from '../../network/transport.ts';
import type { Credentials } from '../../protocol/api.ts';
import { loadConfig } from '../../protocol/config.ts';
import { CcwbError } from '../../protocol/errors.ts';
import { memoryAudit, noLegacyTokens, noProxy } from '../support/daemon-edges.ts';
import type { Random } from '../support/random.ts';
import { poolOf } from './aws.ts';
import { BROKEN_ISSUER, never } from './faults.ts';
import type { Internet } from './internet.ts';
import { PROFILES, type ProfileName } from './plan.ts';
import { CLIENT_ID, ISSUER, SUBJECT } from './provider.ts';
import type { SimulatedTime } from './simulated-time.ts';

export type Core = {
  /** Returns the reply of `GET /v1/profiles/{profile}/credentials`. @throws CcwbError */
  ask(profile: ProfileName): Promise<Credentials>;
  signedIn(profile: ProfileName): boolean;
  /** In [-1, 1]: how much earlier (or later) than usual each profile renews its credentials. */
  jitters: Readonly<Record<ProfileName, number>>;
  stop(): Promise<void>;
  /** Ends it like `kill -9`: nothing it began ends, and its timers are gone. */
  kill(): Promise<void>;
};

export type CoreWorld = {
  directory: string;
  time: SimulatedTime;
  internet: Internet;
  random: Random;
  log: Log;
};

export function startCore(world: CoreWorld): Core {
  const { directory, internet, log } = world;
  const clock = createCorrectedClock(Date.now, () => performance.now(), log);
  const outlet = internet.outlet(clock.observe);
  const { edges, drawn, kill } = createEdges(world, clock, outlet.fetch);
  const configPath = join(directory, 'config.json');
  const profiles = createProfiles(configPath, createLoopbackRedirect(), edges);
  // Each credential cache draws one number when it is created, in the order of the file.
  const jitters = Object.fromEntries(PROFILES.map((name, index) => [name, (drawn[index] ?? 0) * 2 - 1]));
  const handlers = createRouteHandlers({
    profiles,
    clock,
    network: noProxy,
    audit: edges.audit,
    container: { problemOf: () => undefined },
    drain: () => ({ state: 'ending' }),
    startedAt: clock.now(),
    configPath,
  });
  const scheduler = startRefreshScheduler(profiles, edges);

  return {
    jitters: jitters as Record<ProfileName, number>,
    ask: async (profile) => {
      const request = {
        params: { profile, signIn: '' },
        query: { wait: 0, canOpenPage: false },
        body: undefined,
        peer: undefined,
        signal: new AbortController().signal,
      };
      return (await handlers.credentials(request)) as Credentials;
    },
    signedIn: (profile) => profiles.get(profile).session.view().signedIn,
    stop: async () => {
      await scheduler.stop();
      profiles.cancelSignIns(new CcwbError('ERR_LOGIN_CANCELLED', 'the daemon stopped', 'sign in'));
      await profiles.settled();
      outlet.cut();
    },
    kill: async () => {
      outlet.cut();
      kill();
      // The timers of a process end with it.
      await scheduler.stop();
    },
  };
}

/** Creates the edges of a process that can be killed: then no use of its session store ends. */
function createEdges(
  { directory, time, random, log }: CoreWorld,
  clock: CorrectedClock,
  fetch: Fetch,
): { edges: DaemonEdges; drawn: readonly number[]; kill(): void } {
  let killed = false;
  const held = new Set<() => void>();
  const drawn: number[] = [];
  const store = createSessionFileStore(directory);
  const locks = createCredentialLocks(join(directory, 'sessions'));
  const unlessKilled = <T>(action: () => Promise<T>): Promise<T> =>
    killed ? never() : time.working(action).then((value) => (killed ? never() : value));

  const edges: DaemonEdges = {
    clock,
    fetch,
    network: noProxy,
    log,
    audit: memoryAudit(),
    random: () => {
      const value = random.next();
      drawn.push(value);
      return value;
    },
    legacyTokens: noLegacyTokens,
    createStore: (): SecretStore => ({
      ...store,
      read: (key) => unlessKilled(() => store.read(key)),
      write: (key, session) => unlessKilled(() => store.write(key, session)),
      remove: (key) => unlessKilled(() => store.remove(key)),
    }),
    createLocks: () => async (key, waitMs) => {
      const release = await locks(key, waitMs);
      held.add(release);
      return () => {
        if (held.delete(release)) release();
      };
    },
  };
  const kill = (): void => {
    killed = true;
    // The kernel releases the locks of a process that ends.
    for (const release of held) release();
    held.clear();
  };
  return { edges, drawn, kill };
}

/** Writes the configuration and the sessions of a user who signed in before the week. */
export async function prepare({ directory, time, internet }: CoreWorld): Promise<void> {
  const fields = (profile: ProfileName, issuer: string) => ({
    issuer,
    client_id: CLIENT_ID,
    aws_region: poolOf(profile).region,
    identity_pool_id: poolOf(profile).id,
    credential_storage: 'session',
  });
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const configPath = join(directory, 'config.json');
  const profiles = Object.fromEntries(
    PROFILES.map((name) => [name, fields(name, name === 'Broken' ? BROKEN_ISSUER : ISSUER)]),
  );
  writeFileSync(configPath, JSON.stringify({ profiles }));
  const store = createSessionFileStore(directory);
  for (const [name, refreshToken] of [
    ['ClaudeCode', internet.provider.signIn()],
    ['Broken', `rt-${randomUUID()}`],
  ] as const) {
    const profile = loadConfig(configPath).profiles.get(name);
    if (!profile) throw new Error(`${name} is not configured`);
    const session = { version: 1, refreshToken, subject: SUBJECT, user: 'ada@example.com' } as const;
    await time.working(() => store.write(sessionKey(profile), session));
  }
}
