import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CcwbError } from '../../protocol/errors.ts';
import { LOCK } from '../layout.ts';
import type { Program } from '../program.ts';

/**
 * One installer at a time. A lock whose process has ended is nobody's.
 *
 * @throws CcwbError ERR_INSTALL_FAILED while another one works.
 */
export function holdLock({ installation }: Program): { release(): void } {
  const path = join(installation, LOCK);
  for (let tries = 0; ; tries += 1) {
    try {
      writeFileSync(path, `${process.pid}\n`, { flag: 'wx', mode: 0o600 });
      return { release: () => rmSync(path, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const holder = holderOf(path);
      if (tries > 0 || (holder !== undefined && isRunning(holder))) throw taken(path, holder);
      rmSync(path, { force: true });
    }
  }
}

function holderOf(path: string): number | undefined {
  try {
    return Number.parseInt(readFileSync(path, 'utf8'), 10) || undefined;
  } catch {
    return undefined;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function taken(path: string, holder: number | undefined): CcwbError {
  return new CcwbError(
    'ERR_INSTALL_FAILED',
    `another installation is under way (process ${holder ?? 'unknown'})`,
    `wait for its end; if there is none, rm ${path}`,
  );
}
