import { IncomingMessage, type ServerResponse } from 'node:http';
import type { KoaContext, Middleware } from 'oidc-provider';
import { applyFault, createFaultBoard, type Fault, type FaultBoard } from '../http/faults.ts';
import { readBody } from '../http/loopback-server.ts';
import { onReply } from '../http/replies.ts';
import { type BadIdToken, spoilIdToken } from './bad-id-token.ts';
import { createProviderCounts, type ProviderCounts } from './counts.ts';
import { createDevicePacing } from './device-pacing.ts';
import { deviceGrantType, endpointOf, type ProviderEndpoint } from './endpoints.ts';
import { createIssuedSecrets, type IssuedSecrets } from './issued-secrets.ts';
import type { SigningKey } from './signing-keys.ts';

/** A token request as it arrived, before anything was done with it. */
export interface TokenRequest {
  readonly grantType: string;
  readonly form: URLSearchParams;
}

export type TokenRequestHook = (request: TokenRequest) => void | Promise<void>;

/** `half`: the first half of the answer was sent; `whole`: all of it was. */
export type TokenReplyHook = (moment: 'half' | 'whole', request: TokenRequest) => void | Promise<void>;

/** Everything that stands between the network and the provider: counting, faults, hooks, spoilt tokens. */
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

export function createProviderFront(options: {
  readonly key: () => SigningKey;
  readonly idTokenOnRefresh: boolean;
  readonly deviceIntervalSeconds: number;
}): ProviderFront {
  const pacing = createDevicePacing(options.deviceIntervalSeconds);
  const inTurn = createTurns();
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

  async function middleware(ctx: KoaContext, next: () => Promise<unknown>): Promise<void> {
    const endpoint = endpointOf(ctx.path);
    const form =
      ctx.method === 'POST' && endpoint !== undefined ? await takeForm(ctx) : new URLSearchParams();
    if (endpoint !== undefined) front.counts.arrived(endpoint, form, ctx.res);
    front.secrets.noteAll(Object.fromEntries(form));
    if (endpoint === 'authorization') front.secrets.noteAll(ctx.query);
    // Inside the pages there is nothing a client could see, so `all` leaves them alone.
    const fault = endpoint === undefined ? undefined : front.faults.take(endpoint);
    const outcome = await applyFault(fault, ctx.req, ctx.res);
    if (outcome === 'answered') {
      ctx.respond = false;
      return;
    }
    if (endpoint === 'token') await token(ctx, form, next);
    else if (endpoint === 'deviceAuthorization') await deviceAuthorization(ctx, next);
    else {
      if (endpoint === 'authorization') askForConsent(ctx);
      await next();
    }
    if (outcome === 'proceed-silently') {
      ctx.respond = false;
      ctx.req.socket.destroy();
    }
  }

  async function token(ctx: KoaContext, form: URLSearchParams, next: () => Promise<unknown>): Promise<void> {
    const grantType = form.get('grant_type') ?? '';
    for (const hook of front.hooks) await hook({ grantType, form });
    if (front.replyHooks.size > 0) sendInHalves(ctx.res, { grantType, form });
    if (grantType === deviceGrantType && pacing.tooSoon(form.get('device_code') ?? '')) {
      ctx.status = 400;
      ctx.body = { error: 'slow_down', error_description: 'polled before the interval was over' };
      return;
    }
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
      ctx.body = { ...answer, id_token: spoilIdToken(answer.id_token, bad, options.key()) };
    }
  }

  function sendInHalves(response: ServerResponse, request: TokenRequest): void {
    onReply(response, async (body, send) => {
      const middle = Math.ceil(body.length / 2);
      await send(body.subarray(0, middle));
      for (const hook of front.replyHooks) await hook('half', request);
      await send(body.subarray(middle), 'last');
      for (const hook of front.replyHooks) await hook('whole', request);
    });
  }

  async function deviceAuthorization(ctx: KoaContext, next: () => Promise<unknown>): Promise<void> {
    await next();
    const answer = ctx.body;
    if (!isRecord(answer) || typeof answer.device_code !== 'string') return;
    pacing.issued(answer.device_code);
    front.secrets.noteAll(answer);
    ctx.body = { ...answer, interval: options.deviceIntervalSeconds };
  }

  return front;
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

/** Reads the body and gives the provider a request that still has it. */
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

/** One at a time: two uses of one refresh token must never both find it unused. */
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
