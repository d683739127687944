/** `ccwb destroy --delete-data`: the buckets that a stack left, with everything in them. */
import { CcwbError } from '../../protocol/errors.ts';
import { type Buckets, createBuckets } from '../aws/buckets.ts';
import type { AwsConnection } from '../aws/connection.ts';
import type { AdminEdges } from '../edges.ts';
import { confirmByTyping } from '../terminal/confirm.ts';
import { paragraph } from '../terminal/text.ts';
import { deleteBucketCommand } from './retained-resources.ts';

/** A deleted bucket. */
export type DeletedBucket = { readonly bucket: string; readonly objects: number };

/** Attempts to empty a bucket: logs in transit when its stack was deleted arrive within minutes. */
const TRIES = 5;
const WAIT_MS = 10_000;
/** Objects per line of progress in output that is not a terminal. */
const LINE_EVERY = 10_000;

/**
 * Empties and deletes buckets.
 *
 * @throws CcwbError with the command that deletes the rest by hand.
 */
export async function deleteBuckets(
  names: readonly string[],
  { settings }: Pick<AwsConnection, 'settings'>,
  edges: AdminEdges,
  profile: string,
): Promise<DeletedBucket[]> {
  if (names.length === 0) return [];
  const byPath = [settings.endpoint, edges.env.AWS_ENDPOINT_URL, edges.env.AWS_ENDPOINT_URL_S3].some(Boolean);
  const buckets = await createBuckets(settings, byPath);
  const done: DeletedBucket[] = [];
  for (const bucket of names) {
    try {
      const objects = await deleteBucket(bucket, buckets, edges);
      edges.writeError(
        paragraph(`bucket ${bucket} deleted, with ${objects} objects that were in it`, edges.columns),
      );
      done.push({ bucket, objects });
    } catch (thrown) {
      if (!(thrown instanceof CcwbError)) throw thrown;
      const rest = names.slice(done.length).map((name) => deleteBucketCommand(name, profile));
      throw new CcwbError(
        thrown.code,
        `${thrown.message}; its stack is gone, the bucket ${bucket} is still there`,
        `${thrown.fix}; what is left goes with: ${rest.join(' && ')}`,
        { cause: thrown },
      );
    }
  }
  return done;
}

/** @throws CcwbError ERR_USAGE for a bucket whose name CloudFormation has not made for this deployment. */
export function refuseOtherBucket(bucket: string, deployment: string): void {
  // CloudFormation begins the name with that of the stack, and cuts long ones.
  if (bucket.toLowerCase().startsWith(`${deployment}-`.toLowerCase().slice(0, 20))) return;
  throw new CcwbError(
    'ERR_USAGE',
    `--delete-bucket is ${JSON.stringify(bucket)}; allowed: a bucket that a stack of ${deployment} left`,
    'name the profile of that bucket with --profile',
  );
}

/** Runs `ccwb destroy --delete-bucket`: deletes a bucket whose stack is gone, with everything in it. */
export async function deleteLeftBucket(
  bucket: string,
  flags: { readonly yes?: true; readonly force?: true; readonly dryRun?: true; readonly json?: true },
  connection: Pick<AwsConnection, 'settings'>,
  edges: AdminEdges,
  profile: string,
): Promise<void> {
  const report = (deletedBuckets: readonly DeletedBucket[]): void => {
    if (flags.json) edges.writeOut(`${JSON.stringify({ deletedBuckets }, undefined, 2)}\n`);
  };
  edges.writeError(
    paragraph(`\nThe bucket ${bucket} will be deleted, WITH EVERYTHING IN IT.`, edges.columns),
  );
  if (flags.dryRun) return report([]);
  const yes = flags.yes === true || flags.force === true;
  await confirmByTyping(`This cannot be undone. To delete it, type ${bucket}:`, bucket, yes, '--yes', edges);
  report(await deleteBuckets([bucket], connection, edges, profile));
}

/** Empties a bucket. @returns the number of deleted objects. */
async function deleteBucket(bucket: string, buckets: Buckets, edges: AdminEdges): Promise<number> {
  const progress = showCount(bucket, edges);
  let objects = 0;
  for (let tries = 1; ; tries += 1) {
    for (let some = await buckets.deleteSome(bucket); some > 0; some = await buckets.deleteSome(bucket)) {
      objects += some;
      progress.show(objects);
      if (edges.interrupted.aborted) throw interrupted(bucket, objects);
    }
    progress.end();
    if (await buckets.remove(bucket)) return objects;
    if (tries === TRIES) {
      throw new CcwbError(
        'ERR_STACK_FAILED',
        `something is put into the bucket ${bucket} as fast as it is emptied`,
        'end what writes there',
      );
    }
    await edges.sleep(WAIT_MS);
    if (edges.interrupted.aborted) throw interrupted(bucket, objects);
  }
}

function interrupted(bucket: string, objects: number): CcwbError {
  return new CcwbError(
    'ERR_INTERRUPTED',
    `interrupted after ${objects} objects of the bucket ${bucket} were deleted`,
    'nothing brings those back',
  );
}

function showCount(bucket: string, { columns, writeError }: AdminEdges) {
  let shown = false;
  let lines = 0;
  return {
    show(objects: number): void {
      if (columns !== undefined)
        writeError(`\r\u001b[2K  … emptying ${bucket}: ${objects}`.slice(0, columns + 5));
      else if (objects >= (lines + 1) * LINE_EVERY) {
        lines = Math.floor(objects / LINE_EVERY);
        writeError(`emptying bucket ${bucket}: ${objects} objects deleted\n`);
      }
      shown = columns !== undefined;
    },
    end(): void {
      if (shown) writeError('\r\u001b[2K');
      shown = false;
    },
  };
}
