import { fork } from 'node:child_process';
import { CcwbError } from '../../../protocol/errors.ts';
import { TIMING } from '../../timing.ts';
import type { KeyringReply, KeyringRequest } from './keyring-protocol.ts';
import { parseStoredSession, type SecretStore, type StoreErrorCode } from './secret-store.ts';

/** The environment variables that the child gets: session bus, home directory and language. */
const CHILD_ENVIRONMENT = [
  'HOME',
  'USER',
  'LOGNAME',
  'LANG',
  'PATH',
  'XDG_RUNTIME_DIR',
  'DBUS_SESSION_BUS_ADDRESS',
];

const PROBLEM_CODES = {
  locked: 'ERR_STORE_LOCKED',
  absent: 'ERR_STORE_ABSENT',
  failed: 'ERR_STORE_FAILED',
} as const satisfies Record<string, StoreErrorCode>;

const PROBLEM_FIXES = {
  locked: 'unlock the keyring (sign in to the desktop, or open its password manager), then try again',
  absent: 'start a keyring such as gnome-keyring, or ask for a package with credential_storage "session"',
  failed: 'open the keyring with its own program to see what is wrong, then try again',
} as const;

/**
 * Creates a store in the operating system's keyring. Each operation runs in a child process of its own.
 *
 * @param childScript path of the compiled keyring-child.
 */
export function createKeyringStore(childScript: string, timeLimitMs: number = TIMING.keyringMs): SecretStore {
  const ask = (request: KeyringRequest): Promise<string | null> =>
    runChild(childScript, request, timeLimitMs);
  return {
    kind: 'keyring',
    description: 'keyring of your operating system',

    read: async (key) => {
      const value = await ask({ operation: 'read', account: key });
      return value === null ? undefined : parseStoredSession(value);
    },

    write: async (key, session) => {
      const value = JSON.stringify(session);
      const readBack = await ask({ operation: 'write', account: key, value });
      if (readBack !== value) throw keyringError('failed', 'it gave back something else than was stored');
    },

    remove: async (key) => {
      await ask({ operation: 'remove', account: key });
    },
  };
}

function runChild(script: string, request: KeyringRequest, timeLimitMs: number): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const child = fork(script, [], {
      execArgv: [],
      env: Object.fromEntries(CHILD_ENVIRONMENT.map((name) => [name, process.env[name]])),
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(
        keyringError(
          'locked',
          `it did not answer within ${timeLimitMs / 1000} s, as when it waits for its password`,
        ),
      );
    }, timeLimitMs);
    child.once('error', () => {
      clearTimeout(timer);
      reject(keyringError('failed', 'its helper process could not be started'));
    });
    child.once('exit', () => {
      clearTimeout(timer);
      reject(keyringError('failed', 'its helper process ended without an answer'));
    });
    child.once('message', (message) => {
      clearTimeout(timer);
      if (!isReply(message)) reject(keyringError('failed', 'its helper process gave no sensible answer'));
      else if (message.ok) resolve(message.value);
      else reject(keyringError(message.problem, message.detail));
    });
    child.send(request, (error) => {
      // The exit handler reports it. Without this handler a child that ended early would end the daemon.
      if (error) child.kill('SIGKILL');
    });
  });
}

function isReply(message: unknown): message is KeyringReply {
  if (typeof message !== 'object' || message === null || !('ok' in message)) return false;
  if (message.ok === true)
    return 'value' in message && (message.value === null || typeof message.value === 'string');
  const { problem, detail } = message as Record<string, unknown>;
  return typeof problem === 'string' && Object.hasOwn(PROBLEM_CODES, problem) && typeof detail === 'string';
}

function keyringError(problem: keyof typeof PROBLEM_CODES, detail: string): CcwbError {
  return new CcwbError(
    PROBLEM_CODES[problem],
    `the keyring cannot be used: ${detail}`,
    PROBLEM_FIXES[problem],
  );
}
