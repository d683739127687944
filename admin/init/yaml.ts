/** The one file that knows the YAML library; import it dynamically. JSON is YAML too. */
import { parse, YAMLError } from 'yaml';
import { CcwbError } from '../../protocol/errors.ts';

/** @throws CcwbError ERR_CONFIG_INVALID with the place, and nothing of the text: it may hold a secret. */
export function parseYaml(text: string, path: string): unknown {
  try {
    // Aliases could make a small file a huge value; no answer needs one.
    return parse(text, { maxAliasCount: 0, logLevel: 'error', prettyErrors: true });
  } catch (cause) {
    const [at] = cause instanceof YAMLError ? (cause.linePos ?? []) : [];
    const place = at ? ` at line ${at.line} column ${at.col}` : '';
    throw new CcwbError(
      'ERR_CONFIG_INVALID',
      `${path} is not valid YAML or JSON${place}`,
      `correct ${path}`,
      {
        cause,
      },
    );
  }
}
