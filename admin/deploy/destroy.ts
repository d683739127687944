import { deploymentName, STACKS, type StackId, stackName } from '../../infra/outputs.ts';
import { CcwbError } from '../../protocol/errors.ts';
import type { CloudFormation, StackResource, StackState } from '../aws/cloudformation-types.ts';
import { type AwsConnection, connectToAws } from '../aws/connection.ts';
import type { AdminEdges } from '../edges.ts';
import { type ChosenProfile, type ProfileFlags, readChosenProfile } from '../profiles/chosen-profile.ts';
import { confirmByTyping } from '../terminal/confirm.ts';
import { paragraph, typeWords } from '../terminal/text.ts';
import { type DeletedBucket, deleteBuckets, deleteLeftBucket, refuseOtherBucket } from './delete-data.ts';
import { isUnderWay } from './operation-end.ts';
import { refuseProtected, removeStack } from './remove-stack.ts';
import {
  bucketsIn,
  isOfBucket,
  type RetainedResource,
  retainedResourceLines,
  retainedResources,
} from './retained-resources.ts';
import { parseStackNames } from './stack-names.ts';
import { forgetOutputs } from './store-outputs.ts';

export type DestroyFlags = ProfileFlags & {
  yes?: true;
  force?: true;
  dryRun?: true;
  deleteData?: true;
  keepFailed?: true;
  deleteBucket?: string;
  json?: true;
};

/** The result of deleting one stack, in the form that `ccwb destroy --json` prints. */
export type DestroyedStack = {
  readonly stack: StackId;
  readonly name: string;
  readonly result: 'deleted' | 'absent' | 'planned';
  readonly deletes: readonly StackResource[];
  /** Resources that stay when the stack is deleted. */
  readonly keeps: readonly StackResource[];
  /** Buckets among `keeps` that were deleted after it, with --delete-data. */
  readonly deletedBuckets: readonly DeletedBucket[];
  /** Resources that remain in the account without a stack. */
  readonly left: readonly RetainedResource[];
};

/**
 * Runs `ccwb destroy`.
 *
 * @param names of stacks; none: every stack that exists.
 */
export async function destroy(
  names: readonly string[],
  flags: DestroyFlags,
  edges: AdminEdges,
): Promise<void> {
  const stacks = parseStackNames(names);
  const chosen = readChosenProfile(flags, edges);
  const deployment = deploymentName(chosen.profile.name);
  if (flags.deleteBucket !== undefined) refuseOtherBucket(flags.deleteBucket, deployment);
  const connection = await connectToAws(chosen, edges);
  if (flags.deleteBucket !== undefined)
    return deleteLeftBucket(flags.deleteBucket, flags, connection, edges, chosen.profile.name);
  const all = await inspectStacks([...(stacks ?? STACKS)].reverse(), chosen.profile.name, connection.cloud);
  const there = all.filter(({ state }) => state !== undefined);
  const found = stacks ? all : there;
  if (found.length === 0) edges.writeError(`\nNo stack of ${deployment} is there.\n`);
  for (const one of found) edges.writeError(contents(one, flags.deleteData === true, edges.columns));
  for (const { state } of there) if (state) refuseProtected(state);

  const done: DestroyedStack[] = [];
  let failure: unknown;
  try {
    if (there.length > 0 && !flags.dryRun) await confirmDestruction(there, deployment, flags, edges);
    for (const one of all) {
      if (found.includes(one)) await destroyOne(one, flags, chosen, connection, done, edges);
      else if (!flags.dryRun) forget(one.stack, chosen, edges);
    }
  } catch (thrown) {
    failure = thrown;
  }
  const error = failure instanceof CcwbError ? { error: failure.toBody().error } : {};
  if (flags.json) edges.writeOut(`${JSON.stringify({ deployment, stacks: done, ...error }, undefined, 2)}\n`);
  else
    for (const one of done) edges.writeOut(`${one.name}  ${one.result}\n${retainedResourceLines(one.left)}`);
  if (failure !== undefined) throw failure;
}

type Found = Pick<DestroyedStack, 'stack' | 'name' | 'deletes' | 'keeps'> & { state: StackState | undefined };

/** @param done gets the stack as soon as it is gone, also when its data then resist. */
async function destroyOne(
  { stack, name, state, deletes, keeps }: Found,
  flags: DestroyFlags,
  chosen: ChosenProfile,
  connection: AwsConnection,
  done: DestroyedStack[],
  edges: AdminEdges,
): Promise<void> {
  const leftOf = (resources: readonly StackResource[]) => retainedResources(resources, chosen.profile.name);
  const report = { stack, name, deletes, keeps, deletedBuckets: [], left: leftOf(keeps) };
  if (flags.dryRun) {
    done.push({ ...report, result: state === undefined ? 'absent' : 'planned' });
    return;
  }
  const { cloud } = connection;
  const failed = state
    ? await removeStack(state, { cloud, edges, keepFailed: flags.keepFailed === true })
    : [];
  const left = leftOf([
    ...keeps,
    ...failed.filter(({ logicalId }) => !keeps.some((one) => one.logicalId === logicalId)),
  ]);
  forget(stack, chosen, edges);
  const index = done.push({ ...report, left, result: state === undefined ? 'absent' : 'deleted' }) - 1;
  if (!flags.deleteData) return;
  const deletedBuckets = await deleteBuckets(bucketsIn(keeps), connection, edges, chosen.profile.name);
  const stays = left.filter(({ physicalId }) => !deletedBuckets.some(({ bucket }) => bucket === physicalId));
  done[index] = { ...report, result: 'deleted', deletedBuckets, left: stays };
}

function forget(stack: StackId, { admin }: ChosenProfile, edges: AdminEdges): void {
  if (admin?.outputs[stack] !== undefined) forgetOutputs(admin, stack, edges);
}

function confirmDestruction(
  there: readonly Found[],
  deployment: string,
  flags: DestroyFlags,
  edges: AdminEdges,
): Promise<void> {
  const data = flags.deleteData && there.some(({ keeps }) => bucketsIn(keeps).length > 0);
  const what = data ? 'This cannot be undone, and the data are gone for good.' : 'This cannot be undone.';
  const yes = flags.yes === true || flags.force === true;
  return confirmByTyping(`${what} To delete it, type ${deployment}:`, deployment, yes, '--yes', edges);
}

async function inspectStacks(
  stacks: readonly StackId[],
  profile: string,
  cloud: CloudFormation,
): Promise<Found[]> {
  const found: Found[] = [];
  for (const stack of stacks) {
    const name = stackName(profile, stack);
    const state = await cloud.describeStack(name);
    if (state === undefined) {
      found.push({ stack, name, state, deletes: [], keeps: [] });
      continue;
    }
    // A stack that never executed a change set has no template and no resources.
    const empty = state.status === 'REVIEW_IN_PROGRESS';
    const template = empty ? undefined : await cloud.readTemplate(name);
    const resources = (empty ? [] : await cloud.listResources(name)).filter(
      ({ status }) => status !== 'DELETE_COMPLETE',
    );
    const isKept = ({ logicalId }: StackResource): boolean =>
      template?.Resources[logicalId]?.DeletionPolicy?.startsWith('Retain') === true;
    found.push({
      stack,
      name,
      state,
      deletes: resources.filter((resource) => !isKept(resource)),
      keeps: resources.filter(isKept),
    });
  }
  return found;
}

function contents(
  { name, state, deletes, keeps }: Found,
  deleteData: boolean,
  columns: number | undefined,
): string {
  if (state === undefined) return `\n${name}: not there\n`;
  const line = (sign: string) => (resource: StackResource) =>
    paragraph(
      `${resource.logicalId} (${typeWords(resource.type)}) ${resource.physicalId ?? ''}`.trim(),
      columns,
      sign,
    );
  const section = (title: string, sign: string, resources: readonly StackResource[]): string[] =>
    resources.length === 0 ? [] : [title, ...resources.map(line(sign))];
  const busy = isUnderWay(state.status) ? ', which is waited for' : '';
  const goes = (resource: StackResource): boolean => deleteData && isOfBucket(resource);
  return [
    `\n${name} (${state.status}${busy}) will be deleted:\n`,
    ...deletes.map(line('  - ')),
    ...section('And after it, WITH EVERYTHING IN THEM:\n', '  - ', keeps.filter(goes)),
    ...section(
      'What stays in the account:\n',
      '  = ',
      keeps.filter((resource) => !goes(resource)),
    ),
  ].join('');
}
