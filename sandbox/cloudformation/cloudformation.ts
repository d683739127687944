import {
  type AwsAccount,
  AwsError,
  type AwsService,
  authenticate,
  querySignatureErrors,
  type ServiceRequest,
} from '../aws/aws-service.ts';
import { membersOf, parametersOf, refusal, success, type Xml } from '../aws/query-protocol.ts';
import {
  changes,
  createChangeSet,
  describeChangeSet,
  describeEvents,
  findChangeSet,
  finish,
  requiredChangeSet,
} from './change-sets.ts';
import { eventsAt, readTime, viewAt } from './consistency.ts';
import { planContinuedRollback, planDeletion, planExecution } from './operations.ts';
import type { StackRecord, Stacks } from './records.ts';
import { invalid } from './templates.ts';

const namespace = 'http://cloudformation.amazonaws.com/doc/2010-05-15/';

type Handler = (parameters: URLSearchParams, stacks: Stacks) => Xml;

const operations = {
  DescribeStacks(parameters, stacks) {
    const stack = required(parameters, stacks);
    stacks.look(stack);
    return { Stacks: [describe(stack, parameters, stacks)] };
  },
  DescribeStackEvents(parameters, stacks) {
    const stack = required(parameters, stacks);
    // The list must not change between its pages, so the token has the time of the first one.
    const [position = '0', time] = parameters.get('NextToken')?.split('@') ?? [];
    if (time === undefined) stacks.look(stack);
    const timeMs = time === undefined ? readTime(stacks) : Number(time);
    const seen = eventsAt(stack, timeMs);
    if (seen.length === 0) throw missing(parameters);
    const events = seen
      .toReversed()
      .map(({ id, at, logicalId, physicalId, type, status, reason, operation, token }) => ({
        EventId: id,
        StackId: stack.id,
        StackName: stack.name,
        LogicalResourceId: logicalId,
        PhysicalResourceId: physicalId,
        ResourceType: type,
        Timestamp: at,
        ResourceStatus: status,
        ResourceStatusReason: reason,
        OperationId: operation,
        ClientRequestToken: token,
      }));
    const { NextToken, ...reply } = page('StackEvents', events, stacks, position);
    return { ...reply, NextToken: NextToken === undefined ? undefined : `${NextToken}@${timeMs}` };
  },
  ListStackResources(parameters, stacks) {
    const found = [...required(parameters, stacks).resources.values()].map((resource) => ({
      LogicalResourceId: resource.logicalId,
      PhysicalResourceId: resource.physicalId,
      ResourceType: resource.type,
      ResourceStatus: resource.status,
      LastUpdatedTimestamp: new Date(0),
    }));
    return page('StackResourceSummaries', found, stacks, parameters.get('NextToken'));
  },
  GetTemplate(parameters, stacks) {
    const { template } = required(parameters, stacks);
    if (template === undefined) throw invalid(`Stack with id ${parameters.get('StackName')} does not exist`);
    return { TemplateBody: JSON.stringify(template), StagesAvailable: ['Original', 'Processed'] };
  },
  CreateChangeSet: createChangeSet,
  DescribeChangeSet(parameters, stacks) {
    const { stack, changeSet } = requiredChangeSet(parameters, stacks);
    const reply = {
      ...describeChangeSet(stack, changeSet),
      ...page('Changes', changes(changeSet), stacks, parameters.get('NextToken')),
    };
    if (changeSet.status === 'CREATE_PENDING') changeSet.status = 'CREATE_IN_PROGRESS';
    else if (changeSet.status === 'CREATE_IN_PROGRESS') finish(stacks, stack, changeSet);
    return reply;
  },
  DescribeEvents(parameters, stacks) {
    return page('OperationEvents', describeEvents(parameters, stacks), stacks, parameters.get('NextToken'));
  },
  DeleteChangeSet(parameters, stacks) {
    const found = findChangeSet(parameters, stacks);
    found?.stack.changeSets.delete(found.changeSet.id);
    return {};
  },
  ExecuteChangeSet(parameters, stacks) {
    const token = parameters.get('ClientRequestToken') ?? '';
    if (stacks.taken.has(token)) return {};
    const { stack, changeSet } = requiredChangeSet(parameters, stacks);
    if (changeSet.executionStatus !== 'AVAILABLE') {
      throw new AwsError(
        'InvalidChangeSetStatus',
        `ChangeSet [${changeSet.id}] cannot be executed in its current status of [${changeSet.status}]`,
      );
    }
    changeSet.executionStatus = 'EXECUTE_COMPLETE';
    if (token !== '') stacks.taken.add(token);
    // CloudFormation deletes the other change sets: they no longer apply to the updated stack.
    stack.changeSets.clear();
    planExecution(stacks, stack, changeSet);
    stacks.begin(stack, token);
    return {};
  },
  DeleteStack(parameters, stacks) {
    const stack = stacks.find(parameters.get('StackName') ?? '');
    if (stack === undefined || stack.status === 'DELETE_COMPLETE') return {};
    if (stack.status === 'DELETE_IN_PROGRESS') return {};
    if (stack.protected) {
      throw invalid(`Stack [${stack.name}] cannot be deleted while TerminationProtection is enabled`);
    }
    const retained = membersOf(parameters, 'RetainResources');
    const forced = parameters.get('DeletionMode') === 'FORCE_DELETE_STACK';
    if ((retained.length > 0 || forced) && stack.status !== 'DELETE_FAILED') {
      throw invalid(
        `Invalid operation on stack [${stack.id}]. Only a stack in DELETE_FAILED can be deleted so`,
      );
    }
    if (/^(UPDATE|UPDATE_ROLLBACK|ROLLBACK)_(COMPLETE_CLEANUP_)?IN_PROGRESS$/.test(stack.status)) {
      throw invalid(`Stack [${stack.name}] cannot be deleted while in status ${stack.status}`);
    }
    planDeletion(stacks, stack, forced ? 'failing' : retained);
    stacks.begin(stack, parameters.get('ClientRequestToken'));
    return {};
  },
  ContinueUpdateRollback(parameters, stacks) {
    const stack = required(parameters, stacks);
    if (stack.status !== 'UPDATE_ROLLBACK_FAILED') {
      throw invalid(
        `Stack:${stack.id} is in ${stack.status} state and can not continue rollback. Only stacks in UPDATE_ROLLBACK_FAILED state can continue.`,
      );
    }
    planContinuedRollback(stacks, stack);
    stacks.begin(stack, parameters.get('ClientRequestToken'));
    return {};
  },
  DetectStackDrift(parameters, stacks) {
    return { StackDriftDetectionId: required(parameters, stacks).id };
  },
  DescribeStackDriftDetectionStatus(parameters, stacks) {
    const stack = stacks.find(parameters.get('StackDriftDetectionId') ?? '');
    const done = stack?.drift !== 'NOT_CHECKED';
    const reply = {
      StackId: stack?.id,
      StackDriftDetectionId: stack?.id,
      DetectionStatus: done ? 'DETECTION_COMPLETE' : 'DETECTION_IN_PROGRESS',
      ...(done ? { StackDriftStatus: stack?.drift, DriftedStackResourceCount: 1 } : {}),
      Timestamp: new Date(0),
    };
    if (stack && !done) stack.drift = 'DRIFTED';
    return reply;
  },
} satisfies Record<string, Handler>;

export type CloudFormationOperation = keyof typeof operations;

/** AWS CloudFormation: the operations on stacks and change sets. operations.ts plans the steps of a stack. */
export function cloudFormation(account: AwsAccount, stacks: Stacks): AwsService {
  return {
    operation(request: ServiceRequest) {
      const action = request.path === '/' ? parametersOf(request).get('Action') : null;
      return action !== null && Object.hasOwn(operations, action) ? action : undefined;
    },
    async answer(operation, request) {
      const parameters = parametersOf(request);
      if (parameters.get('Version') !== '2010-05-15') {
        throw new AwsError('InvalidAction', `Could not find operation ${operation} for this version`);
      }
      const { accessKeyId } = authenticate(request, account, 'cloudformation', querySignatureErrors);
      const result = operations[operation as CloudFormationOperation](parameters, stacks);
      return { ...success(namespace, operation, result), accessKeyId };
    },
    refuse: (error, requestId) => refusal(namespace, error, requestId),
  };
}

function required(parameters: URLSearchParams, stacks: Stacks): StackRecord {
  const name = parameters.get('StackName') ?? '';
  const stack = stacks.find(name);
  if (stack === undefined) throw missing(parameters);
  return stack;
}

function missing(parameters: URLSearchParams): AwsError {
  return invalid(`Stack with id ${parameters.get('StackName')} does not exist`);
}

function describe(stack: StackRecord, parameters: URLSearchParams, stacks: Stacks): Xml {
  const view = viewAt(stack, readTime(stacks), stacks);
  if (view === undefined) throw missing(parameters);
  return {
    StackId: stack.id,
    StackName: stack.name,
    StackStatus: view.status,
    StackStatusReason: view.reason,
    CreationTime: stack.createdAt,
    LastUpdatedTime: view.changedAt,
    EnableTerminationProtection: stack.protected,
    RoleARN: stack.roleArn,
    DriftInformation: { StackDriftStatus: stack.drift },
    LastOperations: view.operations.slice(0, 2).map((OperationId) => ({ OperationId })),
    Outputs: view.outputs.map(([OutputKey, OutputValue, Description]) => ({
      OutputKey,
      OutputValue,
      Description,
    })),
  };
}

/** Returns one page of a list. The token is the position of the next page. */
function page(name: string, items: readonly Xml[], stacks: Stacks, token: string | null) {
  const from = Number(token ?? 0);
  const to = from + stacks.pageSize;
  return { [name]: items.slice(from, to), NextToken: to < items.length ? String(to) : undefined };
}
