import t from 'tap';
import { signInOverHttp, visitCallback } from '../../sandbox/browser/browserless.ts';
import { startWorld, type World } from '../fixtures/world.ts';

/** Starts `bedrock-auth login`, and walks through the provider's pages up to the callback. */
async function upToTheCallback(t: { teardown(action: () => Promise<void>): void }, deny = false) {
  const world = await startWorld(t, { installation: { browser: 'notes' } });
  const { home } = world;
  const login = home.run(home.program('bedrock-auth'), ['login']);
  let page: string | undefined;
  while (page === undefined) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    [page] = await home.openedPages();
  }
  const { callbackUrl = '' } = await signInOverHttp(page, { deny }, { callback: false });
  return { ...world, login, callback: new URL(callbackUrl) };
}

/** Waits until nothing listens on the port at either loopback address. */
async function untilClosed({ redirectPort }: World): Promise<void> {
  for (const host of ['127.0.0.1', '[::1]']) {
    const visit = () =>
      visitCallback(`http://${host}:${redirectPort}/callback`).then(
        () => true,
        () => false,
      );
    while (await visit()) await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

t.test('a callback that names another provider is refused before its code is used (RFC 9207)', async (t) => {
  const { login, callback, sandbox, home } = await upToTheCallback(t);
  t.equal(callback.searchParams.get('iss'), sandbox.provider.issuer, 'the provider names itself');
  callback.searchParams.set('iss', 'https://evil.example');
  const { status, body } = await visitCallback(callback);
  t.equal(status, 403);
  t.match(body, /Not signed in/);
  t.notMatch(body, 'evil');
  t.match(await login, { status: 1, stderr: /another identity provider than .*\(ERR_LOGIN_DENIED\)/ });
  t.equal(sandbox.provider.counts.codeExchanges, 0);
  t.match((await home.status()).profiles[0], { state: 'signed-out' });
});

t.test('a malformed or foreign callback has no effect, and the right one still works', async (t) => {
  const world = await upToTheCallback(t);
  const { login, callback, sandbox } = world;
  const changed = (change: (parameters: URLSearchParams) => void): URL => {
    const url = new URL(callback);
    change(url.searchParams);
    return url;
  };
  const strangers = [
    changed((parameters) => parameters.append('code', 'another')),
    changed((parameters) => parameters.append('iss', 'https://evil.example')),
    changed((parameters) => parameters.delete('code')),
    changed((parameters) => parameters.delete('state')),
    changed((parameters) => parameters.set('state', 'another')),
    new URL(`/callback?error=access_denied&state=another`, callback),
    new URL('/callback?error=access_denied', callback),
  ];
  for (const url of strangers) {
    const { status, body } = await visitCallback(url);
    t.equal(status, 400, url.search);
    t.match(body, /Nothing was waiting for this page/);
  }
  t.equal(sandbox.provider.counts.codeExchanges, 0);
  const first = await visitCallback(callback);
  t.equal(first.status, 200);
  const again = await visitCallback(callback);
  t.match(again, { status: 200, body: first.body }, 'a browser that asks twice gets the same page');
  t.equal(sandbox.provider.counts.codeExchanges, 1);
  t.equal((await login).status, 0);
  await untilClosed(world);
  t.pass('and then nothing listens any more');
});

t.test('a denial with the right state ends the sign-in with its page', async (t) => {
  const world = await upToTheCallback(t, true);
  t.match(await visitCallback(world.callback), { status: 403, body: /Not signed in/ });
  t.match(await world.login, { status: 1, stderr: /\(access_denied\) \(ERR_LOGIN_DENIED\)/ });
  await untilClosed(world);
});
