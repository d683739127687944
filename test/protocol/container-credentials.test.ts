import t from 'tap';
import { containerCredentialsUrl, profileInPath } from '../../protocol/container-credentials.ts';

t.test("the path of a profile's address gives its name", async (t) => {
  const url = new URL(containerCredentialsUrl(9_000, 'Claude.Code_1-x'));
  t.equal(url.origin, 'http://127.0.0.1:9000');
  t.equal(profileInPath(url.pathname), 'Claude.Code_1-x');
});

t.test('any other path gives no profile', async (t) => {
  const good = '/v1/profiles/A/container-credentials';
  t.equal(profileInPath(good), 'A');
  const others = [
    ...[`${good}/`, `${good}?x=1`, `${good}#x`, `/x${good}`, `http://127.0.0.1${good}`, ''],
    ...['a/b', '', '%41', 'a b', 'a%2fb', 'x'.repeat(65)].map(
      (name) => `/v1/profiles/${name}/container-credentials`,
    ),
  ];
  for (const path of others) t.equal(profileInPath(path), undefined, path);
});
