import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { CcwbError } from '../protocol/errors.ts';
import { BUILD_VERSION } from '../protocol/version.ts';
import { createDrain } from './api/drain.ts';
import { createRouteHandlers } from './api/routes.ts';
import { createApiServer } from './api/server.ts';
import { startRefreshScheduler } from './aws/refresh-scheduler.ts';
import { createContainerEndpoint } from './container/container-endpoint.ts';
import type { DaemonEdges } from './edges.ts';
import { listen, type SocketSource } from './platform/socket.ts';
import { startSocketKeeper } from './platform/socket-keeper.ts';
import { createProfiles } from './profiles/profiles.ts';
import { createLoopbackRedirect } from './sign-in/loopback-redirect.ts';
import { TIMING } from './timing.ts';

export type DaemonOptions = {
  socket: SocketSource;
  configPath: string;
  /** See {@link createContainerEndpoint}. */
  containerTokenPath: string;
  /** Interval of the refresh scheduler in seconds; see {@link startRefreshScheduler}. */
  tickSeconds?: number;
};

export type Daemon = {
  /** Answers the requests in progress, then stops; connections still open after a time limit are cut. */
  stop(): Promise<void>;
  /** Resolves when the daemon has stopped after a drain request. */
  drained: Promise<void>;
};

/**
 * Starts the parts in the order of their dependencies, and stops them in reverse.
 *
 * @throws CcwbError ERR_DAEMON_RUNNING, ERR_SOCKET_UNSAFE. A wrong config.json is an error of the requests
 *   instead, and is read again when it changes.
 */
export async function startDaemon(
  { socket, configPath, containerTokenPath, tickSeconds }: DaemonOptions,
  edges: DaemonEdges,
): Promise<Daemon> {
  const startedAt = edges.clock.now();
  const redirect = createLoopbackRedirect();
  const profiles = createProfiles(configPath, redirect, edges);
  const container = createContainerEndpoint(profiles, containerTokenPath, edges);
  const drain = createDrain(profiles, edges);
  const app = createApiServer(
    createRouteHandlers({
      profiles,
      clock: edges.clock,
      network: edges.network,
      audit: edges.audit,
      container,
      drain: ({ now }) => {
        if (now) profiles.cancelSignIns(stopped());
        return drain.begin();
      },
      startedAt,
      configPath,
    }),
    edges,
  );
  await app.ready();
  const listening = await listen(app.server, socket);
  const keeper = startSocketKeeper(listening, socket, edges.log, () => drain.begin());
  const scheduler = startRefreshScheduler(profiles, edges, tickSeconds, () => {
    void keeper.check();
    void container.sync();
  });
  edges.log('info', 'daemon started', {
    pid: process.pid,
    version: BUILD_VERSION,
    node: process.version,
    config: configPath,
    ...('path' in socket ? { socket: socket.path } : {}),
  });

  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping ??= (async () => {
      await keeper.stop();
      await scheduler.stop();
      await container.stop();
      profiles.cancelSignIns(stopped());
      await close(app.server);
      await profiles.settled();
      await atMost(TIMING.drainMs, redirect.settled());
      await app.close();
      listening.release();
      await edges.audit.settled();
      edges.log('info', 'daemon stopped', { pid: process.pid });
    })();
    return stopping;
  };
  return { stop, drained: drain.stopWhenIdle(stop) };
}

function stopped(): CcwbError {
  return new CcwbError(
    'ERR_LOGIN_CANCELLED',
    'the daemon stopped during the sign-in',
    'run bedrock-auth login',
  );
}

/** Stops listening, and waits a limited time for the requests in progress. */
async function close(server: Server): Promise<void> {
  const cut = setTimeout(() => server.closeAllConnections(), TIMING.drainMs);
  // Fastify closes only a server that it bound itself.
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
  clearTimeout(cut);
}

async function atMost(ms: number, settled: Promise<void>): Promise<void> {
  const done = new AbortController();
  await Promise.race([settled, sleep(ms, undefined, { signal: done.signal }).catch(() => {})]);
  done.abort();
}
