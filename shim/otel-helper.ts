import { parseArgs } from 'node:util';
import { CcwbError } from '../protocol/errors.ts';
import { BUILD_VERSION } from '../protocol/version.ts';
import { askStarting } from './ask.ts';
import { checkProfile, profileMeant } from './profile.ts';
import { type Program, runProgram, usageError } from './program.ts';

const HELP = `Usage: otel-helper [--profile NAME] [--test]

Prints the headers for Claude Code's telemetry as one JSON object, or {} when
nobody is signed in. Never waits, never signs in.

  -p, --profile NAME  profile of config.json (else CCWB_PROFILE, else
                      AWS_PROFILE, else ClaudeCode)
      --test          print the headers as a table for people
      --version       print the version
      --help          print this text

Example:
  otel-helper --profile ClaudeCode --test

Exit status: 0; with --test 1 when there are no headers, 2 on wrong usage.
`;

/** Claude Code's screen is frozen while it runs the helper; whole budget in milliseconds. */
const ANSWER_MS = 300;

/** The part of otel-helper that people use; the shell file answers Claude Code. */
async function main(program: Program): Promise<number> {
  const flags = readFlags(program);
  if (flags.help) await program.print(HELP);
  else if (flags.version) await program.print(`otel-helper ${BUILD_VERSION}\n`);
  else if (flags.test) return printTable(program, flags.profile);
  else await program.print(`${JSON.stringify(await headersOrNone(program, flags.profile))}\n`);
  return 0;
}

function readFlags({ name, args }: Program): {
  profile?: string | undefined;
  test?: boolean | undefined;
  help?: boolean | undefined;
  version?: boolean | undefined;
} {
  try {
    return parseArgs({
      args: [...args],
      options: {
        profile: { type: 'string', short: 'p' },
        test: { type: 'boolean' },
        help: { type: 'boolean' },
        version: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw usageError(name, (error as Error).message.split(/\.\s|\n/)[0] ?? 'wrong flags');
  }
}

async function headersOrNone(
  program: Program,
  flag: string | undefined,
): Promise<Readonly<Record<string, string>>> {
  try {
    const profile = meant(program, flag);
    return await program.daemon.ask({ route: 'otelHeaders', params: { profile }, answerMs: ANSWER_MS });
  } catch {
    return {};
  }
}

async function printTable(program: Program, flag: string | undefined): Promise<number> {
  const profile = meant(program, flag);
  const headers = await askStarting<Readonly<Record<string, string>>>(
    program,
    { route: 'otelHeaders', params: { profile } },
    () => checkProfile(program, profile),
  );
  const rows = Object.entries(headers);
  if (rows.length === 0) {
    throw new CcwbError(
      'ERR_LOGIN_REQUIRED',
      `no headers for ${profile}: nobody is signed in`,
      `run bedrock-auth login --profile ${profile}`,
    );
  }
  const width = Math.max(...rows.map(([header]) => header.length));
  const lines = rows.map(([header, value]) => `${header.padEnd(width)}  ${masked(header, value)}\n`);
  await program.print(`Telemetry headers of profile ${profile}\n\n${lines.join('')}`);
  return 0;
}

/** AWS_PROFILE is how Claude Code's settings name the profile: the helper is run without arguments. */
function meant(program: Program, flag: string | undefined): string {
  return profileMeant(program, flag ?? (program.env.CCWB_PROFILE || program.env.AWS_PROFILE || undefined));
}

/** The ID token can be exchanged for AWS credentials: only its length is shown. */
function masked(header: string, value: string): string {
  return header === 'authorization' ? `Bearer (hidden, ${value.length} characters)` : value;
}

await runProgram('otel-helper', main);
