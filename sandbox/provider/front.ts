import { IncomingMessage, type ServerResponse } from 'node:http';
import type { KoaContext, Middleware } from 'oidc-provider';
import { applyFault, createFaultBoard, type Fault, type FaultBoard } from '../http/faults.ts';
import { readBody } from '../http/loopback-server.ts';
import { onReply } from '../http/replies.ts';
import { type BadIdToken, spoilIdToken } from './bad-id-token.ts';
import { createProviderCounts, type ProviderCounts } from './counts.ts';
import { createDevicePacing, type DevicePacing } from './device-pacing.ts';
import { createDevicePkce, type DevicePkce } from './device-pkce.ts';
import { deviceGrantType, endpointOf, type ProviderEndpoint } from './endpoints.ts';
import { createIssuedSecrets, type IssuedSecrets } from './issued-secrets.ts';
import type { SigningKey } from './signing-keys.ts';

/** A token request, before it is handled. */
export interface TokenRequest {
  readonly grantType: string;
  readonly form: URLSearchParams;
}

export type TokenRequestHook = (request: TokenRequest) => void | Promise<void>;

/** Called after a part of the reply was sent. `half`: the first half; `whole`: all of it. */
export type TokenReplyHook = (moment: 'half' | 'whole', request: TokenRequest) => void | Promise<void>;

/** The layer between the network and the provider: counts, faults, hooks and spoilt tokens. */
export interface ProviderFront {
  readonly middleware: Middleware;
  readonly counts: ProviderCounts;
  readonly faults: FaultBoard<ProviderEndpoint, Fault>;
  readonly hooks: Set<TokenRequestHook>;
  readonly replyHooks: Set<TokenReplyHook>;
  readonly badIdTokens: FaultBoard<'idToken', BadIdToken>;
  readonly secrets: IssuedSecrets;
  idTokenOnRefresh: boolean;
}

interface ProviderFrontOptions {
  readonly key: () => SigningKey;
  readonly idTokenOnRefresh: boolean;
  readonly deviceIntervalSeconds: number;
}

/** Handles a request to one endpoint, around the provider's own handling of it. */
type EndpointHandler = (
  ctx: KoaContext,
  form: URLSearchParams,
  next: () => Promise<unknown>,
) => Promise<void>;

/** Creates the front of one provider. */
export function createProviderFront(options: ProviderFrontOptions): ProviderFront {
  const pacing = createDevicePacing(options.deviceIntervalSeconds);
  const pkce = createDevicePkce();
  const front: ProviderFront = {
    middleware,
    counts: createProviderCounts(),
    faults: createFaultBoard(),
    hooks: new Set(),
    replyHooks: new Set(),
    badIdTokens: createFaultBoard(),
    secrets: createIssuedSecrets(),
    idTokenOnRefresh: options.idTokenOnRefresh,
  };
  const handleToken = createTokenHandler(front, pacing, pkce, options.key);

  async function middleware(ctx: KoaContext, next: () => Promise<unknown>): Promise<void> {
    const endpoint = endpointOf(ctx.path);
    const form =
      ctx.method === 'POST' && endpoint !== undefined ? await takeForm(ctx) : new URLSearchParams();
    if (endpoint !== undefined) front.counts.arrived(endpoint, form, ctx.res);
    front.secrets.noteAll(Object.fromEntries(form));
    if (endpoint === 'authorization') front.secrets.noteAll(ctx.query);
    // A fault for `all` does not affect the pages: clients do not request them.
    const fault = endpoint === undefined ? undefined : front.faults.take(endpoint);
    const outcome = await applyFault(fault, ctx.req, ctx.res);
    if (outcome === 'answered') {
      ctx.respond = false;
      return;
    }
    if (endpoint === 'token') await handleToken(ctx, form, next);
    else if (endpoint === 'deviceAuthorization') await deviceAuthorization(ctx, form, next);
    else {
      if (endpoint === 'authorization') askForConsent(ctx);
      await next();
    }
    if (outcome === 'proceed-silently') {
      ctx.respond = false;
      ctx.req.socket.destroy();
    }
  }

  async function deviceAuthorization(
    ctx: KoaContext,
    form: URLSearchParams,
    next: () => Promise<unknown>,
  ): Promise<void> {
    await next();
    const answer = ctx.body;
    if (!isRecord(answer) || typeof answer.device_code !== 'string' || !pkce.accepts(ctx, form)) return;
    pacing.issued(answer.device_code);
    pkce.issued(answer.device_code, form);
    front.secrets.noteAll(answer);
    ctx.body = { ...answer, interval: options.deviceIntervalSeconds };
  }

  return front;
}

/** Creates the handler of token requests: hooks, polling interval, PKCE of devices, counts, spoilt ID tokens. */
function createTokenHandler(
  front: ProviderFront,
  pacing: DevicePacing,
  pkce: DevicePkce,
  key: () => SigningKey,
): EndpointHandler {
  const inTurn = createTurns();
  return async (ctx, form, next) => {
    const grantType = form.get('grant_type') ?? '';
    for (const hook of front.hooks) await hook({ grantType, form });
    if (front.replyHooks.size > 0) sendInHalves(ctx.res, { grantType, form }, front.replyHooks);
    if (grantType === deviceGrantType && pacing.tooSoon(form.get('device_code') ?? '')) {
      ctx.status = 400;
      ctx.body = { error: 'slow_down', error_description: 'polled before the interval was over' };
      return;
    }
    if (grantType === deviceGrantType && !pkce.verifies(ctx, form)) return;
    await inTurn(next);
    const answer = ctx.body;
    if (!isRecord(answer)) return;
    front.counts.answered(form, answer);
    front.secrets.noteAll(answer);
    if (typeof answer.id_token !== 'string') return;
    const bad = front.badIdTokens.take('idToken');
    if (grantType === 'refresh_token' && !front.idTokenOnRefresh) {
      const { id_token: _, ...rest } = answer;
      ctx.body = rest;
    } else if (bad !== undefined) {
      ctx.body = { ...answer, id_token: spoilIdToken(answer.id_token, bad, key()) };
    }
  };
}

/** Sends the reply in two halves and awaits the hooks after each. */
function sendInHalves(response: ServerResponse, request: TokenRequest, hooks: Set<TokenReplyHook>): void {
  onReply(response, async (body, send) => {
    const middle = Math.ceil(body.length / 2);
    await send(body.subarray(0, middle));
    for (const hook of hooks) await hook('half', request);
    await send(body.subarray(middle), 'last');
    for (const hook of hooks) await hook('whole', request);
  });
}

/**
 * oidc-provider grants offline_access only with prompt=consent (OpenID Connect Core §11);
 * Okta, Entra ID and Auth0 grant it to a company's own clients without.
 */
function askForConsent(ctx: KoaContext): void {
  const { scope, prompt } = ctx.query;
  if (prompt === 'none' || !String(scope).split(' ').includes('offline_access')) return;
  const prompts = new Set([...String(prompt ?? '').split(' '), 'consent'].filter((word) => word !== ''));
  ctx.query = { ...ctx.query, prompt: [...prompts].join(' ') };
}

/** Reads the body, and replaces the request with one whose body can be read again. */
async function takeForm(ctx: KoaContext): Promise<URLSearchParams> {
  const { req } = ctx;
  const body = await readBody(req);
  const replay = new IncomingMessage(req.socket);
  const { method, url, headers, rawHeaders, httpVersion } = req;
  Object.assign(replay, { method, url, headers, rawHeaders, httpVersion, complete: true });
  replay.push(body);
  replay.push(null);
  ctx.req = replay;
  ctx.request.req = replay;
  return new URLSearchParams(body.toString());
}

/** Runs tasks one at a time: concurrent uses of one refresh token must not both find it unused. */
function createTurns(): (work: () => Promise<unknown>) => Promise<void> {
  let last: Promise<unknown> = Promise.resolve();
  return async (work) => {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    await turn;
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Buffer.isBuffer(value);
}
