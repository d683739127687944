/** Migrates a profile of an older form to today's, with a step for each version. */
import { CcwbError } from '../../protocol/errors.ts';
import { isObject } from '../../protocol/json.ts';
import { formatValue } from '../../protocol/profile-reader.ts';
import { PROFILE_SCHEMA } from './admin-profile.ts';
import { fromLegacyTool, type StoredFields } from './legacy-profile.ts';

/**
 * Migrates from the version of the index to the next. A step gets the fields of the file, and its path for
 * errors. It keeps unknown fields.
 */
const STEPS: readonly ((fields: StoredFields, path: string, name: string | undefined) => StoredFields)[] = [
  fromLegacyTool,
];

/** The version of a profile's form; 0 for those of the legacy tool, which have a `schema_version` of its own. */
export function schemaOf(value: unknown): number {
  const schema = isObject(value) ? (value.schema ?? 0) : 0;
  return typeof schema === 'number' ? schema : Number.NaN;
}

/**
 * Returns the fields of a profile in today's form, without checking their shapes.
 *
 * @throws CcwbError ERR_CONFIG_INVALID for a form that is newer than this program, or none.
 */
export function migrate(value: unknown, path: string, name: string | undefined): unknown {
  if (!isObject(value)) return value;
  const schema = schemaOf(value);
  if (!Number.isInteger(schema) || schema < 0 || schema > PROFILE_SCHEMA) {
    const newer = schema > PROFILE_SCHEMA;
    throw new CcwbError(
      'ERR_CONFIG_INVALID',
      `${path}: schema is ${formatValue(value.schema)}; allowed: ${PROFILE_SCHEMA}, or what came before it`,
      newer
        ? `a newer ccwb wrote ${path}: use that one, since this one could not keep what it does not know`
        : `correct schema in ${path}, or run ccwb init`,
    );
  }
  return STEPS.slice(schema).reduce<StoredFields>((fields, step) => step(fields, path, name), value);
}
