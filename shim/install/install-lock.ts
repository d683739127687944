import { join } from 'node:path';
import { CcwbError } from '../../protocol/errors.ts';
import { tryProcessLock } from '../daemon/process-lock.ts';
import { LOCK_FILE } from '../installation/layout.ts';
import type { ShimEdges } from '../program/edges.ts';

/**
 * Acquires the lock that lets one installer run at a time. The lock of a process that has ended is ignored.
 *
 * @throws CcwbError ERR_INSTALL_FAILED while another installer runs.
 */
export function acquireInstallLock({ installation, now }: ShimEdges): { release(): void } {
  const path = join(installation, LOCK_FILE);
  const lock = tryProcessLock(path, now());
  if ('end' in lock) return { release: lock.end };
  throw lockHeld(path, lock.holder);
}

function lockHeld(path: string, holder: number | undefined): CcwbError {
  return new CcwbError(
    'ERR_INSTALL_FAILED',
    `another installation is under way (process ${holder ?? 'unknown'})`,
    `wait for its end; if there is none, rm ${path}`,
  );
}
