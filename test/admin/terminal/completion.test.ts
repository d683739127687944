import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { findTool, missing } from '../../../tools/support/find-tool.ts';
import { ccwb } from '../fixtures/admin-edges.ts';

const EXTENSION = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const CCWB = fileURLToPath(new URL(`../../../admin/ccwb.${EXTENSION}`, import.meta.url));

const bash = findTool('/bin/bash', '/usr/bin/bash');
const zsh = findTool('/bin/zsh', '/usr/bin/zsh');
const fish = findTool('/bin/fish', '/usr/bin/fish');

/** A folder with the script for a shell, a `ccwb` that is the real one, and a home with two profiles. */
async function setUp(t: Test, shell: string): Promise<{ script: string; env: Record<string, string> }> {
  const { out, status } = await ccwb(['completion', shell]);
  t.equal(status, 0);
  const folder = t.testdir({
    script: out,
    home: { profiles: { 'ClaudeCode.json': '{}', 'Team.json': '{}' } },
  });
  const program = `#!/bin/sh\nexec '${process.execPath}' '${CCWB}' "$@"\n`;
  writeFileSync(join(folder, 'ccwb'), program, { mode: 0o755 });
  const env = {
    PATH: `${folder}:/usr/bin:/bin`,
    HOME: folder,
    CCWB_HOME: join(folder, 'home'),
    TERM: 'xterm',
  };
  return { script: join(folder, 'script'), env };
}

/** Words typed so far, the last one unfinished, and what is offered. */
const OFFERED: readonly [typed: string[], offered: string[]][] = [
  [['dep'], ['deploy']],
  [
    ['deploy', 'auth', 'a'],
    ['analytics', 'auth'],
  ],
  [['status', '--j'], ['--json']],
  [
    ['status', '--profile', ''],
    ['ClaudeCode', 'Team'],
  ],
  [['completion', 'z'], ['zsh']],
  [
    ['profiles', 'use', ''],
    ['ClaudeCode', 'Team'],
  ],
  [
    ['package', '--target-platform', 'mac'],
    ['macos', 'macos-arm64', 'macos-x64'],
  ],
];

t.test(
  'bash offers the commands, flags and values of the program',
  { skip: missing({ bash }) },
  async (t) => {
    const { script, env } = await setUp(t, 'bash');
    const ask = `. '${script}'
    COMP_WORDS=(ccwb "$@"); COMP_CWORD=$#; _ccwb ccwb
    [ "\${#COMPREPLY[@]}" = 0 ] || printf '%s\\n' "\${COMPREPLY[@]}"`;
    for (const [typed, wanted] of OFFERED) {
      const { stdout } = spawnSync(bash ?? '', ['--norc', '-c', ask, 'bash', ...typed], { env });
      t.strictSame(String(stdout).split('\n').filter(Boolean).sort(), wanted, typed.join(' '));
    }
  },
);

t.test(
  'fish offers the commands, flags and values of the program',
  { skip: missing({ fish }) },
  async (t) => {
    const { script, env } = await setUp(t, 'fish');
    const ask = OFFERED.map(([typed]) => `complete -C 'ccwb ${typed.join(' ')}'; echo ---`).join('\n');
    const run = spawnSync(fish ?? '', ['--no-config', '-c', `source '${script}'\n${ask}`], { env });
    t.equal(String(run.stderr), '');
    const answers = String(run.stdout).split('---\n');
    for (const [index, [typed, wanted]] of OFFERED.entries()) {
      const words = (answers[index] ?? '').split('\n').filter(Boolean);
      t.strictSame(words.map((line) => line.split('\t')[0]).sort(), wanted, typed.join(' '));
    }
  },
);

t.test('zsh completes a second name of a stack', { skip: missing({ zsh }) }, async (t) => {
  const { script, env } = await setUp(t, 'zsh');
  // A terminal of its own, in which the key is pressed that completes.
  const typed = `zmodload zsh/zpty
    zpty -b shell ${zsh} -f -i
    zpty -w shell "PS1='> '; autoload -Uz compinit; compinit -u -d $HOME/dump; source '${script}'; echo re''ady"
    zpty -r -m shell text '*ready*'
    zpty -n -w shell $'ccwb deploy auth netw\\t'
    zpty -r -m shell text '*networking*'
    print -r -- "$text"`;
  const { stdout, stderr } = spawnSync(zsh ?? '', ['-f', '-c', typed], { env, timeout: 60_000 });
  t.match(String(stdout), /ccwb deploy auth networking/, String(stderr));
});

t.test('an unknown shell is wrong usage', async (t) => {
  t.match(await ccwb(['completion', 'tcsh']), {
    status: 2,
    out: '',
    error: /"tcsh"; allowed: bash, zsh, fish/,
  });
  t.match(await ccwb(['completion']), { status: 2, error: /a shell is needed/ });
});
