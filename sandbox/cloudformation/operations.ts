/** The steps of a stack's creation, update and deletion, with the events of CloudFormation. */

import { findConflict } from './load-balancing.ts';
import type { ChangeSetRecord, Failing, StackRecord, Stacks } from './records.ts';
import { nameOf } from './resource-names.ts';
import { type MadeResource, physicalId } from './templates.ts';

/** Plans the execution of a change set. */
export function planExecution(stacks: Stacks, stack: StackRecord, changeSet: ChangeSetRecord): void {
  if (changeSet.kind === 'CREATE') planCreation(stacks, stack, changeSet);
  else planUpdate(stacks, stack, changeSet);
}

function planCreation(stacks: Stacks, stack: StackRecord, changeSet: ChangeSetRecord): void {
  const { template, parameters } = changeSet;
  const { event } = on(stacks, stack);
  stack.steps = [
    () => {
      stack.template = template;
      stack.parameters = parameters;
      event(undefined, 'CREATE_IN_PROGRESS', 'User Initiated');
    },
  ];
  const ids = Object.keys(template.Resources);
  const failing = ids.find((id) => failureOf(stacks, id, 'create') !== undefined);
  for (const id of ids) {
    stack.steps.push(() => begin(stacks, stack, id, changeSet, 'CREATE_IN_PROGRESS'));
    if (id === failing) {
      // The next resource is created in parallel. CloudFormation cancels it and reports it as failed too.
      const next = ids[ids.indexOf(id) + 1];
      if (next) {
        stack.steps.push(() => begin(stacks, stack, next, changeSet, 'CREATE_IN_PROGRESS'));
      }
      stack.steps.push(() => event(id, 'CREATE_FAILED', failureOf(stacks, id, 'create')?.reason));
      if (next) stack.steps.push(() => event(next, 'CREATE_FAILED', 'Resource creation cancelled'));
      break;
    }
    stack.steps.push(
      () => event(id, 'CREATE_IN_PROGRESS', 'Resource creation Initiated'),
      () => event(id, 'CREATE_COMPLETE'),
    );
  }
  if (failing === undefined) stack.steps.push(() => event(undefined, 'CREATE_COMPLETE'));
  else planRollback(stacks, stack, failing);
}

function planRollback(stacks: Stacks, stack: StackRecord, failed: string): void {
  const { event } = on(stacks, stack);
  const reason = `The following resource(s) failed to create: [${failed}]. Rollback requested by user.`;
  stack.steps.push(
    () => event(undefined, 'ROLLBACK_IN_PROGRESS', reason),
    () => {
      for (const id of [...stack.resources.keys()].reverse()) {
        remove(stacks, stack, id, stack.template?.Resources[id]?.DeletionPolicy === 'Retain');
      }
    },
    () => event(undefined, 'ROLLBACK_COMPLETE'),
  );
}

function planUpdate(stacks: Stacks, stack: StackRecord, changeSet: ChangeSetRecord): void {
  const { event } = on(stacks, stack);
  const { template, changes } = changeSet;
  const before = { template: stack.template, parameters: stack.parameters };
  stack.steps = [() => event(undefined, 'UPDATE_IN_PROGRESS', 'User Initiated')];
  const conflict = findConflict(stack, changeSet);
  const reasonOf = (id: string): string | undefined =>
    conflict?.logicalId === id ? conflict.reason : failureOf(stacks, id, 'update')?.reason;
  const failing = changes.find(({ logicalId }) => reasonOf(logicalId) !== undefined);
  const resources = [...stack.resources.values()].map((resource) => ({ ...resource }));
  for (const { action, logicalId, replacement } of changes) {
    if (action === 'Remove') continue;
    const verb = action === 'Add' ? 'CREATE' : 'UPDATE';
    stack.steps.push(() =>
      begin(stacks, stack, logicalId, changeSet, `${verb}_IN_PROGRESS`, replacement === 'True'),
    );
    if (failing?.logicalId === logicalId) {
      stack.steps.push(() => event(logicalId, `${verb}_FAILED`, reasonOf(logicalId)));
      planUpdateRollback(stacks, stack, logicalId, resources);
      return;
    }
    stack.steps.push(() => event(logicalId, `${verb}_COMPLETE`));
  }
  stack.steps.push(() => {
    Object.assign(stack, { template, parameters: changeSet.parameters });
    event(undefined, 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS');
  });
  for (const { logicalId } of changes.filter(({ action }) => action === 'Remove')) {
    const kept = before.template?.Resources[logicalId]?.DeletionPolicy?.startsWith('Retain') === true;
    stack.steps.push(() => remove(stacks, stack, logicalId, kept));
  }
  stack.steps.push(() => event(undefined, 'UPDATE_COMPLETE'));
}

function planUpdateRollback(
  stacks: Stacks,
  stack: StackRecord,
  failed: string,
  before: readonly MadeResource[],
): void {
  const { event } = on(stacks, stack);
  const stuck = failureOf(stacks, failed, 'rollback');
  const reason = `The following resource(s) failed to update: [${failed}]. `;
  stack.steps.push(
    () => event(undefined, 'UPDATE_ROLLBACK_IN_PROGRESS', reason),
    () => event(failed, stuck ? 'UPDATE_FAILED' : 'UPDATE_COMPLETE', stuck?.reason),
  );
  stack.steps.push(() => {
    // What was created is deleted again, and what was replaced is used again.
    stack.resources.clear();
    for (const resource of before) stack.resources.set(resource.logicalId, resource);
  });
  if (stuck) stack.steps.push(() => event(undefined, 'UPDATE_ROLLBACK_FAILED', reason));
  else planEndOfRollback(stacks, stack);
}

/** Plans a continued rollback. */
export function planContinuedRollback(stacks: Stacks, stack: StackRecord): void {
  const { event } = on(stacks, stack);
  const stuck = [...stack.resources.keys()].find((id) => stacks.failing.get(id)?.when === 'rollback');
  stack.steps = [() => event(undefined, 'UPDATE_ROLLBACK_IN_PROGRESS', 'User Initiated')];
  if (stuck === undefined) planEndOfRollback(stacks, stack);
  else {
    stack.steps.push(
      () => event(stuck, 'UPDATE_FAILED', stacks.failing.get(stuck)?.reason),
      () => event(undefined, 'UPDATE_ROLLBACK_FAILED'),
    );
  }
}

function planEndOfRollback(stacks: Stacks, stack: StackRecord): void {
  const { event } = on(stacks, stack);
  stack.steps.push(
    () => event(undefined, 'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS'),
    () => event(undefined, 'UPDATE_ROLLBACK_COMPLETE'),
  );
}

/** @param retained logical ids of resources that stay; `failing`: those that cannot be deleted. */
export function planDeletion(
  stacks: Stacks,
  stack: StackRecord,
  retained: readonly string[] | 'failing' = [],
): void {
  const { event } = on(stacks, stack);
  // A stack in review has no resources.
  if (stack.status === 'REVIEW_IN_PROGRESS') {
    stack.steps = [() => event(undefined, 'DELETE_COMPLETE')];
    return;
  }
  stack.steps = [() => event(undefined, 'DELETE_IN_PROGRESS', 'User Initiated')];
  const ids = [...stack.resources.keys()].reverse();
  const failed: string[] = [];
  for (const id of ids) {
    const retains = stack.template?.Resources[id]?.DeletionPolicy?.startsWith('Retain') === true;
    stack.steps.push(
      () => event(id, 'DELETE_IN_PROGRESS'),
      () => {
        const problem = obstacle(stacks, stack, id);
        const kept = retains || (retained === 'failing' ? problem !== undefined : retained.includes(id));
        const failure = kept ? undefined : problem;
        if (!failure) return remove(stacks, stack, id, kept);
        failed.push(id);
        event(id, 'DELETE_FAILED', failure.reason);
      },
    );
  }
  stack.steps.push(() => {
    const reason = `The following resource(s) failed to delete: [${failed.join(', ')}]. `;
    if (failed.length > 0) event(undefined, 'DELETE_FAILED', reason);
    else event(undefined, 'DELETE_COMPLETE');
  });
}

/** Returns the reason for which a resource cannot be deleted. */
function obstacle(stacks: Stacks, stack: StackRecord, id: string): Pick<Failing, 'reason'> | undefined {
  const { type, physicalId: bucket = '' } = stack.resources.get(id) ?? {};
  if (type === 'AWS::S3::Bucket' && stacks.filled.has(bucket)) {
    return { reason: 'The bucket you tried to delete is not empty (Service: S3, Status Code: 409)' };
  }
  return failureOf(stacks, id, 'delete');
}

function begin(
  stacks: Stacks,
  stack: StackRecord,
  id: string,
  { template, parameters }: ChangeSetRecord,
  status: string,
  anew = false,
): void {
  if (anew || !stack.resources.has(id)) {
    const type = template.Resources[id]?.Type ?? '';
    const name = nameOf(template, id, stack.resources, parameters);
    const made = {
      logicalId: id,
      physicalId: physicalId(stack.name, id, type, stacks.region),
      type,
      name,
      status,
    };
    stack.resources.set(id, made);
  }
  stacks.event(stack, id, status);
}

function remove(stacks: Stacks, stack: StackRecord, id: string, kept: boolean): void {
  const { type, name } = stack.resources.get(id) ?? {};
  if (kept && name !== undefined) stacks.outside.add(`${type} ${name}`);
  stacks.event(stack, id, kept ? 'DELETE_SKIPPED' : 'DELETE_COMPLETE');
  stack.resources.delete(id);
}

function failureOf(stacks: Stacks, id: string, when: Failing['when']): Failing | undefined {
  const failing = stacks.failing.get(id);
  if (failing?.when === when) return failing;
  // A rollback follows a failed update.
  return failing?.when === 'rollback' && when === 'update' ? failing : undefined;
}

function on(stacks: Stacks, stack: StackRecord) {
  return {
    event: (logicalId: string | undefined, status: string, reason?: string) =>
      stacks.event(stack, logicalId, status, reason),
  };
}
