import { type Colour, type Paint, painter } from '../../common/terminal/layout.ts';
import type { Problem, ProfileStatus, StatusReply } from '../../protocol/api.ts';
import { CcwbError } from '../../protocol/errors.ts';
import { askRunning, isUnreachable } from '../daemon/ask.ts';
import type { ShimEdges } from '../program/edges.ts';
import { duration, moment } from '../terminal/times.ts';
import { asJson, row, shortPath, wantsColours } from '../terminal/view.ts';

const STATE_COLOURS = {
  'signed-in': 'green',
  'signed-out': 'yellow',
  'signing-in': 'yellow',
  misconfigured: 'red',
} as const satisfies Record<ProfileStatus['state'], Colour>;

export type StatusOptions = { profile?: string; json?: boolean; watch?: boolean };

/** What `--json` prints: the daemon's reply, or this where none runs. */
export type NoStatus = { daemon: null; config: string; configProblem: null; profiles: [] };

/** `bedrock-auth status`: what the daemon is doing. Starts nothing; 1 when no daemon runs. */
export async function status(edges: ShimEdges, options: StatusOptions): Promise<number> {
  if (options.watch) return (await import('./watch-status.ts')).watch(edges, options);
  try {
    const reply = await readStatus(edges, options.profile);
    await edges.writeOut(options.json ? asJson(reply) : viewOf(edges, reply));
    return 0;
  } catch (error) {
    if (isUnreachable(error) && options.json) await edges.writeOut(asJson(noStatus(edges)));
    throw isUnreachable(error) ? notRunning(edges) : error;
  }
}

/**
 * What the daemon says, of all profiles or of one.
 *
 * @throws CcwbError ERR_DAEMON_UNREACHABLE when none runs, ERR_PROFILE_UNKNOWN
 */
export async function readStatus(edges: ShimEdges, profile: string | undefined): Promise<StatusReply> {
  return onlyProfile(await askRunning<StatusReply>(edges, { route: 'status' }), profile);
}

export function noStatus({ paths }: ShimEdges): NoStatus {
  return { daemon: null, config: paths.config, configProblem: null, profiles: [] };
}

export function notRunning({ paths }: ShimEdges): CcwbError {
  return new CcwbError(
    'ERR_DAEMON_UNREACHABLE',
    `daemon not running: nothing answers on ${paths.socket}`,
    'run bedrock-auth login; any program that needs credentials starts it too',
  );
}

export function viewOf(edges: ShimEdges, reply: StatusReply): string {
  return statusView(reply, {
    now: edges.now(),
    colours: wantsColours(edges),
    home: edges.env.HOME,
  });
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
  const paint = painter(options.colours);
  const blocks = profiles.map((profile) => profileBlock(profile, options.now, paint));
  const uptime = duration(options.now - Date.parse(daemon.startedAt));
  blocks.push(
    [
      paint('bold', 'daemon'),
      ...row('version', `${daemon.build} (protocol ${daemon.protocol})`),
      ...row('running', `for ${uptime}, process ${daemon.pid}`),
      ...row('config', shortPath(config, options.home)),
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
