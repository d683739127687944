import { CompactSign, exportJWK, generateKeyPair, type JWTPayload } from 'jose';
import { type AuthorizationSecrets, createOidcClient } from '../../daemon/oidc/oidc-client.ts';
import { LostReply, UnexplainedRefusal } from '../../daemon/oidc/provider-errors.ts';
import type { Tokens } from '../../daemon/oidc/tokens.ts';
import { rfc3339 } from '../../protocol/api.ts';
import { CcwbError, errorLines } from '../../protocol/errors.ts';
import { Failure } from './failure.ts';
import { havoc } from './havoc.ts';
import { mutatedJson } from './json.ts';
import { measured } from './measure.ts';
import type { Random } from './random.ts';
import type { Target } from './target.ts';

const ISSUER = 'https://idp.example';
const SUBJECT = '00u1';
const SECRETS: AuthorizationSecrets = {
  state: 'the-state',
  nonce: 'the-nonce',
  codeVerifier: 'v'.repeat(43),
};

/** In every reply; in no error. */
const PLANTED = 'planted-in-a-reply';

const DISCOVERY = {
  issuer: ISSUER,
  authorization_endpoint: `${ISSUER}/authorize`,
  token_endpoint: `${ISSUER}/token`,
  jwks_uri: `${ISSUER}/jwks`,
  revocation_endpoint: `${ISSUER}/revoke`,
  response_types_supported: ['code'],
  id_token_signing_alg_values_supported: ['ES256'],
  code_challenge_methods_supported: ['S256'],
  authorization_response_iss_parameter_supported: true,
};

/** Everything that a provider answers, through the real client: discovery, keys, tokens, and the claims in them. */
export const tokensTarget: Target = {
  name: 'tokens',
  count: 50_000,
  every: 10_000,
  atOnce: 4,
  open: async () => {
    const sign = await signer();
    return {
      run: async (random) => {
        const reply = await makeReply(random, sign);
        const provider = fakeProvider(random, reply, sign.jwks);
        const profile = {
          identityProvider: { providerType: 'generic', issuer: ISSUER, loginKey: 'idp.example' },
          clientId: 'client',
          clientSecret: undefined,
          scopes: ['openid', 'offline_access'],
        } as const;
        const client = createOidcClient(profile, {
          fetch: provider.fetch,
          clock: { skewMs: () => 0, inDoubt: () => false },
        });
        const action = random.below(10);
        if (action === 0)
          await judge(client.startAuthorization('http://localhost:8400/callback'), provider.seen);
        else if (action === 1) await judge(client.revoke('spent'), provider.seen);
        else if (action < 5) {
          const callback = `http://localhost:8400/callback?code=c&state=the-state&iss=${encodeURIComponent(ISSUER)}`;
          judgeTokens(
            await judge(client.redeemCode(new URL(callback), SECRETS), provider.seen),
            reply,
            provider.seen,
          );
        } else {
          const rotated: unknown[] = [];
          const refreshed = client.refresh('spent', SUBJECT, async (token) => void rotated.push(token));
          judgeTokens(await judge(refreshed, provider.seen), reply, provider.seen);
          if (rotated.some((token) => typeof token !== 'string'))
            throw new Failure('no text to be stored', provider.seen());
        }
      },
      check: async () => measured(),
      close: async () => {},
    };
  },
};

type Signer = { jwks: unknown; sign(claims: string, header: Record<string, unknown>): Promise<string> };

async function signer(): Promise<Signer> {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  return {
    jwks: { keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256', use: 'sig' }] },
    sign: (claims, header) =>
      new CompactSign(Buffer.from(claims))
        .setProtectedHeader({ alg: 'ES256', kid: 'k', ...header })
        .sign(privateKey),
  };
}

/** A body for the token endpoint; `signed` has the claims of its ID token as they were signed. */
type TokenReply = { body: string; idToken: string; signed: string };

async function makeReply(random: Random, { sign }: Signer): Promise<TokenReply> {
  const now = Math.floor(Date.now() / 1_000);
  const claims = {
    iss: ISSUER,
    aud: 'client',
    sub: SUBJECT,
    iat: now,
    exp: now + 3_600,
    nonce: 'the-nonce',
    email: PLANTED,
  };
  const signed = random.chance(0.5) ? mutatedJson(claims, random) : JSON.stringify(claims);
  let idToken = random.chance(0.03)
    ? unsecured(signed)
    : await sign(signed, random.chance(0.02) ? { kid: 'other' } : {});
  if (random.chance(0.1)) idToken = havoc(Buffer.from(idToken), random, 1).toString('latin1');
  const error = random.pick(['invalid_grant', 'invalid_client', 'odd\u001b[2J', 'x'.repeat(3_000), '']);
  const fields = {
    access_token: PLANTED,
    token_type: 'Bearer',
    expires_in: 3600,
    refresh_token: 'rotated',
    ...(random.chance(0.9) ? { id_token: idToken } : {}),
    ...(random.chance(0.1) ? { error, error_description: PLANTED } : {}),
  };
  let body = random.chance(0.5) ? JSON.stringify(fields) : mutatedJson(fields, random);
  if (random.chance(0.1)) body = havoc(Buffer.from(body), random, 2).toString('latin1');
  return { body, idToken, signed };
}

function unsecured(claims: string): string {
  return `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(claims).toString('base64url')}.`;
}

/** A provider on the other side of `fetch`, whose documents and statuses are sometimes wrong. */
function fakeProvider(
  random: Random,
  { body }: TokenReply,
  jwks: unknown,
): { fetch: typeof fetch; seen(): string } {
  const documents = new Map<string, string>([
    ['/.well-known/openid-configuration', document(random, DISCOVERY)],
    ['/jwks', document(random, jwks)],
    ['/token', body],
    ['/revoke', random.chance(0.5) ? '' : body],
  ]);
  const answered: string[] = [];
  const odd = (): boolean => random.chance(0.1);
  return {
    fetch: async (input) => {
      const { pathname } = new URL(String(input instanceof Request ? input.url : input));
      if (random.chance(0.01)) throw new TypeError('fetch failed');
      const content = documents.get(pathname) ?? PLANTED;
      const bad = content.includes('"error"') && random.chance(0.7);
      const status = odd()
        ? random.pick([200, 201, 302, 400, 401, 403, 404, 429, 500, 503])
        : bad
          ? 400
          : 200;
      const type = odd()
        ? random.pick(['text/html', 'application/jwt', '', 'application/json; charset=x', 'APPLICATION/JSON'])
        : 'application/json';
      const headers: Record<string, string> = type === '' ? {} : { 'content-type': type };
      if (odd())
        headers['www-authenticate'] = random.pick([
          'Basic realm="x"',
          'DPoP error="use_dpop_nonce"',
          ',,,=',
          `Bearer error="${PLANTED}"`,
        ]);
      answered.push(`${pathname} ${status} ${type} ${content}`);
      return new Response(content, { status, headers });
    },
    seen: () => answered.join('\n'),
  };
}

function document(random: Random, value: unknown): string {
  return random.chance(0.1) ? mutatedJson(value, random) : JSON.stringify(value);
}

/** What came of it, or undefined when it was refused with an error in order. */
async function judge<T>(call: Promise<T>, seen: () => string): Promise<T | undefined> {
  try {
    return await call;
  } catch (thrown) {
    const error = thrown instanceof LostReply || thrown instanceof UnexplainedRefusal ? thrown.cause : thrown;
    if (!(error instanceof CcwbError)) throw new Failure('an error that is not ours', seen(), String(error));
    if (error.code === 'ERR_INTERNAL')
      throw new Failure('an error that tells of a defect', seen(), String(error.cause));
    if (error.code === 'ERR_LOGIN_REQUIRED' && !/\/(token|revoke) 4\d\d .*"invalid_grant"/s.test(seen()))
      throw new Failure('a session ended without invalid_grant', seen());
    const lines = errorLines('x', error);
    if (lines.includes(PLANTED)) throw new Failure('an error that quotes a reply', seen(), lines);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    if (!/^[^\x00-\x1f\x7f]{1,600}\n[^\x00-\x1f\x7f]{1,600}\n$/.test(lines))
      throw new Failure('an error that is not two lines', seen(), lines);
    return undefined;
  }
}

/** Only what was signed for this client and user, with times that the rest of the daemon can do with. */
function judgeTokens(tokens: Tokens | undefined, { idToken, signed }: TokenReply, seen: () => string): void {
  if (!tokens?.idToken) return;
  const { jwt, expiresAt, lifetimeMs } = tokens.idToken;
  const { iss, aud, sub } = JSON.parse(signed) as JWTPayload;
  const forUs = iss === ISSUER && (aud === 'client' || (Array.isArray(aud) && aud.includes('client')));
  if (jwt !== idToken || !forUs || typeof sub !== 'string')
    throw new Failure('an ID token that must not be accepted', seen(), jwt);
  if (!Number.isFinite(lifetimeMs)) throw new Failure('a life without end', seen(), String(lifetimeMs));
  try {
    if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(rfc3339(expiresAt)))
      throw new RangeError(rfc3339(expiresAt));
  } catch (error) {
    throw new Failure('a time that cannot be told', seen(), String(error));
  }
}
