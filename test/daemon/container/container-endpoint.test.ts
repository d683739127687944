import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import t from 'tap';
import { createContainerEndpoint } from '../../../daemon/container/container-endpoint.ts';
import type { Profile } from '../../../daemon/profiles/profile.ts';
import { containerCredentialsUrl } from '../../../protocol/container-credentials.ts';
import { memoryAudit, memoryLog, realClock } from '../../../tools/support/daemon-edges.ts';
import { freePort } from '../../../tools/support/free-port.ts';
import { awsCredentialsFor } from '../fixtures/tokens.ts';

type T = { teardown(action: () => unknown): void; testdir(content: Record<string, string>): string };

/** The endpoint of profiles whose ports a test sets. */
function open(t: T, ports: Record<string, number | undefined>) {
  const path = join(t.testdir({}), 'run', 'token');
  const { log, lines } = memoryLog();
  const profile = (name: string) =>
    ({
      config: { name, containerCredentialsPort: ports[name], allowedPrograms: undefined },
      session: { view: () => ({ signedIn: true }) },
      credentials: { peek: () => awsCredentialsFor(realClock), get: async () => {} },
    }) as unknown as Profile;
  const all = (): Profile[] => Object.keys(ports).map(profile);
  const container = createContainerEndpoint({ all }, path, { clock: realClock, log, audit: memoryAudit() });
  t.teardown(() => container.stop());
  const ask = async (port: number, name: string, authorization = readFileSync(path, 'utf8')) =>
    (await fetch(containerCredentialsUrl(port, name), { headers: { authorization } })).status;
  return { container, path, lines, ports, ask };
}

async function occupy(t: T, port: number) {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const end = (): Promise<void> => new Promise((resolve) => server.close(() => resolve()));
  t.teardown(end);
  return end;
}

t.test('without a profile that names a port nothing listens and there is no token', async (t) => {
  const { container, path, lines, ports, ask } = open(t, { A: undefined, B: undefined });
  await container.sync();
  t.notOk(existsSync(path));
  const port = await freePort();
  ports.B = port;
  await container.sync();
  t.equal(await ask(port, 'B'), 200, 'a change of config.json opens it');
  t.notMatch(JSON.stringify(lines), readFileSync(path, 'utf8'), 'the log does not have the token');
  t.equal(await ask(port, 'A'), 404, 'for the profile that wants it alone');
  t.equal(container.problemOf('B'), undefined);
  const token = readFileSync(path, 'utf8');
  await container.sync();
  t.equal(readFileSync(path, 'utf8'), token, 'and each tick leaves it as it is');
  ports.B = undefined;
  await container.sync();
  t.notOk(existsSync(path), 'as another closes it');
  await t.rejects(ask(port, 'B', token), TypeError);
});

t.test('another port gets a new token', async (t) => {
  const first = await freePort();
  const { container, path, ports, ask } = open(t, { A: first });
  await container.sync();
  const token = readFileSync(path, 'utf8');
  const second = await freePort();
  ports.A = second;
  await container.sync();
  t.equal(await ask(second, 'A', token), 403, 'the former one opens nothing');
  t.equal(await ask(second, 'A'), 200);
  await t.rejects(ask(first, 'A', token), TypeError, 'and the former port is given back');
});

t.test('a port in use is reported, retried, and leaves no token', async (t) => {
  const port = await freePort();
  const end = await occupy(t, port);
  const { container, path, lines, ask } = open(t, { A: port, B: undefined });
  for (let tick = 0; tick < 3; tick += 1) await container.sync();
  t.notOk(existsSync(path), 'SDKs would send it to the other program');
  const problem = container.problemOf('A')?.error;
  t.match(problem, { code: 'ERR_CONTAINER_PORT', message: /EADDRINUSE/, fix: new RegExp(`lsof .*${port}`) });
  t.equal(container.problemOf('B'), undefined);
  t.equal(lines.filter(({ level }) => level === 'error').length, 1, 'one line in the log, not one a tick');
  await end();
  await container.sync();
  t.equal(await ask(port, 'A'), 200);
  t.equal(container.problemOf('A'), undefined);
});

t.test('all profiles share one port, and a second one is reported', async (t) => {
  const [port, other] = [await freePort(), await freePort()];
  const { container, ask } = open(t, { A: port, B: port, C: other });
  await container.sync();
  t.equal(await ask(port, 'A'), 200);
  t.equal(await ask(port, 'B'), 200);
  t.equal(await ask(port, 'C'), 404);
  t.match(container.problemOf('C')?.error, { code: 'ERR_CONTAINER_PORT', fix: new RegExp(`${port}$`) });
});

t.test('nothing listens if the token cannot be written', async (t) => {
  const port = await freePort();
  const { container, path, ask } = open(t, { A: port });
  mkdirSync(path, { recursive: true });
  await container.sync();
  t.match(container.problemOf('A')?.error, { code: 'ERR_CONTAINER_PORT' });
  await t.rejects(ask(port, 'A', 'x'), TypeError);
});

t.test('stopping closes the port and removes the token', async (t) => {
  const port = await freePort();
  const { container, path } = open(t, { A: port });
  const opening = container.sync();
  await container.stop();
  await opening;
  t.notOk(existsSync(path));
  const end = await occupy(t, port);
  t.pass('the port is free');
  await end();
});
