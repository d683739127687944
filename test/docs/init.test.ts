import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { STEPS } from '../../admin/init/steps/steps.ts';
import { fences, readText, repositoryFiles, tableUnder } from '../../tools/docs/pages.ts';
import { pictured, tmux } from '../../tools/docs/terminal-picture.ts';
import {
  PAGE,
  pageText,
  recordEverything,
  recordProviders,
  transcriptsIn,
} from '../../tools/docs/wizard-session.ts';
import { missing } from '../../tools/support/find-tool.ts';
import { ccwb } from '../admin/fixtures/admin-edges.ts';

const UPDATE = 'run npm run build && node build/js/tools/docs/update.js';
const skip = missing({ tmux });
t.setTimeout(180_000);

t.test('the transcripts of docs/init.md are what a terminal of 80 columns shows', { skip }, async (t) => {
  const quoted = transcriptsIn(pageText());
  const recorded = new Map((await recordProviders()).map(({ title, text }) => [title, text]));
  recorded.set('everything', await recordEverything(false));
  t.same([...quoted.keys()].sort(), [...recorded.keys()].sort());
  for (const [title, text] of recorded) {
    t.equal(quoted.get(title), text.trimEnd(), `${title}; ${UPDATE} --transcript`);
    for (const line of text.split('\n')) t.ok(line.length <= 80, `80 columns: ${line}`);
  }
  // The picture is the end of the same start.
  const summary = recorded.get('everything')?.split('\n') ?? [];
  const start = summary.findIndex((line) => line.startsWith('│  Summary'));
  const shown = summary.slice(start - 1).filter((line) => line !== '');
  const drawn = pictured(readText('docs/images/init.svg'));
  t.equal(drawn, shown.join('\n'), `${UPDATE} --pictures`);
});

t.test('docs/init.md names every step in its order', async (t) => {
  const rows = tableUnder(readText(PAGE), 'The steps').map(([step]) => step);
  t.strictSame(rows, ['Profile', ...STEPS.map(({ title }) => title)]);
});

t.test('the file of answers in docs/init.md makes a profile', async (t) => {
  const yaml = fences(readText(PAGE)).find(({ language }) => language === 'yaml')?.text ?? '';
  const home = t.testdir({ 'answers.yaml': yaml });
  const answers = join(home, 'answers.yaml');
  const { status, error } = await ccwb(['init', '--no-check', '--answers', answers, '--yes', '--json'], {
    env: { CCWB_HOME: home },
  });
  t.equal(status, 0, error);
  const profile = JSON.parse(readFileSync(join(home, 'profiles/Research.json'), 'utf8'));
  t.match(profile, {
    config: { aws_region: 'eu-central-1' },
    infra: { accessGroups: { groups: ['claude-code-users'] }, audit: {}, monitoring: { domain: {} } },
    users: 250,
  });
});

t.test('what the guides of providers say to type is taken', async (t) => {
  const home = t.testdir();
  mkdirSync(join(home, 'x'));
  const secret = join(home, 'x/secret');
  writeFileSync(secret, 'GOCSPX-example');
  const typed: Readonly<Record<string, string>> = {
    okta: '--provider-domain company.okta.com --okta-auth-server default --client-id 0oa1example --groups a',
    'microsoft-entra-id':
      '--provider-domain login.microsoftonline.com --tenant 72f988bf-86f1-41af-91ab-2d7cd011db47 --client-id a --groups a',
    auth0:
      '--provider-domain company.eu.auth0.com --client-id a --groups a --groups-claim https://company.example/groups',
    'cognito-user-pool':
      '--provider-domain company.auth.us-east-1.amazoncognito.com --cognito-user-pool-id us-east-1_Ab12Cd34E --client-id a --groups a',
    google: `--provider-domain accounts.google.com --client-id a --client-secret-file ${secret} --groups company.example`,
    keycloak: '--provider-domain https://sso.company.example/realms/staff --client-id a --groups a',
  };
  const guides = repositoryFiles('docs/providers').map((path) => path.replace(/^.*\/|\.md$/g, ''));
  t.same(guides.sort(), Object.keys(typed).sort());
  for (const [guide, args] of Object.entries(typed)) {
    const page = readText(`docs/providers/${guide}.md`);
    const { status, error } = await ccwb(
      ['init', '--no-check', '--profile', guide, '--yes', ...args.split(' ')],
      {
        env: { CCWB_HOME: home },
      },
    );
    t.equal(status, 0, `${guide}: ${error}`);
    if (guide !== 'google') t.match(page, 'http://localhost:8400/callback', guide);
    const { infra } = JSON.parse(readFileSync(join(home, `profiles/${guide}.json`), 'utf8'));
    t.match(
      page,
      `\`${infra.accessGroups.claim}\``,
      `${guide}: the claim that the wizard proposes, or was told`,
    );
  }
});
