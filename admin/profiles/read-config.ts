import { type Config, loadConfig } from '../../protocol/config.ts';
import { CcwbError } from '../../protocol/errors.ts';

/**
 * Reads the config.json that an administrator names. Its error for a missing file is about the path, not about
 * a missing package.
 *
 * @throws CcwbError as {@link loadConfig} does.
 */
export function readConfig(file: string): Config {
  try {
    return loadConfig(file);
  } catch (thrown) {
    if (!(thrown instanceof CcwbError) || thrown.code !== 'ERR_CONFIG_MISSING') throw thrown;
    const fix = 'name one with --config, or leave that and CCWB_CONFIG out to use a profile of ccwb init';
    throw new CcwbError(thrown.code, thrown.message, fix, { cause: thrown });
  }
}
