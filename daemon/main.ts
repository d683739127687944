/** The daemon's process: flags, environment, signals, exit status. */
import './platform/no-debugger.ts';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  type NetworkSettings,
  networkSettingsFrom,
  readNetworkSettings,
} from '../common/network-settings.ts';
import { asCcwbError, CcwbError, errorLines } from '../protocol/errors.ts';
import { type Paths, resolvePaths, thisProcess } from '../protocol/paths.ts';
import { BUILD_VERSION } from '../protocol/version.ts';
import { createAuditLog } from './api/audit-log.ts';
import { type Daemon, startDaemon } from './daemon.ts';
import type { DaemonEdges } from './edges.ts';
import { createCorrectedClock } from './platform/clock.ts';
import { causeOf, createLog, type Log } from './platform/log.ts';
import { forbidCoreDumps, forbidDebuggers } from './platform/native.ts';
import { createNetworkAccess } from './platform/network.ts';
import { probeAddresses } from './platform/probe.ts';
import { systemdSocket } from './platform/socket.ts';
import { createCredentialLocks } from './session/credential-lock.ts';
import { createLegacyTokens } from './session/legacy-tokens.ts';
import { createKeyringStore } from './session/stores/keyring-store.ts';
import { createSessionFileStore } from './session/stores/session-file-store.ts';

process.umask(0o077);

const HELP = `bedrock-authd: the daemon that signs you in and keeps AWS credentials fresh.
It is started by your service manager, or by the first program that needs it.

Usage: bedrock-authd [options]
  --config FILE         config.json (default: the installed one, or CCWB_CONFIG)
  --socket PATH         the socket to listen on (default: see CCWB_SOCKET)
  --log-file FILE       append the log to a file instead of standard output
  --tick-seconds N      look at what is due every N seconds (default 15; 1 to 30)
  --probe               fetch the addresses on standard input as the daemon
                        would, print what came of it, and end
  -v, --version         print the version
  -h, --help            print this help

Signals: SIGTERM and SIGINT stop it after answering what is in flight.
`;

async function main(): Promise<void> {
  const { values } = readFlags();
  if (values.help) return void process.stdout.write(HELP);
  if (values.version) return void process.stdout.write(`${BUILD_VERSION}\n`);
  const closed = [forbidCoreDumps(), forbidDebuggers()].every(Boolean);
  const inherited = systemdSocket(process.env, process.pid);
  const paths = pathsFor(values);
  forgetForeignSettings();

  const environment = { ...process.env };
  // A service has the settings stored by the installation; a shell's own settings override them.
  const networkSettings = (): NetworkSettings => ({
    ...readNetworkSettings(paths.networkSettings),
    ...networkSettingsFrom(environment),
  });
  if (values.probe) {
    const { fetch } = createNetworkAccess(
      networkSettings,
      () => {},
      () => {},
    );
    await probeAddresses(fetch, createInterface({ input: process.stdin }), process.stdout);
    process.exit(0);
  }

  const log = createLog(values['log-file'] ? { file: values['log-file'] } : { fd: 1 });
  // Node's own listener would print them between the lines of the log.
  process
    .removeAllListeners('warning')
    .on('warning', (warning) => log('warn', 'node warning', { cause: causeOf(warning) }));
  if (!closed) log('warn', 'memory is not protected from debuggers or core dumps');
  const edges = createEdges(paths, networkSettings, log);

  const daemon = await startDaemon(
    {
      socket: inherited ?? { path: paths.socket },
      configPath: paths.config,
      containerTokenPath: paths.containerToken,
      ...(values['tick-seconds'] === undefined ? {} : { tickSeconds: tickSeconds(values['tick-seconds']) }),
    },
    edges,
  );

  endWith(daemon, log);
}

/** Returns the paths of this user's installation. A flag overrides its variable. */
function pathsFor({ socket, config }: { socket?: string | undefined; config?: string | undefined }): Paths {
  const source = thisProcess();
  const env = {
    ...source.env,
    ...(socket ? { CCWB_SOCKET: socket } : {}),
    ...(config ? { CCWB_CONFIG: config } : {}),
  };
  return resolvePaths({ ...source, env });
}

/** Creates the real edges: everything of the daemon that touches the machine or the network. */
function createEdges(paths: Paths, networkSettings: () => NetworkSettings, log: Log): DaemonEdges {
  const keyringChild = join(dirname(fileURLToPath(import.meta.url)), 'keyring-child.js');
  const clock = createCorrectedClock(Date.now, () => performance.now(), log);
  const network = createNetworkAccess(networkSettings, log, clock.observe);
  return {
    clock,
    fetch: network.fetch,
    network: network.status,
    log,
    audit: createAuditLog(paths.audit, { clock: { now: Date.now }, log }),
    random: Math.random,
    createStore: (kind) =>
      kind === 'keyring' ? createKeyringStore(keyringChild) : createSessionFileStore(paths.runtimeDirectory),
    legacyTokens: createLegacyTokens(homedir()),
    // Locks stand beside the items they protect: the keyring belongs to the home, session files to the
    // runtime directory.
    createLocks: (kind) =>
      createCredentialLocks(
        kind === 'keyring'
          ? join(paths.installDirectory, 'run', 'locks')
          : join(paths.runtimeDirectory, 'sessions'),
      ),
  };
}

/** Ends the process when the daemon has stopped, after a signal or a drain. */
function endWith(daemon: Daemon, log: Log): void {
  const endAfter = (stopped: Promise<void>): void => {
    stopped.then(
      () => process.exit(0),
      (error: unknown) => {
        log('error', 'defect', { cause: causeOf(error) });
        process.exit(1);
      },
    );
  };
  const stop = (signal: NodeJS.Signals): void => {
    log('info', 'stopping', { signal });
    endAfter(daemon.stop());
  };
  // Status 0: a service manager would count another status as a failure and delay the next start. The
  // socket unit, or the program that asked for the drain, starts the next daemon.
  endAfter(daemon.drained);
  process.once('SIGTERM', stop).once('SIGINT', stop);
  // A terminal that closes must not end a session.
  process.on('SIGHUP', () => {});
  process.on('uncaughtException', (error) => log('error', 'defect', { cause: causeOf(error) }));
  process.on('unhandledRejection', (error) => log('error', 'defect', { cause: causeOf(error) }));
}

function readFlags() {
  try {
    return parseArgs({
      options: {
        config: { type: 'string' },
        socket: { type: 'string' },
        'log-file': { type: 'string' },
        'tick-seconds': { type: 'string' },
        probe: { type: 'boolean' },
        version: { type: 'boolean', short: 'v' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new CcwbError('ERR_USAGE', (error as Error).message, 'run bedrock-authd --help');
  }
}

function tickSeconds(text: string): number {
  const seconds = Number(text);
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= 30) return seconds;
  throw new CcwbError(
    'ERR_USAGE',
    `--tick-seconds ${text}: allowed are whole numbers from 1 to 30`,
    'run bedrock-authd --help',
  );
}

/** Variables of Node.js that would load other code, or switch off the check of certificates. */
const WEAKENING = ['NODE_OPTIONS', 'NODE_TLS_REJECT_UNAUTHORIZED'];

/**
 * Removes settings that could change the destination of tokens. The AWS SDK would read endpoints, regions
 * and credentials from the environment and from ~/.aws, which calls back into this daemon.
 */
function forgetForeignSettings(): void {
  for (const name of Object.keys(process.env)) {
    if (name.startsWith('AWS_') || WEAKENING.includes(name) || name.startsWith('LISTEN_'))
      delete process.env[name];
  }
  process.env.AWS_CONFIG_FILE = '/dev/null';
  process.env.AWS_SHARED_CREDENTIALS_FILE = '/dev/null';
}

main().catch((thrown: unknown) => {
  const error = asCcwbError(thrown);
  // The other daemon serves the callers.
  if (error.code === 'ERR_DAEMON_RUNNING') process.exit(0);
  process.stderr.write(errorLines('bedrock-authd', error));
  process.exit(error.exit);
});
