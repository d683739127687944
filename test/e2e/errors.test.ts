import { rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Output } from '../../tools/support/output.ts';
import { startWorld, type World } from '../fixtures/world.ts';

const call = ({ home }: World, ...flags: string[]): Promise<Output> =>
  home.run(home.program('credential-process'), flags.length > 0 ? flags : ['--profile', 'ClaudeCode']);

/** Nothing on stdout; on stderr one line of what went wrong and one of what to do; exit 1. */
function isTwoLineError(t: Test, output: Output, code: string, text: RegExp): void {
  t.equal(output.status, 1);
  t.equal(output.stdout, '');
  const lines = output.stderr.trimEnd().split('\n');
  t.equal(lines.length, 2, output.stderr);
  t.match(lines[0], text);
  t.ok(lines[0]?.endsWith(`(${code})`), `${lines[0]} ends with ${code}`);
  t.match(lines[1], /^ {2}fix: \S/);
}

t.test('a missing config.json is named', async (t) => {
  const world = await startWorld(t);
  await rm(join(world.home.directory, 'config.json'));
  isTwoLineError(t, await call(world), 'ERR_CONFIG_MISSING', /no configuration at .*config\.json/);
});

t.test('a config.json that is not JSON is named', async (t) => {
  const world = await startWorld(t);
  await writeFile(join(world.home.directory, 'config.json'), '{"profiles": {');
  isTwoLineError(t, await call(world), 'ERR_CONFIG_INVALID', /config\.json: not valid JSON/);
});

t.test('the error of a wrong field has its value and the allowed values', async (t) => {
  const world = await startWorld(t, { profile: { redirect_port: 'eighty' } });
  isTwoLineError(
    t,
    await call(world),
    'ERR_CONFIG_INVALID',
    /profiles\.ClaudeCode\.redirect_port is "eighty"; allowed: a whole number/,
  );
});

t.test('the error of an unknown profile lists the known ones', async (t) => {
  const world = await startWorld(t);
  isTwoLineError(
    t,
    await call(world, '--profile', 'Claude'),
    'ERR_PROFILE_UNKNOWN',
    /no profile "Claude" in .*; it has ClaudeCode/,
  );
});

t.test('a provider that is down is reported and no page is opened', async (t) => {
  const world = await startWorld(t);
  world.sandbox.provider.setFault('all', { kind: 'down' });
  isTwoLineError(
    t,
    await call(world),
    'ERR_PROVIDER_UNREACHABLE',
    /identity provider 127\.0\.0\.1:\d+ did not answer/,
  );
  t.strictSame(await world.home.openedPages(), []);
});

t.test('a captive portal is not accepted as the provider', async (t) => {
  const world = await startWorld(t);
  world.sandbox.provider.setFault('discovery', { kind: 'html' });
  isTwoLineError(t, await call(world), 'ERR_PROVIDER_INVALID', /is not that identity provider/);
});

t.test('a port in use is named', async (t) => {
  const world = await startWorld(t);
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(world.redirectPort, '127.0.0.1', resolve));
  t.teardown(() => new Promise<void>((resolve) => void other.close(() => resolve())));
  isTwoLineError(
    t,
    await call(world),
    'ERR_REDIRECT_PORT_TAKEN',
    new RegExp(`port ${world.redirectPort}, to which the sign-in returns`),
  );
});

t.test('an unknown client id ends the wait with its reason', async (t) => {
  const world = await startWorld(t, { profile: { client_id: 'nobody' } });
  const output = await call(world);
  t.equal(output.status, 1);
  t.equal(output.stdout, '');
  t.match(output.stderr, /\(ERR_[A-Z_]+\)\n {2}fix: .*\n$/);
});

t.test('a pool that does not exist is named after a good sign-in', async (t) => {
  const world = await startWorld(t, {
    profile: { identity_pool_id: 'us-east-1:00000000-0000-4000-8000-000000000000' },
  });
  const output = await call(world);
  t.equal(output.status, 1);
  t.match(
    output.stderr,
    /Amazon Cognito: identity_pool_id us-east-1:0+-.* does not exist there \(ERR_AWS_CONFIG\)\n {2}fix: /,
  );
});

t.test('wrong usage exits with 2', async (t) => {
  const world = await startWorld(t);
  const output = await call(world, '--profil', 'ClaudeCode');
  t.equal(output.status, 2);
  t.equal(output.stdout, '');
  t.match(output.stderr, /--profil.*\(ERR_USAGE\)\n {2}fix: .*--help/s);
});
