import type { Command } from 'commander';
import { deploymentName, STACKS, type StackId, stackName } from '../infra/outputs.ts';
import { CcwbError } from '../protocol/errors.ts';
import type { CloudFormation, StackResource, StackState } from './cloudformation-types.ts';
import { confirmByTyping } from './confirm.ts';
import { namedStacks } from './deploy.ts';
import { isUnderWay } from './follow.ts';
import type { AdminIo } from './io.ts';
import { refuseProtected, removeStack } from './remove-stack.ts';
import { addProfileOptions, choose, openSession, type ProfileFlags } from './session.ts';
import { paragraph, typeWords } from './text.ts';

type DestroyFlags = ProfileFlags & { yes?: true; force?: true; dryRun?: true; json?: true };

/** What became of a stack; the form that `ccwb destroy --json` prints. */
export type DestroyedStack = {
  readonly stack: StackId;
  readonly name: string;
  readonly result: 'deleted' | 'absent' | 'planned';
  readonly deletes: readonly StackResource[];
  /** Stays in the account, and is nobody's then. */
  readonly keeps: readonly StackResource[];
};

const EXAMPLES = `
Stacks are deleted in the reverse of this order: ${STACKS.join(', ')}

Examples:
  See what would be deleted and what would stay:
    $ ccwb destroy --dry-run

  Delete everything of the profile ClaudeCode; asks for its name:
    $ ccwb destroy

  Without a terminal:
    $ ccwb destroy --yes --json
`;

/** Adds `ccwb destroy [stack...]`. */
export function addDestroyCommand(program: Command, io: AdminIo): void {
  const command = program
    .command('destroy')
    .summary('delete the stacks from AWS')
    .description(
      'Deletes the CloudFormation stacks of a profile, the last one first. Says before what goes and what stays. ' +
        'Stacks that are not there are no error.',
    )
    .argument('[stack...]', 'which stacks (default: all)')
    .option('--dry-run', 'show what would be deleted, and delete nothing')
    .option('-y, --yes', 'do not ask for the name of the deployment')
    .option('--force', 'the same')
    .option('--json', 'print the result as JSON');
  addProfileOptions(command)
    .addHelpText('after', EXAMPLES)
    .action((names: string[], flags: DestroyFlags) => destroy(namedStacks(names), flags, io));
}

/** @param stacks those that were named; undefined: whichever of all are there. */
async function destroy(
  stacks: readonly StackId[] | undefined,
  flags: DestroyFlags,
  io: AdminIo,
): Promise<void> {
  const chosen = choose(flags, io);
  const { cloud } = await openSession(chosen, io);
  const deployment = deploymentName(chosen.profile.name);
  const all = await lookAt([...(stacks ?? STACKS)].reverse(), chosen.profile.name, cloud);
  const there = all.filter(({ state }) => state !== undefined);
  const found = stacks ? all : there;
  if (found.length === 0) io.writeError(`\nNo stack of ${deployment} is there.\n`);
  for (const one of found) io.writeError(contents(one, io.columns));
  for (const { state } of there) if (state) refuseProtected(state);

  const done: DestroyedStack[] = [];
  let failure: unknown;
  try {
    if (there.length > 0 && !flags.dryRun) {
      const question = `This cannot be undone. To delete it, type ${deployment}:`;
      const yes = flags.yes === true || flags.force === true;
      await confirmByTyping(question, deployment, yes, '--yes', io);
    }
    for (const { stack, name, state, deletes, keeps } of found) {
      const result = state === undefined ? 'absent' : flags.dryRun ? 'planned' : 'deleted';
      if (state && !flags.dryRun) await removeStack(state, { cloud, io });
      done.push({ stack, name, result, deletes, keeps });
    }
  } catch (thrown) {
    failure = thrown;
  }
  const error = failure instanceof CcwbError ? { error: failure.toBody().error } : {};
  if (flags.json) io.writeOut(`${JSON.stringify({ deployment, stacks: done, ...error }, undefined, 2)}\n`);
  else for (const { name, result, keeps } of done) io.writeOut(`${name}  ${result}\n${leftBehind(keeps)}`);
  if (failure !== undefined) throw failure;
}

type Found = Pick<DestroyedStack, 'stack' | 'name' | 'deletes' | 'keeps'> & { state: StackState | undefined };

async function lookAt(stacks: readonly StackId[], profile: string, cloud: CloudFormation): Promise<Found[]> {
  const found: Found[] = [];
  for (const stack of stacks) {
    const name = stackName(profile, stack);
    const state = await cloud.describeStack(name);
    if (state === undefined) {
      found.push({ stack, name, state, deletes: [], keeps: [] });
      continue;
    }
    // Of a stack for which only a change set was made there is neither.
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

function contents({ name, state, deletes, keeps }: Found, columns: number | undefined): string {
  if (state === undefined) return `\n${name}: not there\n`;
  const line = (sign: string) => (resource: StackResource) =>
    paragraph(
      `${resource.logicalId} (${typeWords(resource.type)}) ${resource.physicalId ?? ''}`.trim(),
      columns,
      sign,
    );
  const busy = isUnderWay(state.status) ? ', which is waited for' : '';
  return [
    `\n${name} (${state.status}${busy}) will be deleted:\n`,
    ...deletes.map(line('  - ')),
    ...(keeps.length > 0 ? ['What stays in the account:\n', ...keeps.map(line('  = '))] : []),
  ].join('');
}

function leftBehind(keeps: readonly StackResource[]): string {
  return keeps.map(({ type, physicalId }) => `  stays: ${typeWords(type)} ${physicalId ?? ''}\n`).join('');
}
