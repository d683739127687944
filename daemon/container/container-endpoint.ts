import type { Server } from 'node:http';
import { CONTAINER_HOST } from '../../protocol/container-credentials.ts';
import { CcwbError } from '../../protocol/errors.ts';
import type { DaemonEdges } from '../edges.ts';
import { causeOf } from '../platform/log.ts';
import type { Profile } from '../profiles/profile.ts';
import type { Profiles } from '../profiles/profiles.ts';
import { createContainerServer } from './container-server.ts';
import { type ContainerToken, createContainerToken, removeContainerToken } from './container-token.ts';

/** The container credentials endpoint: off unless a profile in config.json names a port. */
export type ContainerEndpoint = {
  /** Opens, changes or closes the port as the profiles demand now, and retries after a failure. Never throws. */
  sync(): Promise<void>;
  /** Returns the reason why the endpoint is not available to a profile that names a port. */
  problemOf(profile: string): { error: CcwbError; at: number } | undefined;
  /** Closes the port and removes the token's file. */
  stop(): Promise<void>;
};

type Open = { port: number; server: Server; token: ContainerToken };

/** @param tokenPath file from which callers read the authorization token. */
export function createContainerEndpoint(
  profiles: Pick<Profiles, 'all'>,
  tokenPath: string,
  edges: Pick<DaemonEdges, 'clock' | 'log' | 'audit'>,
): ContainerEndpoint {
  let open: Open | undefined;
  let problem: { error: CcwbError; at: number } | undefined;
  let changes: Promise<void> = Promise.resolve();

  const wanting = (): Profile[] =>
    profiles.all().filter(({ config }) => config.containerCredentialsPort !== undefined);
  const serves = ({ config }: Profile): boolean => config.containerCredentialsPort === open?.port;

  const close = async (): Promise<void> => {
    const closing = open;
    open = undefined;
    // Before the port is free: callers must not send the token to the next program on it.
    closing?.token.remove();
    await closed(closing?.server);
  };

  const listen = async (port: number): Promise<void> => {
    let token: ContainerToken | undefined;
    const matches = (sent: string): boolean => token?.matches(sent) === true;
    const profile = (name: string): Profile | undefined =>
      wanting().find((candidate) => candidate.config.name === name && serves(candidate));
    const server = createContainerServer(port, { ...edges, profile, token: { matches, remove: () => {} } });
    // This server must not keep the process alive; only the daemon's own socket does.
    server.unref();
    try {
      await listening(server, port);
      // Only after the port is ours: SDKs would send the token to another program there.
      token = createContainerToken(tokenPath);
      open = { port, server, token };
      if (problem) edges.log('info', 'container endpoint open', { port });
      problem = undefined;
    } catch (thrown) {
      await closed(server);
      removeContainerToken(tokenPath);
      if (!problem) edges.log('error', 'container endpoint not open', { port, cause: causeOf(thrown) });
      problem = { error: notOpen(port, thrown), at: edges.clock.now() };
    }
  };

  return {
    sync: () => {
      changes = changes.then(async () => {
        // One port for the one token: a second port could belong to a program that steals it.
        const port = wanting()[0]?.config.containerCredentialsPort;
        if (open && open.port !== port) await close();
        if (port === undefined) {
          problem = undefined;
          // A killed daemon's token is invalid, but callers would send it to any program on that port.
          removeContainerToken(tokenPath);
        } else if (!open) await listen(port);
      });
      return changes;
    },
    problemOf: (name) => {
      const profile = wanting().find(({ config }) => config.name === name);
      if (!profile || serves(profile)) return undefined;
      return problem ?? (open && { error: anotherPort(open.port), at: edges.clock.now() });
    },
    stop: () => {
      changes = changes.then(close);
      return changes;
    },
  };
}

function listening(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: CONTAINER_HOST, port, exclusive: true }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function closed(server: Server | undefined): Promise<void> {
  if (!server?.listening) return;
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function notOpen(port: number, thrown: unknown): CcwbError {
  const code = (thrown as NodeJS.ErrnoException).code ?? 'unknown error';
  return new CcwbError(
    'ERR_CONTAINER_PORT',
    `container credentials cannot be served on port ${port} (${code})`,
    `find who has the port with "lsof -nP -iTCP:${port}", or set container_credentials_port to another one`,
    { cause: thrown },
  );
}

function anotherPort(port: number): CcwbError {
  return new CcwbError(
    'ERR_CONTAINER_PORT',
    `another profile has container credentials on port ${port}; all of them share one port`,
    `set container_credentials_port to ${port}`,
  );
}
