import { readFile, writeFile } from 'node:fs/promises';
import t from 'tap';
import { startWorld } from '../fixtures/world.ts';

t.test('without curl, Node.js answers in its place', async (t) => {
  const { home } = await startWorld(t);
  for (const name of ['credential-process', 'otel-helper'] as const) {
    const path = home.program(name);
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace(/for curl in .*; do/, 'for curl in /nonexistent/curl; do'));
  }
  const headers = () => home.run(home.program('otel-helper'), ['--profile', 'ClaudeCode']);
  t.match(await headers(), { status: 0, stdout: '{}\n', stderr: '' }, 'nobody is signed in');
  t.equal((await home.run(home.program('bedrock-auth'), ['login'])).status, 0);
  const { status, stdout, stderr } = await headers();
  t.equal(status, 0, stderr);
  t.match(JSON.parse(stdout), { 'x-user-email': /^demo@/ });
  const call = await home.run(home.program('credential-process'), ['--profile', 'ClaudeCode']);
  t.equal(call.status, 0, call.stderr);
  t.match(JSON.parse(call.stdout), { Version: 1, AccessKeyId: /^ASIA/ });
  await home.run('/bin/rm', [`${home.directory}/runtime/bin/node`]);
  const withoutNode = await home.run(home.program('otel-helper'), [], { env: { PATH: '/nonexistent' } });
  t.match(withoutNode, { status: 0, stdout: '{}\n' }, 'and without Node.js there is still an object');
});
