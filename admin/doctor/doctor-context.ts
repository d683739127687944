import { statfsSync } from 'node:fs';
import { STACKS, stackName } from '../../infra/outputs.ts';
import { identifyCaller, refuseOwnProgram } from '../aws/aws-identity.ts';
import { createCloudFormation } from '../aws/cloudformation.ts';
import type { StackState } from '../aws/cloudformation-types.ts';
import type { AdminEdges } from '../edges.ts';
import { discover } from '../init/discovery.ts';
import { type ChosenProfile, type ProfileFlags, readChosenProfile } from '../profiles/chosen-profile.ts';
import type { AdminDoctorContext, AdminMachine } from './check.ts';

/** Creates the context of one run of the checks. */
export function createDoctorContext(
  flags: ProfileFlags,
  edges: AdminEdges,
  machine: AdminMachine,
): AdminDoctorContext {
  const chosen = memoize((): ChosenProfile => readChosenProfile(flags, edges));
  const aws = memoize(async () => {
    if (edges.aws.credentials === undefined) await refuseOwnProgram(edges.env);
    return identifyCaller(chosen().profile.awsRegion, edges);
  });
  const cloud = memoize(async () => createCloudFormation((await aws()).settings, edges.interrupted));
  return {
    edges,
    machine,
    chosen,
    aws,
    cloud,
    stacks: memoize(async () => {
      const { describeStack } = await cloud();
      const { name } = chosen().profile;
      const found = await Promise.all(
        STACKS.map(async (stack) => [stack, await describeStack(stackName(name, stack))] as const),
      );
      return new Map(found.filter((entry): entry is [(typeof STACKS)[number], StackState] => !!entry[1]));
    }),
    discovery: memoize(async () =>
      discover(chosen().profile.identityProvider.issuer, edges.fetch, edges.interrupted),
    ),
  };
}

/** Returns a function that does the work once and returns its value, or throws its error, each time. */
function memoize<T>(work: () => T): () => T {
  let done: { value: T } | { thrown: unknown } | undefined;
  return () => {
    try {
      done ??= { value: work() };
    } catch (thrown) {
      done = { thrown };
    }
    if ('thrown' in done) throw done.thrown;
    return done.value;
  };
}

/** Facts about this computer, from the real process. */
export function readMachine(): AdminMachine {
  return {
    node: process.versions.node,
    freeBytes: (folder) => {
      const { bavail, bsize } = statfsSync(folder);
      return bavail * bsize;
    },
    workingFolder: process.cwd(),
  };
}
