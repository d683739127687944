import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { UNKNOWN_SUBJECT } from '../../../daemon/oidc/tokens.ts';
import {
  createImportingStore,
  createLegacyTokens,
  type LegacyTokens,
} from '../../../daemon/session/legacy-tokens.ts';
import { CcwbError } from '../../../protocol/errors.ts';
import { codeOf, memoryLog } from '../../../tools/support/daemon-edges.ts';
import { memoryStore, storedSession } from '../fixtures/memory-store.ts';

type T = { testdir(content: Record<string, string>): string };

/** A home with these files of the legacy tool. */
function home(t: T, files: Record<string, string>) {
  const path = t.testdir({});
  const folder = join(path, '.claude-code-session');
  mkdirSync(folder, { mode: 0o700 });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o600 });
  return { path, folder, legacyTool: createLegacyTokens(path) };
}

const refresh = (token: unknown): string =>
  JSON.stringify({ refresh_token: token, profile: 'A', updated_at: 1_767_322_800 });

/** The legacy tool's tokens by profile, in memory. */
function fakeLegacyTool(tokens: Record<string, string>): LegacyTokens & { readonly removed: string[] } {
  const removed: string[] = [];
  return {
    removed,
    refreshToken: async (profile) => tokens[profile],
    remove: async (profile) => {
      removed.push(profile);
    },
  };
}

t.test('the refresh token of each profile is read from its file', async (t) => {
  const { legacyTool: tool } = home(t, {
    'A-refresh.json': refresh('rt-a'),
    'B-refresh.json': refresh('rt-b'),
  });
  t.equal(await tool.refreshToken('A'), 'rt-a');
  t.equal(await tool.refreshToken('B'), 'rt-b');
  t.equal(await tool.refreshToken('C'), undefined);
  t.equal(await createLegacyTokens(join(t.testdirName, 'nobody')).refreshToken('A'), undefined, 'no home');
});

t.test('a file that is damaged, empty or too long has no token', async (t) => {
  const { legacyTool: tool } = home(t, {
    'A-refresh.json': '{"refresh_token":',
    'B-refresh.json': '',
    'C-refresh.json': refresh(''),
    'D-refresh.json': refresh(7),
    'E-refresh.json': '["refresh_token"]',
    'F-refresh.json': refresh('x'.repeat(70_000)),
  });
  for (const name of 'ABCDEF') t.equal(await tool.refreshToken(name), undefined, name);
});

t.test('a file that others may write, or that is a link, is ignored', async (t) => {
  const {
    path,
    folder,
    legacyTool: tool,
  } = home(t, {
    'A-refresh.json': refresh('rt-a'),
    'B-refresh.json': refresh('rt-b'),
  });
  chmodSync(join(folder, 'A-refresh.json'), 0o620);
  t.equal(await tool.refreshToken('A'), undefined);
  symlinkSync(join(folder, 'B-refresh.json'), join(folder, 'C-refresh.json'));
  t.equal(await tool.refreshToken('C'), undefined);
  t.equal(await tool.refreshToken('B'), 'rt-b');
  chmodSync(folder, 0o777);
  t.equal(await tool.refreshToken('B'), undefined, 'nor one in a folder that is open to others');
  chmodSync(folder, 0o700);
  const other = join(path, 'other');
  mkdirSync(other);
  symlinkSync(folder, join(other, '.claude-code-session'));
  t.equal(
    await createLegacyTokens(other).refreshToken('B'),
    undefined,
    'nor through a folder that is a link',
  );
});

t.test('all files of a profile are removed, and no others', async (t) => {
  const { folder, legacyTool: tool } = home(t, {
    'A-refresh.json': refresh('rt-a'),
    'A-monitoring.json': '{}',
    'A-otel-headers.json': '{}',
    'A-otel-headers.raw': '{}',
    'B-refresh.json': refresh('rt-b'),
  });
  await tool.remove('A');
  t.same(readdirSync(folder), ['B-refresh.json']);
  await tool.remove('B');
  t.notOk(existsSync(folder), 'and the folder, once it is empty');
  await tool.remove('B');
  t.pass('twice is no error');
});

t.test('a store without a session imports the first token it finds', async (t) => {
  const { log, events } = memoryLog();
  const store = memoryStore();
  const legacyTool = fakeLegacyTool({ B: 'rt-b', C: 'rt-c' });
  const imported = createImportingStore(store, ['A', 'B', 'C'], legacyTool, log);
  const session = { version: 1, refreshToken: 'rt-b', subject: UNKNOWN_SUBJECT, user: null } as const;
  t.same(await imported.read('key'), session);
  t.same(store.session('key'), session, 'stored');
  t.same(legacyTool.removed, ['A', 'B', 'C'], 'and all of theirs removed');
  t.same(events(), ['session of the legacy tool imported']);
});

t.test('an existing session is kept, and the legacy tool\u2019s tokens are removed', async (t) => {
  const store = memoryStore({ key: storedSession('rt-own') });
  const legacyTool = fakeLegacyTool({ A: 'rt-a' });
  const imported = createImportingStore(store, ['A'], legacyTool, memoryLog().log);
  t.equal((await imported.read('key'))?.refreshToken, 'rt-own');
  t.same(legacyTool.removed, ['A']);
});

t.test('a token that cannot be stored is not removed from the legacy tool', async (t) => {
  const store = memoryStore();
  const legacyTool = fakeLegacyTool({ A: 'rt-a' });
  store.before = async (operation) => {
    if (operation === 'write') throw new CcwbError('ERR_STORE_LOCKED', 'the keyring is locked', 'unlock it');
  };
  const imported = createImportingStore(store, ['A'], legacyTool, memoryLog().log);
  t.equal(await codeOf(imported.read('key')), 'ERR_STORE_LOCKED');
  t.same(legacyTool.removed, []);
});

t.test('a sign-in and a sign-out also remove the legacy tool\u2019s tokens', async (t) => {
  const legacyTool = fakeLegacyTool({ A: 'rt-a' });
  const imported = createImportingStore(memoryStore(), ['A'], legacyTool, memoryLog().log);
  await imported.write('key', storedSession('rt-own'));
  t.same(legacyTool.removed, ['A']);
  await imported.remove('key');
  t.same(legacyTool.removed, ['A', 'A'], 'or the next start would sign in again');
});

t.test('files that cannot be removed are logged, and the session works', async (t) => {
  const { log, lines } = memoryLog();
  const legacyTool = {
    ...fakeLegacyTool({ A: 'rt-a' }),
    remove: async () => Promise.reject(new Error('read-only')),
  };
  t.ok(await createImportingStore(memoryStore(), ['A'], legacyTool, log).read('key'));
  t.match(lines.at(-1), { level: 'warn', fields: { profile: 'A', cause: 'Error' } });
});
