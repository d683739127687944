import t from 'tap';
import { ROUTES } from '../../protocol/api.ts';
import { apiReference } from '../../tools/docs/api-reference.ts';
import { readText } from '../../tools/docs/pages.ts';

t.test('docs/api.md has the routes as the code has them today', async (t) => {
  const update = 'run: npm run build && node build/js/tools/docs/update.js';
  t.ok(readText('docs/api.md').includes(apiReference()), update);
});

t.test('docs/api.md has one section for each route', async (t) => {
  const headings = [...readText('docs/api.md').matchAll(/^### (\w+) (\S+)$/gm)].map(
    ([, method, path]) => `${method} ${path}`,
  );
  const routes = Object.values(ROUTES).map(
    ({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`,
  );
  t.strictSame(headings, routes);
});
