/** Change sets: creation, description and validation. */
import { randomUUID } from 'node:crypto';
import { AwsError } from '../aws/aws-service.ts';
import { membersOf, type Xml } from '../aws/query-protocol.ts';
import type { ChangeSetRecord, StackRecord, Stacks } from './records.ts';
import { checkNames, EARLY_VALIDATION } from './resource-names.ts';
import { checkCapabilities, checkParameters, compare, invalid, parseTemplate, same } from './templates.ts';

const nothingToDo =
  "The submitted information didn't contain changes. Submit different information to create a change set.";

export function createChangeSet(parameters: URLSearchParams, stacks: Stacks): Xml {
  const stackName = parameters.get('StackName') ?? '';
  const name = parameters.get('ChangeSetName') ?? '';
  const kind = parameters.get('ChangeSetType') === 'CREATE' ? 'CREATE' : 'UPDATE';
  if (!/^[a-zA-Z][-a-zA-Z0-9]{0,127}$/.test(stackName) || !/^[a-zA-Z][-a-zA-Z0-9]{0,127}$/.test(name)) {
    throw invalid('1 validation error detected: a name failed to satisfy constraint');
  }
  const template = parseTemplate(parameters.get('TemplateBody') ?? '');
  const keys = membersOf(parameters, 'Parameters', 'ParameterKey');
  const given = membersOf(parameters, 'Parameters', 'ParameterValue');
  const values = checkParameters(
    template,
    Object.fromEntries(keys.map((key, index) => [key, given[index] ?? ''])),
  );
  checkCapabilities(template, membersOf(parameters, 'Capabilities'));

  const there = stacks.find(stackName);
  const stack = kind === 'CREATE' ? forCreation(there, stackName, name, stacks) : forUpdate(there, stackName);
  const namesake = [...stack.changeSets.values()].find((other) => other.name === name);
  const token = parameters.get('ClientToken');
  if (namesake && token !== null && namesake.token === token) return { Id: namesake.id, StackId: stack.id };
  if (namesake) {
    throw new AwsError('AlreadyExistsException', `ChangeSet ${name} already exists`);
  }
  const parametersChanged = !same(stack.parameters, values);
  const found = compare(stack.template, template, stack.resources);
  const outputsChanged = !same(stack.template?.Outputs, template.Outputs);
  const changeSet: ChangeSetRecord = {
    id: `arn:aws:cloudformation:${stacks.region}:${stacks.account}:changeSet/${name}/${randomUUID()}`,
    name,
    kind,
    token: parameters.get('ClientToken'),
    template,
    parameters: values,
    changes: found,
    status: 'CREATE_PENDING',
    executionStatus: 'UNAVAILABLE',
    failedChecks: [],
    reason: found.length > 0 || outputsChanged || parametersChanged ? undefined : nothingToDo,
  };
  stack.roleArn = parameters.get('RoleARN') ?? stack.roleArn;
  if (stacks.changeSetsAtOnce) finish(stacks, stack, changeSet);
  else stack.changeSets.set(changeSet.id, changeSet);
  return { Id: changeSet.id, StackId: stack.id };
}

function forCreation(
  there: StackRecord | undefined,
  name: string,
  changeSet: string,
  stacks: Stacks,
): StackRecord {
  if (there === undefined) return stacks.open(name);
  if (there.status === 'REVIEW_IN_PROGRESS') return there;
  throw invalid(
    `Stack [${name}] already exists and cannot be created again with the changeSet [${changeSet}].`,
  );
}

function forUpdate(there: StackRecord | undefined, name: string): StackRecord {
  if (there === undefined) throw invalid(`Stack [${name}] does not exist`);
  if (/^(CREATE|UPDATE|UPDATE_ROLLBACK|IMPORT|IMPORT_ROLLBACK)_COMPLETE$/.test(there.status)) return there;
  throw invalid(`Stack:${there.id} is in ${there.status} state and can not be updated.`);
}

export function finish(stacks: Stacks, stack: StackRecord, changeSet: ChangeSetRecord): void {
  changeSet.failedChecks = checkNames(stacks, stack, changeSet);
  if (changeSet.failedChecks.length > 0) changeSet.reason = EARLY_VALIDATION;
  const failed = changeSet.reason !== undefined;
  changeSet.status = failed ? 'FAILED' : 'CREATE_COMPLETE';
  changeSet.executionStatus = failed ? 'UNAVAILABLE' : 'AVAILABLE';
  stack.changeSets.set(changeSet.id, changeSet);
}

export function findChangeSet(parameters: URLSearchParams, stacks: Stacks) {
  const wanted = parameters.get('ChangeSetName');
  for (const stack of stacks.all) {
    for (const changeSet of stack.changeSets.values()) {
      if (changeSet.id === wanted) return { stack, changeSet };
    }
  }
  return undefined;
}

export function requiredChangeSet(parameters: URLSearchParams, stacks: Stacks) {
  const found = findChangeSet(parameters, stacks);
  if (found) return found;
  throw new AwsError(
    'ChangeSetNotFound',
    `ChangeSet [${parameters.get('ChangeSetName')}] does not exist`,
    404,
  );
}

export function describeChangeSet(stack: StackRecord, changeSet: ChangeSetRecord): Xml {
  return {
    ChangeSetId: changeSet.id,
    ChangeSetName: changeSet.name,
    StackId: stack.id,
    StackName: stack.name,
    Status: changeSet.status,
    StatusReason: changeSet.status === 'FAILED' ? changeSet.reason : undefined,
    ExecutionStatus: changeSet.executionStatus,
  };
}

export function changes({ changes: found, status }: ChangeSetRecord): Xml[] {
  if (status !== 'CREATE_COMPLETE') return [];
  return found.map(({ action, logicalId, type, physicalId, replacement, properties }) => ({
    Type: 'Resource',
    ResourceChange: {
      Action: action,
      LogicalResourceId: logicalId,
      PhysicalResourceId: physicalId,
      ResourceType: type,
      Replacement: replacement,
      Details: properties.map((Name) => ({ Target: { Attribute: 'Properties', Name } })),
    },
  }));
}

/** @throws {AwsError} unless the change set is named by its ARN: AWS knows no other name here. */
export function describeEvents(parameters: URLSearchParams, stacks: Stacks): Xml[] {
  if (!parameters.get('ChangeSetName')?.startsWith('arn:')) {
    throw invalid('One of ChangeSetName, OperationId or StackName must be specified');
  }
  const { stack, changeSet } = requiredChangeSet(parameters, stacks);
  return changeSet.failedChecks.map(({ logicalId, type, reason }) => ({
    EventId: randomUUID(),
    StackId: stack.id,
    OperationType: 'CREATE_CHANGESET',
    OperationStatus: 'FAILED',
    EventType: 'VALIDATION_ERROR',
    LogicalResourceId: logicalId,
    ResourceType: type,
    Timestamp: new Date(stacks.now()),
    ValidationFailureMode: 'FAIL',
    ValidationName: 'NAME_CONFLICT_VALIDATION',
    ValidationStatus: 'FAILED',
    ValidationStatusReason: reason,
    ValidationPath: `/Resources/${logicalId}`,
  }));
}
