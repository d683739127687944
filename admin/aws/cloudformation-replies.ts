import type {
  DescribeChangeSetOutput,
  OperationEvent,
  StackEvent as SdkEvent,
  ResourceChange as SdkResourceChange,
  Stack,
} from '@aws-sdk/client-cloudformation';
import { oneLine } from '../terminal/text.ts';
import { requireField } from './aws-errors.ts';
import type {
  ChangeSet,
  FailedValidation,
  ResourceChange,
  StackEvent,
  StackState,
  Template,
} from './cloudformation-types.ts';

export function toStackState(stack: Stack): StackState {
  const outputs = (stack.Outputs ?? []).map((each) => [each.OutputKey ?? '', each.OutputValue ?? '']);
  return {
    id: stack.StackId ?? stack.StackName ?? '',
    name: stack.StackName ?? '',
    status: stack.StackStatus ?? 'UNKNOWN',
    reason: stack.StackStatusReason === undefined ? undefined : oneLine(stack.StackStatusReason),
    outputs: Object.fromEntries(outputs),
    operations: (stack.LastOperations ?? []).flatMap(({ OperationId: id }) => id ?? []),
    changedAt: (stack.LastUpdatedTime ?? stack.CreationTime)?.getTime(),
    terminationProtection: stack.EnableTerminationProtection === true,
    drift: stack.DriftInformation?.StackDriftStatus ?? 'NOT_CHECKED',
  };
}

export function toStackEvent(event: SdkEvent): StackEvent {
  return {
    id: event.EventId ?? '',
    at: event.Timestamp?.getTime() ?? 0,
    logicalId: event.LogicalResourceId ?? '',
    type: event.ResourceType ?? '',
    status: event.ResourceStatus ?? '',
    reason: event.ResourceStatusReason === undefined ? undefined : oneLine(event.ResourceStatusReason),
    ofStack: event.PhysicalResourceId === event.StackId,
    token: event.ClientRequestToken,
    operation: event.OperationId,
  };
}

/** Returns the failed check of an event; nothing for an event of another kind. */
export function toFailedValidation(event: OperationEvent): FailedValidation[] {
  const reason = event.ValidationStatusReason ?? event.HookStatusReason ?? event.ResourceStatusReason;
  if (reason === undefined || event.ValidationFailureMode === 'WARN') return [];
  return [
    { logicalId: event.LogicalResourceId ?? '', type: event.ResourceType ?? '', text: oneLine(reason) },
  ];
}

export function toChangeSet(id: string, pages: readonly DescribeChangeSetOutput[]): ChangeSet {
  const [first] = pages;
  return {
    id,
    stackId: requireField(first?.StackId, 'DescribeChangeSet'),
    status: requireField(first?.Status, 'DescribeChangeSet'),
    reason: first?.StatusReason,
    executionStatus: first?.ExecutionStatus ?? 'UNAVAILABLE',
    changes: pages.flatMap(({ Changes = [] }) =>
      Changes.flatMap(({ ResourceChange: change }) => (change ? [toResourceChange(change)] : [])),
    ),
  };
}

function toResourceChange(change: SdkResourceChange): ResourceChange {
  const properties = (change.Details ?? []).flatMap(({ Target: target }) => {
    const name = target?.Attribute === 'Properties' ? target.Name : target?.Attribute;
    return name ? [name] : [];
  });
  return {
    action: change.Action ?? 'Dynamic',
    logicalId: change.LogicalResourceId ?? '',
    type: change.ResourceType ?? '',
    physicalId: change.PhysicalResourceId,
    replacement: change.Replacement,
    properties: [...new Set(properties)],
  };
}

/** Parses a deployed template. Our templates are JSON; any other form was deployed by other means. */
export function parseTemplate(text: string): Template | undefined {
  try {
    const template: unknown = JSON.parse(text);
    return typeof template === 'object' && template !== null && 'Resources' in template
      ? (template as Template)
      : undefined;
  } catch {
    return undefined;
  }
}
