import { userInfo } from 'node:os';
import { replaceFile } from '../../common/atomic-file.ts';
import type { DoctorReport } from '../../common/findings.ts';
import { CcwbError } from '../../protocol/errors.ts';
import { lastLines } from '../commands/logs.ts';
import type { ShimEdges } from '../program/edges.ts';
import { formatJson } from '../terminal/format.ts';
import type { DoctorContext } from './check.ts';

/** Number of log lines in a report. */
const LOG_LINES = 300;

/**
 * Writes a report for support: doctor's findings, the daemon's status, the parsed profiles, and the end of
 * the log. It holds no secrets, and names of the user are removed.
 *
 * @throws CcwbError ERR_USAGE when the file cannot be written.
 */
export async function writeBundle(
  edges: ShimEdges,
  context: DoctorContext,
  report: DoctorReport,
  path: string,
): Promise<void> {
  const status = await context.status();
  const lines = await lastLines(edges, LOG_LINES);
  const bundle = {
    doctor: report,
    system: { platform: edges.platform, arch: process.arch, node: process.versions.node },
    status: status instanceof CcwbError ? status.toBody() : status,
    profiles: context.profiles.map(({ clientSecret, ...profile }) => ({
      ...profile,
      clientSecret: clientSecret === undefined ? null : '(set)',
    })),
    log: lines.map(({ text, record }) => record ?? text),
  };
  const users = status instanceof CcwbError ? [] : status.profiles.map(({ user }) => user);
  const text = formatJson(JSON.parse(withoutNames(JSON.stringify(bundle), edges, users)));
  try {
    replaceFile(path, text, 0o600);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new CcwbError('ERR_USAGE', `${path} cannot be written (${code})`, 'give another path', { cause });
  }
  await edges.writeOut(`Wrote ${path}: look at it before you pass it on.\n`);
}

/** Removes e-mail addresses, the home and the name of the account. */
function withoutNames(json: string, { env }: ShimEdges, users: readonly (string | null)[]): string {
  const names = [...users, env.HOME].filter((name): name is string => Boolean(name));
  const replaced = names.reduce(
    (text, name) => text.replaceAll(JSON.stringify(name).slice(1, -1), name === env.HOME ? '~' : '(user)'),
    json,
  );
  const { username } = userInfo();
  return replaced.replace(/[\w.+-]+@[\w-]+(\.[\w-]+)+/g, '(e-mail)').replaceAll(`/${username}/`, '/(user)/');
}
