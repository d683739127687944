import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { findChromium, signInWithChromium } from '../../sandbox/browser/chromium.ts';
import { startIdentityProvider } from '../../sandbox/provider/identity-provider.ts';
import { authorizationRequest } from '../../sandbox/provider/oauth-client.ts';

const skip = findChromium() === undefined && 'no Chromium: install it or set CHROMIUM';

t.test('a person signs in with a real browser', { skip }, async (t) => {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end('<title>Done</title><p>welcome back</p>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const provider = await startIdentityProvider({ redirectPorts: [port] });
  t.teardown(provider.close);
  const { url } = authorizationRequest(provider, { redirect_uri: `http://127.0.0.1:${port}/callback` });

  const screenshotPath = join(t.testdir(), 'page.png');
  const result = await signInWithChromium(url, { user: 'demo', password: 'demo', screenshotPath });
  t.match(result, { url: /\/callback\?code=/, title: 'Done', text: 'welcome back' });
  t.ok((await stat(screenshotPath)).size > 0);

  const refused = await signInWithChromium(url, { user: 'demo', password: 'wrong' });
  t.match(refused.text, /do not go together/);
});
