import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { writeProfile } from '../../../admin/profiles/profile-store.ts';
import { PROFILE } from '../../../tools/support/admin-profiles.ts';
import { install } from '../../../tools/support/installation.ts';

const EXTENSION = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const CCWB = fileURLToPath(new URL(`../../../admin/ccwb.${EXTENSION}`, import.meta.url));

// A test's own folder has too long a path for a socket.
const runtime = mkdtempSync(join(tmpdir(), 'ccwb-run-'));
t.teardown(() => rmSync(runtime, { recursive: true, force: true }));

async function ccwb(home: string, args: string, env: Readonly<Record<string, string>> = {}) {
  const path = `${dirname(process.execPath)}:/usr/bin:/bin`;
  const child = spawn(process.execPath, [CCWB, ...args.split(' ')], {
    env: { PATH: path, HOME: home, XDG_RUNTIME_DIR: runtime, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [out, error] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { status: await ended, out, error };
}

/** Every file under a folder, with what is in it. */
function filesIn(folder: string): Record<string, string> {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  const files = paths.filter((path) => statSync(join(folder, path)).isFile());
  return Object.fromEntries(files.map((path) => [path, readFileSync(join(folder, path), 'utf8')]));
}

/** A home with an installation of the legacy tool, and much that is not of it. */
function homeOfLegacyTool(t: Test): string {
  const home = t.testdir({
    'claude-code-with-bedrock': {
      'credential-process': 'binary',
      'otel-helper': 'binary',
      'config.json': JSON.stringify({
        ClaudeCode: { provider_domain: 'company.okta.com', client_id: 'a', identity_pool_id: 'us-east-1:0' },
      }),
      'notes.txt': 'mine',
    },
    '.claude-code-session': {
      'ClaudeCode-refresh.json': '{}',
      'ClaudeCode-monitoring.json': '{}',
      'Other-refresh.json': '{}',
    },
    '.aws': {
      credentials:
        '[default]\naws_access_key_id = a\n\n' +
        '[ClaudeCode]\naws_access_key_id = b\naws_session_token = c\nx-expiration = 2026-01-01T00:00:00Z\n',
    },
    '.claude': {},
  });
  const installation = join(home, 'claude-code-with-bedrock');
  const process_ = `credential_process = ${installation}/credential-process --profile ClaudeCode`;
  writeFileSync(
    join(home, '.aws/config'),
    `[default]\nregion = eu-west-1\n\n[profile ClaudeCode]\n${process_}\n`,
  );
  const settings = {
    model: 'x',
    otelHeadersHelper: `${installation}/otel-helper`,
    env: { AWS_PROFILE: 'ClaudeCode' },
  };
  writeFileSync(join(home, '.claude/settings.json'), `${JSON.stringify(settings, undefined, 2)}\n`);
  return home;
}

t.test('cleanup removes the changes of the legacy tool and nothing else', async (t) => {
  const home = homeOfLegacyTool(t);
  const before = filesIn(home);
  const planned = await ccwb(home, 'cleanup --dry-run');
  t.match(planned, { status: 0, error: '' });
  t.match(planned.out, /notes\.txt: nothing of ours/);
  const asked = await ccwb(home, 'cleanup');
  t.equal(asked.status, 1);
  t.match(asked.error, /nobody can be asked here; --yes removes without asking/);
  t.strictSame(filesIn(home), before, 'until somebody says yes');

  t.match(await ccwb(home, 'cleanup --force'), { status: 0, out: /\nRemoved\.\n$/, error: '' });
  t.strictSame(filesIn(home), {
    '.aws/config': '[default]\nregion = eu-west-1\n',
    '.aws/credentials': '[default]\naws_access_key_id = a\n',
    '.claude/settings.json': '{\n  "model": "x"\n}\n',
    '.claude-code-session/Other-refresh.json': '{}',
    'claude-code-with-bedrock/notes.txt': 'mine',
  });
  t.match(await ccwb(home, 'cleanup --force'), { status: 0 }, 'a second time there is nothing to do');
});

t.test('an installation is removed by its own uninstaller', async (t) => {
  const { home, directory, env, remove } = await install({
    profiles: {
      ClaudeCode: { provider_domain: 'company.okta.com', client_id: 'a', identity_pool_id: 'us-east-1:0' },
    },
  });
  t.teardown(remove);
  const { status, out } = await ccwb(home, 'cleanup --force', env);
  t.equal(status, 0, out);
  t.match(out, /the sign-in of ClaudeCode/);
  t.notOk(existsSync(directory));
});

t.test('profiles are removed with --profiles only, and not while they are deployed', async (t) => {
  const home = t.testdir({});
  const env = { CCWB_HOME: join(home, '.ccwb') };
  writeProfile(PROFILE, env);
  await ccwb(home, 'cleanup --force');
  t.ok(existsSync(join(home, '.ccwb/profiles/ClaudeCode.json')), 'not by itself');
  writeProfile({ ...PROFILE, outputs: { auth: { RoleArn: 'arn:aws:iam::123456789012:role/x' } } }, env);
  const refused = await ccwb(home, 'cleanup --profiles --yes');
  t.match(refused, {
    status: 1,
    out: '',
    error: /profile ClaudeCode is deployed: auth; nothing was removed/,
  });
  t.match(await ccwb(home, 'cleanup --profiles --dry-run --force'), { out: /profiles: ClaudeCode\n$/ });
  t.ok(existsSync(join(home, '.ccwb/profiles/ClaudeCode.json')));
  t.match(await ccwb(home, 'cleanup --profiles --force'), { status: 0, out: /\nremoved ClaudeCode from / });
  t.notOk(existsSync(join(home, '.ccwb/profiles')));
});
