import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { planClaudeSettingsRemoval } from '../../../shim/uninstall/claude-settings.ts';
import { ownSections, withoutSections } from '../../../shim/user-files/aws-edit.ts';
import { sectionsOf } from '../../../shim/user-files/aws-files.ts';
import { readForEdit, writeEdited } from '../../../shim/user-files/edit-file.ts';
import { ownSettings, withoutSettings } from '../../../shim/user-files/settings-edit.ts';
import { seededRandom } from '../../../tools/support/random.ts';
import { fakeProgram } from '../fixtures/program.ts';

const HERE = '/home/jane/claude-code-with-bedrock';
const OWN = `[profile ClaudeCode]\nregion = us-east-1\ncredential_process = ${HERE}/credential-process --profile ClaudeCode\n`;

t.test('sections of profiles are parsed as SDKs parse them', async (t) => {
  const text =
    '\ufeff; first\n[default]\r\nregion=eu-west-1 # here\r\n\n[profile "two words"]\nS3 =\n  max_concurrent_requests = 20\n' +
    '[sso-session x]\nsso_region = y\n[plain]\naws_access_key_id = z\n# end\n';
  t.same(
    sectionsOf(text).map(({ profile, settings, start, end }) => [
      profile,
      Object.fromEntries(settings),
      text.slice(start, end),
    ]),
    [
      ['default', { region: 'eu-west-1' }, '[default]\r\nregion=eu-west-1 # here\r\n'],
      ['two words', { s3: '' }, '[profile "two words"]\nS3 =\n  max_concurrent_requests = 20\n'],
      ['plain', { aws_access_key_id: 'z' }, '[plain]\naws_access_key_id = z\n'],
    ],
  );
});

t.test('a section is ours if it runs this credential-process, under any profile name', async (t) => {
  const quoted = `[profile Team]\ncredential_process = "${HERE}/credential-process" --profile Team\n`;
  const foreign = '[profile x]\ncredential_process = /opt/claude-code-with-bedrock/credential-process\n';
  const found = ownSections(`${foreign}${OWN}${quoted}`, HERE);
  t.same(
    found.map(({ profile }) => profile),
    ['ClaudeCode', 'Team'],
  );
});

t.test('removing a section that was added at the end restores the same bytes', async (t) => {
  const random = seededRandom(7);
  const pieces: [string, ...string[]] = [
    ...([
      '[default]\n',
      '[profile a]\r\nregion = x\r\n',
      'role_arn=arn\n',
      '# words\n',
      '; words\n',
      '\n',
      '\r\n',
    ] as const),
    ...['  indented = 1\n', '[sso-session s]\n', 'no sense\n', '[broken\n', 'é = ü\n', '[profile a]\n'],
  ];
  for (let round = 0; round < 500; round += 1) {
    const count = random.whole(0, 12);
    let before = random.chance(0.1) ? '\ufeff' : '';
    for (let at = 0; at < count; at += 1) before += random.pick(pieces);
    // As an installer adds it: one blank line sets it off, unless the file is empty.
    before = before.replace(/(\r?\n)+$/, '\n');
    const added = `${before}${before === '' || before === '\ufeff' ? '' : '\n'}${OWN}`;
    const after = withoutSections(added, ownSections(added, HERE));
    if (after !== before) t.fail(JSON.stringify({ before, after }));
  }
  t.pass();
  t.equal(withoutSections(`${OWN}\n[default]\n`, ownSections(`${OWN}\n[default]\n`, HERE)), '[default]\n');
  const middle = `[a]\n\n${OWN}\n# about b\n[b]\n`;
  t.equal(withoutSections(middle, ownSections(middle, HERE)), '[a]\n\n# about b\n[b]\n');
});

t.test('only settings of Claude Code that refer to this installation are removed', async (t) => {
  const settings = {
    model: 'x',
    env: {
      MINE: '1',
      CLAUDE_CODE_USE_BEDROCK: '1',
      AWS_REGION: 'us-east-1',
      AWS_PROFILE: 'ClaudeCode',
      CCWB_SIGN_IN: 'off',
    },
    permissions: { allow: ['Bash(ls:*)'] },
    otelHeadersHelper: `${HERE}/otel-helper`,
    awsAuthRefresh: `${HERE}/bedrock-auth login --profile ClaudeCode`,
  };
  for (const indent of [2, 4, '\t', 0]) {
    const text = JSON.stringify(settings, null, indent);
    const found = ownSettings(text, HERE, ['ClaudeCode']);
    t.same(found, {
      ours: [['awsAuthRefresh'], ['otelHeadersHelper'], ['env', 'CCWB_SIGN_IN'], ['env', 'AWS_PROFILE']],
      maybe: ['CLAUDE_CODE_USE_BEDROCK', 'AWS_REGION'],
    });
    const left = { model: 'x', env: { MINE: '1', CLAUDE_CODE_USE_BEDROCK: '1', AWS_REGION: 'us-east-1' } };
    const wanted = JSON.stringify({ ...left, permissions: settings.permissions }, null, indent);
    t.equal(withoutSettings(text, found?.ours ?? []), wanted);
  }
  const others = { env: { AWS_PROFILE: 'work' }, awsAuthRefresh: 'aws sso login' };
  t.same(ownSettings(JSON.stringify(others), HERE, ['ClaudeCode'])?.ours, []);
  t.equal(ownSettings('{', HERE, []), undefined);
  t.equal(ownSettings('[]', HERE, []), undefined);
  t.equal(withoutSettings('\ufeff{"env":{"CCWB_SIGN_IN":"off"}}', [['env', 'CCWB_SIGN_IN']]), '');
});

t.test('a file that cannot be edited safely stays, and the plan says so', async (t) => {
  const { program, folder } = fakeProgram(t, async () => ({}));
  const mine = { ...program, env: { HOME: folder } };
  const path = join(folder, '.claude/settings.json');
  t.same(planClaudeSettingsRemoval(mine, []), { steps: [], kept: [] });
  mkdirSync(dirname(path));
  writeFileSync(path, '{');
  t.match(planClaudeSettingsRemoval(mine, []), {
    steps: [],
    kept: [/^~\/\.claude\/settings\.json: .*no JSON object$/],
  });
  writeFileSync(path, Buffer.from([0x7b, 0xff, 0x7d]));
  t.match(planClaudeSettingsRemoval(mine, []), { steps: [], kept: [/no UTF-8 text$/] });
});

t.test('an edit keeps mode and link, and an empty file is removed', async (t) => {
  const { folder } = fakeProgram(t, async () => ({}));
  const real = join(folder, 'real');
  const link = join(folder, 'sub', 'link');
  mkdirSync(dirname(link));
  writeFileSync(real, 'one\ntwo\n');
  chmodSync(real, 0o640);
  symlinkSync(real, link);
  t.same(readForEdit(link), { text: 'one\ntwo\n' });
  writeEdited(link, 'one\n');
  t.equal(readFileSync(real, 'utf8'), 'one\n');
  t.equal(statSync(real).mode & 0o777, 0o640);
  t.equal(readForEdit(join(folder, 'nothing')), undefined);
  const alone = join(folder, 'alone', 'file');
  mkdirSync(dirname(alone));
  writeFileSync(alone, 'x');
  writeEdited(alone, '');
  t.notOk(existsSync(dirname(alone)));
});
