/** `--help` as the programs print it, and the blocks of the pages that quote it. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from './pages.ts';

/** Programs of the build by the command that people type, for commands that a page may quote. */
const COMMANDS: Readonly<Record<string, readonly [file: string, ...args: string[]]>> = {
  'install.sh': [process.execPath, 'build/app/shim/install.js'],
  'credential-process': ['build/app/credential-process'],
  'otel-helper': ['build/app/otel-helper'],
  'bedrock-auth': ['build/app/bedrock-auth'],
  'bedrock-auth login': ['build/app/bedrock-auth', 'login'],
  'bedrock-auth logout': ['build/app/bedrock-auth', 'logout'],
  'bedrock-auth status': ['build/app/bedrock-auth', 'status'],
  'bedrock-auth doctor': ['build/app/bedrock-auth', 'doctor'],
  'bedrock-auth logs': ['build/app/bedrock-auth', 'logs'],
  'bedrock-auth audit': ['build/app/bedrock-auth', 'audit'],
  'bedrock-auth env': ['build/app/bedrock-auth', 'env'],
  'bedrock-auth exec': ['build/app/bedrock-auth', 'exec'],
  'bedrock-auth completion': ['build/app/bedrock-auth', 'completion'],
  'bedrock-auth uninstall': ['build/app/bedrock-auth', 'uninstall'],
  'bedrock-auth service': ['build/app/bedrock-auth', 'service'],
  'bedrock-auth service install': ['build/app/bedrock-auth', 'service', 'install'],
  'bedrock-auth service uninstall': ['build/app/bedrock-auth', 'service', 'uninstall'],
  'bedrock-auth service start': ['build/app/bedrock-auth', 'service', 'start'],
  'bedrock-auth service stop': ['build/app/bedrock-auth', 'service', 'stop'],
  'bedrock-auth service restart': ['build/app/bedrock-auth', 'service', 'restart'],
  'bedrock-auth service status': ['build/app/bedrock-auth', 'service', 'status'],
  'bedrock-authd': ['build/app/bedrock-authd'],
  ccwb: [process.execPath, 'build/js/admin/ccwb.js'],
  'ccwb init': [process.execPath, 'build/js/admin/ccwb.js', 'init'],
  'ccwb deploy': [process.execPath, 'build/js/admin/ccwb.js', 'deploy'],
  'ccwb status': [process.execPath, 'build/js/admin/ccwb.js', 'status'],
  'ccwb destroy': [process.execPath, 'build/js/admin/ccwb.js', 'destroy'],
  'ccwb test': [process.execPath, 'build/js/admin/ccwb.js', 'test'],
  'ccwb package': [process.execPath, 'build/js/admin/ccwb.js', 'package'],
  'ccwb doctor': [process.execPath, 'build/js/admin/ccwb.js', 'doctor'],
  'ccwb cleanup': [process.execPath, 'build/js/admin/ccwb.js', 'cleanup'],
  'ccwb completion': [process.execPath, 'build/js/admin/ccwb.js', 'completion'],
  'ccwb profiles': [process.execPath, 'build/js/admin/ccwb.js', 'profiles'],
  'ccwb profiles list': [process.execPath, 'build/js/admin/ccwb.js', 'profiles', 'list'],
  'ccwb profiles use': [process.execPath, 'build/js/admin/ccwb.js', 'profiles', 'use'],
  'ccwb profiles show': [process.execPath, 'build/js/admin/ccwb.js', 'profiles', 'show'],
  'ccwb profiles export': [process.execPath, 'build/js/admin/ccwb.js', 'profiles', 'export'],
  'ccwb profiles import': [process.execPath, 'build/js/admin/ccwb.js', 'profiles', 'import'],
  'ccwb profiles remove': [process.execPath, 'build/js/admin/ccwb.js', 'profiles', 'remove'],
  'npm run demo --': [process.execPath, 'build/js/tools/demo/demo.js'],
  'npm run sandbox --': [process.execPath, 'build/js/sandbox/main.js'],
  'npm run bench --': [process.execPath, 'build/js/tools/bench/bench.js'],
  'npm run test:week --': [process.execPath, 'build/js/tools/week/main.js'],
};

/** The commands of the programs people are given, subcommands included. */
export const PROGRAM_COMMANDS = Object.keys(COMMANDS).filter((command) => !command.startsWith('npm '));

/** Returns the output of `COMMAND --help`, ending in one newline. */
export function helpOf(command: string): string {
  const [file, ...args] = COMMANDS[command] ?? [];
  if (file === undefined) throw new Error(`the pages quote ${command} --help, which help.ts does not know`);
  const text = execFileSync(file.startsWith('build/') ? join(ROOT, file) : file, [...args, '--help'], {
    cwd: ROOT,
    encoding: 'utf8',
    // Commander breaks lines to the terminal's width, and a narrow one would change the text.
    env: { ...process.env, COLUMNS: '80', NO_COLOR: '1' },
  });
  return `${text.trimEnd()}\n`;
}

/** A block that quotes a command begins with the command, as typed: `$ bedrock-auth --help`. */
const QUOTE = /^```text\n\$ (.+) --help\n([\s\S]*?)^```$/gm;

export type Quote = { command: string; text: string };

export function quotes(markdown: string): Quote[] {
  return [...markdown.matchAll(QUOTE)].map(([, command = '', text = '']) => ({ command, text }));
}

/** The page with every quoted help text as it is today. */
export function withFreshQuotes(markdown: string): string {
  return markdown.replace(
    QUOTE,
    (_, command: string) => `\`\`\`text\n$ ${command} --help\n${helpOf(command)}\`\`\``,
  );
}

/** The commands a help text lists under `Commands:`. */
export function listedCommands(help: string): string[] {
  const [, list = ''] = help.split(/^Commands:$/m);
  return [...(list.split(/\n\n/)[0] ?? '').matchAll(/^ {2}([a-z][\w-]*)/gm)].map(([, name = '']) => name);
}
