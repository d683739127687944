/** Removes the temporary files of runs that were killed. */
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** No run takes as long, on whichever machine that shares the folder it may be. */
const AGE_MS = 24 * 3_600_000;

/** Removes from a folder what is called so and is a day old; what cannot be removed stays. */
export function removeStaleFiles(folder: string, name: RegExp, now: number): void {
  for (const found of readdirSync(folder).filter((each) => name.test(each))) {
    const path = join(folder, found);
    try {
      if (now - statSync(path).mtimeMs > AGE_MS) rmSync(path, { recursive: true, force: true });
    } catch {
      // It is somebody else's, or another run has just removed it.
    }
  }
}
