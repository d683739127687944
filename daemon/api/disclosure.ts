import { realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import type { ProfileConfig } from '../../protocol/config.ts';
import { CcwbError } from '../../protocol/errors.ts';
import type { PeerCredentials } from '../platform/native.ts';
import type { AuditLog, Disclosed } from './audit-log.ts';
import { requesterOf } from './peer.ts';

/** A request for a credential of a profile; `signal` aborts when the caller disconnects. */
export type DisclosureRequest = {
  profile: Pick<ProfileConfig, 'name' | 'allowedPrograms'>;
  what: Disclosed;
  peer: PeerCredentials | undefined;
  signal: AbortSignal;
};

/** Returns a credential if the program is allowed to get it. The audit log records both success and refusal. */
export type Disclose = <Credential>(
  request: DisclosureRequest,
  get: () => Promise<Credential>,
  keyId?: (credential: Credential) => string,
) => Promise<Credential>;

/** The suffix that the kernel adds to the name of a removed file, such as a running program after its upgrade. */
const DELETED = / \(deleted\)$/;

export function createDisclose(audit: AuditLog, home: string = homedir()): Disclose {
  return async ({ profile, what, peer, signal }, get, keyId) => {
    // Before any wait: the process is waiting for its answer, so its parents still exist.
    const requester = requesterOf(peer);
    const entry = { profile: profile.name, what, requester };
    const program = requester.caller?.program?.replace(DELETED, '') ?? null;
    const { allowedPrograms } = profile;
    if (allowedPrograms && !(await isAllowed(allowedPrograms, program, home))) {
      audit.record({ ...entry, refused: true });
      throw notAllowed(profile.name, program);
    }
    const credential = await get();
    // A caller that has disconnected gets nothing.
    if (!signal.aborted) audit.record(keyId ? { ...entry, keyId: keyId(credential).slice(-4) } : entry);
    return credential;
  };
}

/** True if an entry names the program, or ends with a slash and names a folder above it. Links are followed. */
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
