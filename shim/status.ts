import type { Problem, ProfileStatus, StatusReply } from '../protocol/api.ts';
import { CcwbError } from '../protocol/errors.ts';
import { askRunning, isUnreachable } from './ask.ts';
import type { Program } from './program.ts';
import { duration, moment } from './times.ts';

/** Width the view is made for, in columns. */
const WIDTH = 80;
/** Where a profile's values begin. */
const VALUE_COLUMN = 18;

const COLOURS = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 } as const;
type Paint = (colour: keyof typeof COLOURS, text: string) => string;

const STATE_COLOURS = {
  'signed-in': 'green',
  'signed-out': 'yellow',
  'signing-in': 'yellow',
  misconfigured: 'red',
} as const satisfies Record<ProfileStatus['state'], keyof typeof COLOURS>;

/** `bedrock-auth status`: what the daemon is doing. Starts nothing; 1 when no daemon runs. */
export async function status(
  program: Program,
  options: { profile?: string; json?: boolean },
): Promise<number> {
  let reply: StatusReply;
  try {
    reply = await askRunning<StatusReply>(program, { route: 'status' });
  } catch (error) {
    if (!isUnreachable(error)) throw error;
    if (options.json)
      await program.print(
        asJson({ daemon: null, config: program.paths.config, configProblem: null, profiles: [] }),
      );
    throw new CcwbError(
      'ERR_DAEMON_UNREACHABLE',
      `daemon not running: nothing answers on ${program.paths.socket}`,
      'run bedrock-auth login; any program that needs credentials starts it too',
    );
  }
  const shown = onlyProfile(reply, options.profile);
  const colours = program.terminal && !program.env.NO_COLOR && program.env.TERM !== 'dumb';
  await program.print(
    options.json ? asJson(shown) : statusView(shown, { now: program.now(), colours, home: program.env.HOME }),
  );
  return 0;
}

function asJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function onlyProfile(reply: StatusReply, name: string | undefined): StatusReply {
  if (name === undefined) return reply;
  const profiles = reply.profiles.filter(({ profile }) => profile === name);
  if (profiles.length > 0) return { ...reply, profiles };
  const names = reply.profiles.map(({ profile }) => profile).join(', ');
  throw new CcwbError(
    'ERR_PROFILE_UNKNOWN',
    `the daemon has no profile ${JSON.stringify(name)}; it has ${names}`,
    'use one of these with --profile',
  );
}

/** The view for people, 80 columns wide: one block for each profile, then the daemon. */
export function statusView(
  { daemon, clockSkewSeconds, network, config, configProblem, profiles }: StatusReply,
  options: { now: number; colours: boolean; home: string | undefined },
): string {
  const paint: Paint = (colour, text) => (options.colours ? `\x1b[${COLOURS[colour]}m${text}\x1b[0m` : text);
  const blocks = profiles.map((profile) => profileBlock(profile, options.now, paint));
  const uptime = duration(options.now - Date.parse(daemon.startedAt));
  blocks.push(
    [
      paint('bold', 'daemon'),
      ...row('version', `${daemon.build} (protocol ${daemon.protocol})`),
      ...row('running', `for ${uptime}, process ${daemon.pid}`),
      ...row('config', shortened(config, options.home)),
      ...row('proxy', network.proxy),
      ...clockRows(clockSkewSeconds, paint),
      ...problemRows(configProblem, options.now, paint),
    ].join('\n'),
  );
  return `${blocks.join('\n\n')}\n`;
}

function profileBlock(profile: ProfileStatus, now: number, paint: Paint): string {
  const colour = STATE_COLOURS[profile.state];
  const who = profile.state === 'signed-in' && profile.user ? ` as ${profile.user}` : '';
  const state = profile.state.replace('-', ' ');
  const lines = [
    `${paint('bold', profile.profile)}  ${paint(colour, `${state}${who}`)}`,
    ...row('credentials', until(profile.credentialsUntil, now)),
    ...row('next refresh', profile.nextRefresh && moment(profile.nextRefresh, now)),
    ...row('ID token', profile.idTokenUntil && until(profile.idTokenUntil, now)),
    ...row('issuer', profile.issuer),
    ...row('federation', profile.federation),
    ...row('storage', profile.storage),
  ];
  if (profile.state === 'signed-out') {
    lines.push(...row('to sign in', `bedrock-auth login --profile ${profile.profile}`));
  }
  lines.push(...problemRows(profile.problem, now, paint));
  return lines.join('\n');
}

function problemRows(problem: Problem | null | undefined, now: number, paint: Paint): string[] {
  if (!problem) return [];
  const { code, message, fix, at } = problem;
  const [first = '', ...rest] = row('problem', `${message} (${code})`);
  return [paint('red', first), ...rest, ...row('when', moment(at, now)), ...row('fix', fix)];
}

/** Nothing while the clock is right: most are. */
function clockRows(skewSeconds: number, paint: Paint): string[] {
  if (skewSeconds === 0) return [];
  const [first = '', ...rest] = row(
    'clock',
    `${duration(Math.abs(skewSeconds) * 1000)} ${skewSeconds > 0 ? 'slow' : 'fast'}; corrected here, but set it right`,
  );
  return [paint('yellow', first), ...rest];
}

function until(rfc3339: string | null, now: number): string {
  if (rfc3339 === null) return 'none';
  return `${Date.parse(rfc3339) > now ? 'valid until' : 'expired'} ${moment(rfc3339, now)}`;
}

/** A label and its value, broken between words to fit the width; nothing without a value. */
function row(label: string, value: string | null): string[] {
  if (value === null) return [];
  const lines: string[] = [];
  let line = `  ${label}`.padEnd(VALUE_COLUMN);
  let empty = true;
  for (const word of value.split(' ')) {
    if (!empty && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = ' '.repeat(VALUE_COLUMN);
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line];
}

function shortened(path: string, home: string | undefined): string {
  return home && path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}
