import { parseArgs } from 'node:util';
import { CcwbError } from '../protocol/errors.ts';
import { BUILD_VERSION } from '../protocol/version.ts';
import { askDaemon } from './daemon/ask-daemon.ts';
import { chooseProfileName, requireProfile } from './program/choose-profile.ts';
import type { ShimEdges } from './program/edges.ts';
import { usageError } from './program/errors.ts';
import { runProgram } from './program/run-program.ts';
import { formatDuration } from './terminal/time-format.ts';

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

/**
 * Time limit in milliseconds of one answer. Claude Code's screen is frozen while it runs the helper, for at
 * most 300 ms including the start of Node.js. The daemon answers, or fails, within 200.
 */
const ANSWER_MS = 230;

/** Default pause between two runs of the helper by Claude Code. */
const HELPER_PAUSE_MS = 29 * 60_000;

/** Runs the part of otel-helper that people use. The shell file answers Claude Code. */
async function main(edges: ShimEdges): Promise<number> {
  const flags = readFlags(edges);
  if (flags.help) await edges.writeOut(HELP);
  else if (flags.version) await edges.writeOut(`otel-helper ${BUILD_VERSION}\n`);
  else if (flags.test) return printTable(edges, flags.profile);
  else await edges.writeOut(`${JSON.stringify(await headersOrNone(edges, flags.profile))}\n`);
  return 0;
}

function readFlags({ name, args }: ShimEdges): {
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
  edges: ShimEdges,
  flag: string | undefined,
): Promise<Readonly<Record<string, string>>> {
  try {
    const profile = meant(edges, flag);
    return await edges.daemon.ask({ route: 'otelHeaders', params: { profile }, answerMs: ANSWER_MS });
  } catch {
    return {};
  }
}

async function printTable(edges: ShimEdges, flag: string | undefined): Promise<number> {
  const profile = meant(edges, flag);
  const headers = await askDaemon<Readonly<Record<string, string>>>(
    edges,
    { route: 'otelHeaders', params: { profile } },
    () => requireProfile(edges, profile),
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
  await edges.writeOut(
    `Telemetry headers of profile ${profile}\n\n${lines.join('')}${shortLifeNote(headers.authorization)}`,
  );
  return 0;
}

/**
 * Returns the setting needed if ID tokens expire before Claude Code asks for the next one. The times are read
 * without verification, which the daemon has done.
 */
function shortLifeNote(authorization: string | undefined): string {
  const payload = authorization?.split('.')[1];
  if (payload === undefined) return '';
  let claims: { iat?: unknown; exp?: unknown };
  try {
    claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as typeof claims;
  } catch {
    return '';
  }
  const lifeMs = (Number(claims.exp) - Number(claims.iat)) * 1000;
  if (!(lifeMs > 0) || lifeMs > HELPER_PAUSE_MS) return '';
  const halfLifeMs = Math.floor(lifeMs / 2 / 1000) * 1000;
  return `
The ID tokens of this provider live for ${formatDuration(lifeMs)}, and Claude Code asks for new headers
every ${formatDuration(HELPER_PAUSE_MS)}: the collector refuses what comes in between. Have it ask
more often, in the "env" of its settings:
  CLAUDE_CODE_OTEL_HEADERS_HELPER_DEBOUNCE_MS=${halfLifeMs}
`;
}

/**
 * Returns the profile. Claude Code's settings name it in AWS_PROFILE, because the helper runs without
 * arguments.
 */
function meant(edges: ShimEdges, flag: string | undefined): string {
  return chooseProfileName(edges, flag ?? (edges.env.CCWB_PROFILE || edges.env.AWS_PROFILE || undefined));
}

/**
 * Returns a header's value for people. The ID token can be exchanged for AWS credentials, so only its length
 * is shown.
 */
function masked(header: string, value: string): string {
  return header === 'authorization' ? `Bearer (hidden, ${value.length} characters)` : value;
}

await runProgram('otel-helper', main);
