import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Lists the products under build/. Each is built again only if its sources have changed.
 *
 * @param {string} root the project's folder
 */
export function products(root) {
  /** @param {string} name */
  const stampOf = (name) => join(root, 'build/stamps', name.replaceAll('/', '-'));
  /** @param {string} name @param {string} state */
  const isMadeOf = (name, state) => {
    const stamp = stampOf(name);
    const made = existsSync(stamp) && existsSync(join(root, 'build', name));
    return made && readFileSync(stamp, 'utf8') === state;
  };
  /** @param {readonly string[]} sources files and folders */
  const stateOf = (sources) => {
    const hash = createHash('sha256').update(process.version);
    for (const path of sources.flatMap(filesOf)) {
      hash.update(`\0${path}\0`).update(readFileSync(join(root, path)));
    }
    return hash.digest('hex');
  };
  /** @param {string} source @returns {string[]} */
  const filesOf = (source) => {
    if (statSync(join(root, source)).isFile()) return [source];
    return readdirSync(join(root, source), { recursive: true, encoding: 'utf8' })
      .map((path) => join(source, path))
      .filter((path) => statSync(join(root, path)).isFile())
      .sort();
  };

  return {
    /**
     * @param {string} name path under build/
     * @param {readonly string[]} sources
     * @param {() => void | Promise<void>} action
     */
    async make(name, sources, action) {
      const state = stateOf(sources);
      if (isMadeOf(name, state)) return;
      rmSync(stampOf(name), { force: true });
      await action();
      mkdirSync(dirname(stampOf(name)), { recursive: true });
      writeFileSync(stampOf(name), state);
    },
    /** Removes a product that is not what its sources are now. @param {string} name @param {readonly string[]} sources */
    discard(name, sources) {
      if (!isMadeOf(name, stateOf(sources)))
        rmSync(join(root, 'build', name), { recursive: true, force: true });
    },
  };
}
