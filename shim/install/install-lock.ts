import { join } from 'node:path';
import { CcwbError } from '../../protocol/errors.ts';
import { takeTurn } from '../daemon/turn.ts';
import { LOCK_FILE } from '../installation/layout.ts';
import type { ShimEdges } from '../program/edges.ts';

/**
 * One installer at a time. A lock whose process has ended is nobody's.
 *
 * @throws CcwbError ERR_INSTALL_FAILED while another one works.
 */
export function acquireInstallLock({ installation, now }: ShimEdges): { release(): void } {
  const path = join(installation, LOCK_FILE);
  const turn = takeTurn(path, now());
  if ('end' in turn) return { release: turn.end };
  throw lockHeld(path, turn.holder);
}

function lockHeld(path: string, holder: number | undefined): CcwbError {
  return new CcwbError(
    'ERR_INSTALL_FAILED',
    `another installation is under way (process ${holder ?? 'unknown'})`,
    `wait for its end; if there is none, rm ${path}`,
  );
}
