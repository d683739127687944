import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { COMMANDS } from '../../../shim/commands/command-table.ts';
import { createCompletion } from '../../../shim/commands/completion.ts';
import { findTool, missing } from '../../../tools/support/find-tool.ts';
import { fakeProgram } from '../fixtures/program.ts';

const completion = createCompletion(COMMANDS);

const bash = findTool('/bin/bash', '/usr/bin/bash');
const zsh = findTool('/bin/zsh', '/usr/bin/zsh');
const fish = findTool('/bin/fish', '/usr/bin/fish');

const TEAM = { profiles: { ClaudeCode: {}, Team: {} } };

/** What the command prints, and a folder with a `bedrock-auth` that knows two profiles. */
async function scriptFor(t: Test, shell: string): Promise<{ script: string; folder: string }> {
  const { program, folder } = fakeProgram(t, async () => ({}));
  let printed = '';
  const print = async (text: string): Promise<void> => {
    printed += text;
  };
  await completion({ ...program, writeOut: print }, {}, [shell]);
  const script = join(folder, `completion.${shell}`);
  writeFileSync(script, printed);
  writeFileSync(join(folder, 'bedrock-auth'), '#!/bin/sh\necho ClaudeCode\necho Team\n', { mode: 0o755 });
  return { script, folder };
}

/** Words typed so far, the last one unfinished, and what is offered. */
const OFFERED: readonly [typed: string[], offered: string[]][] = [
  [['lo'], ['login', 'logout', 'logs']],
  [
    ['service', 'st'],
    ['start', 'status', 'stop'],
  ],
  [['service', 'status', '--j'], ['--json']],
  [['status', '--w'], ['--watch']],
  [
    ['login', '--profile', ''],
    ['ClaudeCode', 'Team'],
  ],
  [['login', '-p', 'T'], ['Team']],
  [
    ['env', '--shell', ''],
    ['fish', 'powershell', 'sh'],
  ],
  [['completion', 'z'], ['zsh']],
];

t.test('bash completes every entry of the table', { skip: missing({ bash }) }, async (t) => {
  const { script, folder } = await scriptFor(t, 'bash');
  const ask = `. '${script}'
    complete -p bedrock-auth >/dev/null || exit 1
    COMP_WORDS=(bedrock-auth "$@"); COMP_CWORD=$#; _bedrock_auth bedrock-auth
    [ "\${#COMPREPLY[@]}" = 0 ] || printf '%s\\n' "\${COMPREPLY[@]}"`;
  const offered = (...typed: string[]): string[] => {
    const env = { PATH: `${folder}:/usr/bin:/bin` };
    const { stdout, status } = spawnSync(bash ?? '', ['--norc', '-c', ask, 'bash', ...typed], { env });
    t.equal(status, 0);
    return String(stdout).split('\n').filter(Boolean).sort();
  };
  for (const [typed, wanted] of OFFERED) t.strictSame(offered(...typed), wanted, typed.join(' '));
  t.strictSame(offered(''), COMMANDS.map(({ name }) => name).sort());
  t.ok(offered('exec', '--', 'tru').includes('true'));
  t.ok(offered('exec', 'cat', '/etc/pass').includes('/etc/passwd'));
});

t.test('fish completes every entry of the table', { skip: missing({ fish }) }, async (t) => {
  const { script, folder } = await scriptFor(t, 'fish');
  const env = { PATH: `${folder}:/usr/bin:/bin`, HOME: folder, XDG_CONFIG_HOME: folder };
  const ask = OFFERED.map(([typed]) => `complete -C 'bedrock-auth ${typed.join(' ')}'; echo ---`);
  const run = spawnSync(fish ?? '', ['--no-config', '-c', `source '${script}'\n${ask.join('\n')}`], { env });
  t.equal(String(run.stderr), '');
  const answers = String(run.stdout).split('---\n');
  for (const [index, [typed, wanted]] of OFFERED.entries()) {
    const words = (answers[index] ?? '').split('\n').filter(Boolean);
    t.strictSame(words.map((line) => line.split('\t')[0]).sort(), wanted, typed.join(' '));
  }
});

t.test('zsh loads the script and completes with it', { skip: missing({ zsh }) }, async (t) => {
  const { script, folder } = await scriptFor(t, 'zsh');
  t.equal(spawnSync(zsh ?? '', ['-n', script]).status, 0);
  // A terminal of its own, in which the key is pressed that shows what is offered.
  const typed = `zmodload zsh/zpty
    zpty -b shell ${zsh} -f -i
    zpty -w shell "PS1='> '; autoload -Uz compinit; compinit -u -d ${folder}/dump; source '${script}'; echo re''ady"
    zpty -r -m shell text '*ready*'
    zpty -n -w shell $'bedrock-auth service st\\t'
    zpty -r -m shell text '*Stop the daemon*'
    print -r -- "$text"`;
  const env = { PATH: `${folder}:/usr/bin:/bin`, HOME: folder, TERM: 'xterm' };
  const { stdout, stderr } = spawnSync(zsh ?? '', ['-f', '-c', typed], { env, timeout: 60_000 });
  t.match(
    String(stdout),
    /start .*-- Start the daemon now[\s\S]*status .*-- Show the service/,
    String(stderr),
  );
});

t.test('completion offers the profiles of config.json', async (t) => {
  const { program } = fakeProgram(t, async () => ({}));
  let printed = '';
  writeFileSync(program.paths.config, JSON.stringify(TEAM));
  const print = async (text: string): Promise<void> => {
    printed += text;
  };
  t.equal(await completion({ ...program, writeOut: print }, { profiles: true }, []), 0);
  t.equal(printed, 'ClaudeCode\nTeam\n');
  await t.rejects(completion(program, {}, []), { code: 'ERR_USAGE', message: /bash, zsh, fish/ });
  await t.rejects(completion(program, {}, ['tcsh']), { code: 'ERR_USAGE' });
});
