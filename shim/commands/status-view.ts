import { type Colour, type Paint, painter } from '../../common/terminal/layout.ts';
import type { Problem, ProfileStatus, StatusReply } from '../../protocol/api.ts';
import type { ShimEdges } from '../program/edges.ts';
import { formatRow, shortPath, wantsColours } from '../terminal/format.ts';
import { formatDuration, formatMoment } from '../terminal/time-format.ts';

const STATE_COLOURS = {
  'signed-in': 'green',
  'signed-out': 'yellow',
  'signing-in': 'yellow',
  misconfigured: 'red',
} as const satisfies Record<ProfileStatus['state'], Colour>;

/** Returns the status as people read it on this terminal. */
export function viewOf(edges: ShimEdges, reply: StatusReply): string {
  return statusView(reply, {
    now: edges.now(),
    colours: wantsColours(edges),
    home: edges.env.HOME,
  });
}

/** The view for people, 80 columns wide: one block for each profile, then the daemon. */
export function statusView(
  { daemon, clockSkewSeconds, network, config, configProblem, profiles }: StatusReply,
  options: { now: number; colours: boolean; home: string | undefined },
): string {
  const paint = painter(options.colours);
  const blocks = profiles.map((profile) => profileBlock(profile, options.now, paint));
  const uptime = formatDuration(options.now - Date.parse(daemon.startedAt));
  blocks.push(
    [
      paint('bold', 'daemon'),
      ...formatRow('version', `${daemon.build} (protocol ${daemon.protocol})`),
      ...formatRow('running', `for ${uptime}, process ${daemon.pid}`),
      ...formatRow('config', shortPath(config, options.home)),
      ...formatRow('proxy', network.proxy),
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
    ...formatRow('credentials', until(profile.credentialsUntil, now)),
    ...formatRow('next refresh', profile.nextRefresh && formatMoment(profile.nextRefresh, now)),
    ...formatRow('ID token', profile.idTokenUntil && until(profile.idTokenUntil, now)),
    ...formatRow('issuer', profile.issuer),
    ...formatRow('federation', profile.federation),
    ...formatRow('storage', profile.storage),
  ];
  if (profile.state === 'signed-out') {
    lines.push(...formatRow('to sign in', `bedrock-auth login --profile ${profile.profile}`));
  }
  lines.push(...problemRows(profile.problem, now, paint));
  return lines.join('\n');
}

function problemRows(problem: Problem | null | undefined, now: number, paint: Paint): string[] {
  if (!problem) return [];
  const { code, message, fix, at } = problem;
  const [first = '', ...rest] = formatRow('problem', `${message} (${code})`);
  return [
    paint('red', first),
    ...rest,
    ...formatRow('when', formatMoment(at, now)),
    ...formatRow('fix', fix),
  ];
}

/** Returns the line about the clock; empty if the clock is right. */
function clockRows(skewSeconds: number, paint: Paint): string[] {
  if (skewSeconds === 0) return [];
  const [first = '', ...rest] = formatRow(
    'clock',
    `${formatDuration(Math.abs(skewSeconds) * 1000)} ${skewSeconds > 0 ? 'slow' : 'fast'}; corrected here, but set it right`,
  );
  return [paint('yellow', first), ...rest];
}

function until(rfc3339: string | null, now: number): string {
  if (rfc3339 === null) return 'none';
  return `${Date.parse(rfc3339) > now ? 'valid until' : 'expired'} ${formatMoment(rfc3339, now)}`;
}
