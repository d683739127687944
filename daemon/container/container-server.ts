import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { rfc3339 } from '../../protocol/api.ts';
import {
  CONTAINER_HOST,
  type ContainerCredentials,
  type ContainerError,
  profileInPath,
} from '../../protocol/container-credentials.ts';
import { asCcwbError, CcwbError, loginRequired } from '../../protocol/errors.ts';
import type { AuditLog } from '../api/audit-log.ts';
import { LIMITS } from '../api/connections.ts';
import { createDisclose } from '../api/disclosure.ts';
import type { CorrectedClock } from '../platform/clock.ts';
import { causeOf, type Log } from '../platform/log.ts';
import type { Profile } from '../profiles/profile.ts';
import type { ContainerToken } from './container-token.ts';

/** Headers of web pages, which may not use this endpoint. A program's `fetch` sends none of them. */
const WEB_HEADERS = ['origin', 'referer', 'sec-fetch-site'] as const;

/** Most connections at once; callers are a few programs of one user. */
const CONNECTIONS = 64;

type ContainerServerDependencies = {
  /** Returns the profile of that name if its configuration enables the endpoint. */
  profile(name: string): Profile | undefined;
  token: ContainerToken;
  clock: CorrectedClock;
  log: Log;
  audit: AuditLog;
};

/**
 * Creates the server of the container credentials endpoint, not yet listening. It answers only from memory:
 * SDKs wait for just one second.
 */
export function createContainerServer(port: number, dependencies: ContainerServerDependencies): Server {
  const reply = createReplies(port, dependencies);
  const server = createServer(
    {
      maxHeaderSize: LIMITS.headerBytes,
      requestTimeout: LIMITS.requestMs,
      headersTimeout: LIMITS.requestMs,
      connectionsCheckingInterval: LIMITS.checkMs,
      // refuseForeignRequests checks the header, with an error of ours.
      requireHostHeader: false,
    },
    (request, response) => {
      const left = new AbortController();
      response.once('close', () => left.abort());
      reply(request, left.signal).then(
        (credentials) => send(response, 200, credentials),
        (thrown: unknown) => {
          const { status, body } = asCcwbError(thrown).toReply();
          const { code, message, fix } = body.error;
          if (code === 'ERR_INTERNAL')
            dependencies.log('error', 'defect', { route: 'container-credentials', cause: causeOf(thrown) });
          send(response, status, { code, message: `${message}; ${fix}` });
        },
      );
    },
  );
  server.maxConnections = CONNECTIONS;
  server.maxRequestsPerSocket = 1;
  return server;
}

function createReplies(port: number, { profile, token, clock, audit }: ContainerServerDependencies) {
  const disclose = createDisclose(audit);
  return async (request: IncomingMessage, signal: AbortSignal): Promise<ContainerCredentials> => {
    refuseForeignRequests(request, port);
    const sent = request.headersDistinct.authorization;
    if (sent?.length !== 1 || !token.matches(sent[0] ?? ''))
      throw refused('the authorization token is wrong');
    const name = profileInPath(request.url ?? '');
    const found = name === undefined ? undefined : profile(name);
    if (!found) throw noSuchProfile();
    const { config, credentials, session } = found;
    const given = await disclose(
      { profile: config, what: 'container-credentials', peer: undefined, signal },
      async () => {
        const current = credentials.peek();
        // Due credentials are refreshed for the next caller; this one does not wait.
        credentials.get().catch(() => {});
        if (current) return current;
        throw session.view().signedIn ? notYet() : loginRequired();
      },
      ({ accessKeyId }) => accessKeyId,
    );
    return {
      AccessKeyId: given.accessKeyId,
      SecretAccessKey: given.secretAccessKey,
      Token: given.sessionToken,
      Expiration: rfc3339(clock.local(given.expiresAt)),
    };
  };
}

/** Refuses web pages and other hosts, before the token is checked: a page must not learn if a token is right. */
function refuseForeignRequests({ method, headersDistinct: headers }: IncomingMessage, port: number): void {
  const web = WEB_HEADERS.find((name) => headers[name] !== undefined);
  if (web !== undefined) throw refused(`requests with a ${web} header are refused`);
  // Excludes foreign host names whose DNS points here (DNS rebinding).
  const hosts = [CONTAINER_HOST, 'localhost'].flatMap((host) => [host, `${host}:${port}`]);
  const named = headers.host?.length === 1 && hosts.includes(headers.host[0]?.toLowerCase() ?? '');
  if (!named) throw refused(`requests must be for the host ${CONTAINER_HOST} or localhost`);
  if (method !== 'GET') throw refused('there is nothing but GET');
}

function refused(why: string): CcwbError {
  return new CcwbError(
    'ERR_REQUEST_REFUSED',
    why,
    'set the two variables that bedrock-auth env --container prints',
  );
}

function noSuchProfile(): CcwbError {
  return new CcwbError(
    'ERR_NOT_FOUND',
    'no such path, or the profile has no container_credentials_port',
    'set the two variables that bedrock-auth env --container prints',
  );
}

function notYet(): CcwbError {
  return new CcwbError('ERR_REFRESH_PENDING', 'credentials are being fetched', 'try again in a few seconds');
}

/** Sends a reply. Without CORS headers, pages of other origins cannot read it. */
function send(response: ServerResponse, status: number, body: ContainerCredentials | ContainerError): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    connection: 'close',
  });
  response.end(text);
}
