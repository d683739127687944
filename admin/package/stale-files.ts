/** Removes the temporary files of runs that were killed. */
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Age in milliseconds after which no run can still be active, even on another machine that shares the folder. */
const AGE_MS = 24 * 3_600_000;

/** Removes files and folders with a matching name that are a day old. Failures are ignored. */
export function removeStaleFiles(folder: string, name: RegExp, now: number): void {
  for (const found of readdirSync(folder).filter((each) => name.test(each))) {
    const path = join(folder, found);
    try {
      if (now - statSync(path).mtimeMs > AGE_MS) rmSync(path, { recursive: true, force: true });
    } catch {
      // It belongs to another user, or another run has just removed it.
    }
  }
}
