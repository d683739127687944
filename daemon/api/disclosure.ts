import { realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import type { ProfileConfig } from '../../protocol/config.ts';
import { CcwbError } from '../../protocol/errors.ts';
import type { PeerCredentials } from '../platform/native.ts';
import type { AuditLog, Disclosed } from './audit-log.ts';
import { requesterOf } from './peer.ts';

/** Who wants which credential of which profile; `signal` aborts when they go away. */
export type Asking = {
  profile: Pick<ProfileConfig, 'name' | 'allowedPrograms'>;
  what: Disclosed;
  peer: PeerCredentials | undefined;
  signal: AbortSignal;
};

/** Gives a credential to a program that may have it, and has the audit log say who got it or was refused. */
export type Disclose = <Credential>(
  asking: Asking,
  get: () => Promise<Credential>,
  keyId?: (given: Credential) => string,
) => Promise<Credential>;

/** What the kernel puts after the name of a file that is gone, as after an upgrade of a running program. */
const DELETED = / \(deleted\)$/;

export function createDisclose(audit: AuditLog, home: string = homedir()): Disclose {
  return async ({ profile, what, peer, signal }, get, keyId) => {
    // Now, while the process that asks waits for its answer and its parents are sure to be there.
    const requester = requesterOf(peer);
    const entry = { profile: profile.name, what, requester };
    const program = requester.caller?.program?.replace(DELETED, '') ?? null;
    const { allowedPrograms } = profile;
    if (allowedPrograms && !(await isAllowed(allowedPrograms, program, home))) {
      audit.record({ ...entry, refused: true });
      throw notAllowed(profile.name, program);
    }
    const credential = await get();
    // Whoever has gone meanwhile gets nothing.
    if (!signal.aborted) audit.record(keyId ? { ...entry, keyId: keyId(credential).slice(-4) } : entry);
    return credential;
  };
}

/** An entry names a program, or with a slash at its end a folder with all that is in it; links are followed. */
async function isAllowed(allowed: readonly string[], program: string | null, home: string): Promise<boolean> {
  if (program === null) return false;
  const entries = allowed.map((entry) => entry.replace(/^~(?=\/)/, home));
  if (entries.some((entry) => covers(entry, program))) return true;
  for (const entry of entries) {
    const actual = await realpath(entry).catch(() => undefined);
    if (actual && covers(entry.endsWith('/') ? `${actual}/` : actual, program)) return true;
  }
  return false;
}

function covers(entry: string, program: string): boolean {
  return entry.endsWith('/') ? program.startsWith(entry) : program === entry;
}

function notAllowed(profile: string, program: string | null): CcwbError {
  const who = program === null ? 'a program that the system does not name' : JSON.stringify(program);
  return new CcwbError(
    'ERR_REQUEST_REFUSED',
    `${who} may not have credentials of ${profile}: allowed_programs does not name it`,
    'use an allowed program, or add this one to allowed_programs in config.json',
  );
}
