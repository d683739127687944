import { randomUUID } from 'node:crypto';
import type {
  ChangeSetType,
  CloudFormationClient,
  DescribeChangeSetOutput,
} from '@aws-sdk/client-cloudformation';
import { isValidationError, requireField, toAdminError } from './aws-errors.ts';
import type { ClientSettings } from './aws-identity.ts';
import {
  parseTemplate,
  toChangeSet,
  toFailedValidation,
  toStackEvent,
  toStackState,
} from './cloudformation-replies.ts';
import type { CloudFormation, FailedValidation, StackEvent } from './cloudformation-types.ts';
import { eventsAfter } from './events-after.ts';

/** Creates the calls of CloudFormation with the AWS SDK, which is loaded here and not before. */
export async function createCloudFormation(
  settings: ClientSettings,
  interrupted: AbortSignal,
): Promise<CloudFormation> {
  const sdk = await import('@aws-sdk/client-cloudformation');
  const client = new sdk.CloudFormationClient(settings);
  const parts: CloudFormationClientParts = { sdk, client, reading: { abortSignal: interrupted } };
  return { ...readCalls(parts), ...changeSetCalls(parts), ...stackCalls(parts), ...driftCalls(parts) };
}

type CloudFormationClientParts = {
  readonly sdk: typeof import('@aws-sdk/client-cloudformation');
  readonly client: CloudFormationClient;
  /** Options of calls that only read, and may be aborted. Others are waited for: the reply says if AWS took them. */
  readonly reading: { readonly abortSignal: AbortSignal };
};

/** Returns the calls that read stacks. */
function readCalls({
  sdk,
  client,
  reading,
}: CloudFormationClientParts): Pick<
  CloudFormation,
  'describeStack' | 'readTemplate' | 'listResources' | 'eventsAfter' | 'lastEvent'
> {
  /** Yields the newest events first, and none of a stack that this read does not know yet. */
  async function* pagesOfEvents(stack: string): AsyncGenerator<readonly StackEvent[]> {
    try {
      const pages = sdk.paginateDescribeStackEvents({ client }, { StackName: stack }, reading);
      for await (const page of pages)
        yield requireField(page.StackEvents, 'DescribeStackEvents').map(toStackEvent);
    } catch (thrown) {
      if (!isValidationError(thrown, /does not exist/)) throw thrown;
    }
  }
  return {
    async describeStack(stack) {
      try {
        const { Stacks } = await client.send(new sdk.DescribeStacksCommand({ StackName: stack }), reading);
        return toStackState(requireField(Stacks?.[0], 'DescribeStacks'));
      } catch (thrown) {
        if (isValidationError(thrown, /does not exist/)) return undefined;
        throw toAdminError(thrown, `describing stack ${stack}`);
      }
    },
    async readTemplate(stack) {
      try {
        const reply = await client.send(new sdk.GetTemplateCommand({ StackName: stack }), reading);
        return parseTemplate(requireField(reply.TemplateBody, 'GetTemplate'));
      } catch (thrown) {
        if (isValidationError(thrown, /does not exist/)) return undefined;
        throw toAdminError(thrown, `reading the template of ${stack}`);
      }
    },
    listResources: (stack) =>
      attempt(`listing the resources of ${stack}`, async () => {
        const pages = sdk.paginateListStackResources({ client }, { StackName: stack }, reading);
        const found = [];
        for await (const { StackResourceSummaries: listed } of pages)
          found.push(...requireField(listed, 'ListStackResources'));
        return found.map((resource) => ({
          logicalId: resource.LogicalResourceId ?? '',
          physicalId: resource.PhysicalResourceId,
          type: resource.ResourceType ?? '',
          status: resource.ResourceStatus ?? '',
        }));
      }),
    eventsAfter: (stack, known) =>
      attempt(`reading the events of ${stack}`, () => eventsAfter(pagesOfEvents(stack), known)),
    lastEvent: (stack) =>
      attempt(`reading the events of ${stack}`, async () => {
        for await (const [newest] of pagesOfEvents(stack)) return newest;
        return undefined;
      }),
  };
}

/** Returns the calls about change sets. */
function changeSetCalls({
  sdk,
  client,
  reading,
}: CloudFormationClientParts): Pick<
  CloudFormation,
  'createChangeSet' | 'describeChangeSet' | 'failedValidations' | 'deleteChangeSet' | 'executeChangeSet'
> {
  return {
    createChangeSet: (input) =>
      attempt(`the template of ${input.stackName}`, async () => {
        const { Id, StackId } = await client.send(
          new sdk.CreateChangeSetCommand({
            StackName: input.stackName,
            ChangeSetName: input.name,
            ChangeSetType: input.kind satisfies ChangeSetType,
            TemplateBody: input.template,
            Capabilities: [...input.capabilities],
            Parameters: Object.entries(input.parameters).map(([ParameterKey, ParameterValue]) => ({
              ParameterKey,
              ParameterValue,
            })),
            RoleARN: input.roleArn,
            ClientToken: input.name,
          }),
        );
        return {
          id: requireField(Id, 'CreateChangeSet'),
          stackId: requireField(StackId, 'CreateChangeSet'),
        };
      }),
    describeChangeSet: (id) =>
      attempt('describing a change set', async () => {
        const pages = sdk.paginateDescribeChangeSet({ client }, { ChangeSetName: id }, reading);
        const found: DescribeChangeSetOutput[] = [];
        for await (const page of pages) found.push(page);
        return toChangeSet(id, found);
      }),
    failedValidations: (id) =>
      attempt('reading the events of a change set', async () => {
        const input = { ChangeSetName: id, Filters: { FailedEvents: true } };
        const found: FailedValidation[] = [];
        for await (const page of sdk.paginateDescribeEvents({ client }, input, reading))
          found.push(...(page.OperationEvents ?? []).flatMap(toFailedValidation));
        return found;
      }),
    deleteChangeSet: (id) =>
      order('deleting a change set', () =>
        client.send(new sdk.DeleteChangeSetCommand({ ChangeSetName: id })),
      ),
    executeChangeSet: (id, token) =>
      order('executing a change set', () =>
        client.send(new sdk.ExecuteChangeSetCommand({ ChangeSetName: id, ClientRequestToken: token })),
      ),
  };
}

/** Returns the calls that change stacks without a change set. */
function stackCalls({
  sdk,
  client,
}: CloudFormationClientParts): Pick<CloudFormation, 'deleteStack' | 'deleteEmptyStack' | 'continueRollback'> {
  return {
    deleteStack: (stack, token, without) =>
      order(`deleting stack ${stack}`, () =>
        client.send(
          new sdk.DeleteStackCommand({
            StackName: stack,
            ClientRequestToken: token,
            ...(without?.length === 0 && { DeletionMode: 'FORCE_DELETE_STACK' }),
            ...(without && without.length > 0 && { RetainResources: [...without] }),
          }),
        ),
      ),
    deleteEmptyStack: (stack) =>
      order(`deleting the empty stack ${stack}`, async () => {
        // Another deployment may have started in the meantime. A stack that this read does not know yet is empty.
        const status = await client.send(new sdk.DescribeStacksCommand({ StackName: stack })).then(
          ({ Stacks }) => requireField(Stacks?.[0], 'DescribeStacks').StackStatus,
          (thrown: unknown) => {
            if (isValidationError(thrown, /does not exist/)) return 'REVIEW_IN_PROGRESS';
            throw thrown;
          },
        );
        if (status !== 'REVIEW_IN_PROGRESS') return;
        await client.send(new sdk.DeleteStackCommand({ StackName: stack, ClientRequestToken: randomUUID() }));
      }),
    continueRollback: (stack, token) =>
      order(`continuing the rollback of ${stack}`, () =>
        client.send(new sdk.ContinueUpdateRollbackCommand({ StackName: stack, ClientRequestToken: token })),
      ),
  };
}

/** Returns the calls about drift. */
function driftCalls({
  sdk,
  client,
  reading,
}: CloudFormationClientParts): Pick<CloudFormation, 'detectDrift' | 'driftResult'> {
  return {
    detectDrift: (stack) =>
      attempt(`looking for drift in ${stack}`, async () => {
        const { StackDriftDetectionId } = await client.send(
          new sdk.DetectStackDriftCommand({ StackName: stack }),
        );
        return requireField(StackDriftDetectionId, 'DetectStackDrift');
      }),
    driftResult: (id) =>
      attempt('asking for drift', async () => {
        const reply = await client.send(
          new sdk.DescribeStackDriftDetectionStatusCommand({ StackDriftDetectionId: id }),
          reading,
        );
        const status = requireField(reply.DetectionStatus, 'DescribeStackDriftDetectionStatus');
        if (status === 'DETECTION_IN_PROGRESS') return undefined;
        return {
          status: reply.StackDriftStatus ?? 'UNKNOWN',
          drifted: reply.DriftedStackResourceCount ?? 0,
        };
      }),
  };
}

async function attempt<T>(doing: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (thrown) {
    throw toAdminError(thrown, doing);
  }
}

/** Makes a call that changes something and returns nothing. */
async function order(doing: string, call: () => Promise<unknown>): Promise<void> {
  await attempt(doing, call);
}
