import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { DISCOVERY_BYTES, discover, discoveryUrl } from '../../../admin/init/discovery.ts';
import type { CcwbError } from '../../../protocol/errors.ts';
import { startSandbox } from '../../../sandbox/sandbox.ts';
import { addressOf, type Document, fetchOf, PROVIDERS } from './fixtures/documents.ts';

const never = new AbortController().signal;
const OKTA = PROVIDERS.okta;

async function problem(found: Promise<unknown>): Promise<CcwbError> {
  return found.then(
    () => {
      throw new Error('nothing was wrong');
    },
    (error: CcwbError) => error,
  );
}

/** What is wrong with the document of Okta once some fields of it are others. */
function withFields(fields: Document): Promise<CcwbError> {
  const fetch = fetchOf({ [addressOf(OKTA.issuer)]: { ...OKTA.document, ...fields } });
  return problem(discover(OKTA.issuer, fetch, never));
}

t.test('the document of each type of provider is found and passes', async (t) => {
  for (const [type, { issuer, document }] of Object.entries(PROVIDERS)) {
    const found = await discover(issuer, fetchOf({ [addressOf(issuer)]: document }), never);
    t.equal(found.jwksUri, document.jwks_uri, type);
    t.equal(found.issuer, issuer, type);
  }
});

t.test('metadata that a provider leaves out is not an error, and is reported', async (t) => {
  const find = (type: keyof typeof PROVIDERS) => {
    const { issuer, document } = PROVIDERS[type];
    return discover(issuer, fetchOf({ [addressOf(issuer)]: document }), never);
  };
  t.match(await find('okta'), { pkce: true, refreshTokens: true, deviceGrant: true, rs256: true });
  t.match(await find('azure'), { pkce: undefined, refreshTokens: true, deviceGrant: true });
  t.match(await find('cognito'), { pkce: undefined, refreshTokens: false, deviceGrant: false });
  t.match(await find('google'), { pkce: true, refreshTokens: true });
});

t.test('the sandbox provider passes discovery over a real connection', async (t) => {
  const sandbox = await startSandbox();
  t.teardown(() => sandbox.close());
  const found = await discover(sandbox.provider.issuer, fetch, never);
  t.match(found, {
    issuer: sandbox.provider.issuer,
    pkce: true,
    refreshTokens: true,
    deviceGrant: true,
    rs256: true,
  });
  const slash = await problem(discover(`${sandbox.provider.issuer}/`, fetch, never));
  t.equal(slash.code, 'ERR_PROVIDER_INVALID');
  t.match(slash.message, 'the two must be the same to the letter');
  t.equal(slash.fix, `give ${sandbox.provider.issuer} if that is the one you mean`);
});

t.test('a final slash of the issuer is not part of the discovery address', async (t) => {
  t.equal(discoveryUrl('https://a.example/'), 'https://a.example/.well-known/openid-configuration');
  t.equal(discoveryUrl('https://a.example/b'), 'https://a.example/b/.well-known/openid-configuration');
});

t.test('each fault of a document is reported with the field, the value and what is allowed', async (t) => {
  const faults: readonly (readonly [Document, RegExp])[] = [
    [
      { issuer: 'https://other.okta.com' },
      /is for the issuer "https:\/\/other\.okta\.com", not "https:\/\/company/,
    ],
    [{ issuer: undefined }, /is for the issuer undefined, not/],
    [{ issuer: 'https://company.okta.com/' }, /to the letter/],
    [{ authorization_endpoint: undefined }, /has no authorization_endpoint; allowed: an https URL/],
    [
      { token_endpoint: 'http://company.okta.com/token' },
      /has "http:.*" as token_endpoint; allowed: an https URL/,
    ],
    [{ jwks_uri: 'keys' }, /has "keys" as jwks_uri/],
    [{ response_types_supported: ['id_token'] }, /does not offer the response type code/],
    [{ response_types_supported: undefined }, /does not offer the response type code/],
    [{ code_challenge_methods_supported: ['plain'] }, /does not offer PKCE with S256/],
  ];
  for (const [fields, message] of faults) {
    const error = await withFields(fields);
    t.equal(error.code, 'ERR_PROVIDER_INVALID');
    t.match(error.message, message);
    t.match(error.fix, /^[a-z].*[^.]$/);
  }
});

/** A provider that answers as it likes. @returns its issuer. */
async function serve(t: Test, answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise((resolve) => server.once('listening', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

t.test('a server that is no provider is distinguished from one that does not answer', async (t) => {
  let answer: RequestListener = () => {};
  const issuer = await serve(t, (request, response) => answer(request, response));
  const faultOf = async (handler: RequestListener): Promise<CcwbError> => {
    answer = handler;
    return problem(discover(issuer, fetch, never));
  };
  const html = await faultOf((_, response) => response.end('<html>Welcome to the airport</html>'));
  t.match(html, { code: 'ERR_PROVIDER_INVALID', message: /does not answer with a JSON document/ });
  const redirect = await faultOf((_, response) => response.writeHead(302, { location: '/login' }).end());
  t.match(redirect, { code: 'ERR_PROVIDER_INVALID', message: /leads on to \/login/ });
  const missing = await faultOf((_, response) => response.writeHead(404).end());
  t.match(missing, { code: 'ERR_PROVIDER_INVALID', message: /status 404: there is no OpenID provider/ });
  const broken = await faultOf((_, response) => response.writeHead(503).end());
  t.match(broken, { code: 'ERR_PROVIDER_UNREACHABLE', message: /status 503/, fix: 'try again later' });
  const endless = await faultOf((_, response) => response.end('x'.repeat(DISCOVERY_BYTES + 1)));
  t.match(endless, { code: 'ERR_PROVIDER_INVALID', message: /more than a discovery document/ });
  const cut = await faultOf((_, response) => {
    response.writeHead(200, { 'content-length': '99' }).write('{');
    response.destroy();
  });
  t.equal(cut.code, 'ERR_PROVIDER_UNREACHABLE');
});

t.test('an unknown host and a closed port are reported with the reason', async (t) => {
  const unknown = await problem(discover('https://company.okta.com', fetchOf({}), never));
  t.match(unknown, {
    code: 'ERR_PROVIDER_UNREACHABLE',
    message: 'company.okta.com did not answer (ENOTFOUND)',
  });
  const refused = await problem(discover('http://127.0.0.1:1', fetch, never));
  t.match(refused, { code: 'ERR_PROVIDER_UNREACHABLE', message: /^127\.0\.0\.1:1 did not answer \(\w+/ });
});

t.test('an interruption ends the wait for a provider', async (t) => {
  const issuer = await serve(t, () => {});
  const interruption = new AbortController();
  const waiting = problem(discover(issuer, fetch, interruption.signal));
  interruption.abort();
  t.match(await waiting, { message: /did not answer \(interrupted\)/ });
});
