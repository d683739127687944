/** Stacks of the sandbox's account. Their operations progress by some steps at each request that reads them. */
import { randomUUID } from 'node:crypto';
import type { AwsAccount } from '../aws/aws-service.ts';
import { currentView } from './consistency.ts';
import type { StackRecord, Stacks } from './records.ts';
import { worthOf } from './templates.ts';

export function createStacks({ region, nowMs }: Pick<AwsAccount, 'region' | 'nowMs'>): Stacks {
  const all: StackRecord[] = [];
  const account = '123456789012';
  /** The time of the step that is performed; undefined: now. */
  let stepMs: number | undefined;

  return {
    region,
    account,
    now: nowMs,
    lag: undefined,
    pace: undefined,
    stepsPerLook: 3,
    pageSize: 4,
    changeSetsAtOnce: false,
    outside: new Set(),
    filled: new Set(),
    taken: new Set(),
    failing: new Map(),
    all,
    find: (nameOrId) =>
      all.find(({ id }) => id === nameOrId) ??
      all.find(({ name, status }) => name === nameOrId && status !== 'DELETE_COMPLETE'),
    open(name) {
      const stack = createRecord(name, `arn:aws:cloudformation:${region}:${account}`, this.now());
      all.push(stack);
      this.event(stack, undefined, 'REVIEW_IN_PROGRESS', 'User Initiated');
      return stack;
    },
    begin(stack, token) {
      Object.assign(stack, { token: token ?? undefined, starting: true });
      if (this.pace === undefined) stack.steps.shift()?.();
      else stack.nextStepMs = this.now() + this.pace();
    },
    look(stack) {
      if (this.pace) {
        while (stack.steps.length > 0 && stack.nextStepMs <= this.now()) {
          stepMs = stack.nextStepMs;
          stack.steps.shift()?.();
          stack.nextStepMs += this.pace();
        }
        stepMs = undefined;
        return;
      }
      for (let count = 0; count < this.stepsPerLook; count += 1) stack.steps.shift()?.();
    },
    event(stack, logicalId, status, reason) {
      recordEvent(this, stack, stepMs ?? this.now(), logicalId, status, reason);
    },
    outputs: ({ template, resources, parameters, status }) =>
      /^(CREATE|UPDATE|UPDATE_ROLLBACK)_COMPLETE$/.test(status)
        ? Object.entries(template?.Outputs ?? {}).map(([key, { Value, Description = '' }]) => [
            key,
            worthOf(Value, resources, parameters),
            Description,
          ])
        : [],
  };
}

function createRecord(name: string, prefix: string, nowMs: number): StackRecord {
  return {
    id: `${prefix}:stack/${name}/${randomUUID()}`,
    name,
    createdAt: new Date(nowMs),
    changedAt: undefined,
    status: 'REVIEW_IN_PROGRESS',
    reason: 'User Initiated',
    template: undefined,
    parameters: {},
    protected: false,
    roleArn: undefined,
    drift: 'NOT_CHECKED',
    resources: new Map(),
    events: [],
    changeSets: new Map(),
    steps: [],
    nextStepMs: 0,
    earlier: [{ untilMs: nowMs, view: undefined }],
    operations: [],
    token: undefined,
    starting: false,
  };
}

function recordEvent(
  stacks: Stacks,
  stack: StackRecord,
  atMs: number,
  logicalId: string | undefined,
  status: string,
  reason: string | undefined,
): void {
  const resource = logicalId === undefined ? undefined : stack.resources.get(logicalId);
  if (resource) resource.status = status;
  else if (logicalId === undefined) {
    if (stack.events.length > 0) stack.earlier.push({ untilMs: atMs, view: currentView(stack, stacks) });
    // A rollback is an operation of its own, with the token of the one that failed.
    if (stack.starting || /^(UPDATE_)?ROLLBACK_IN_PROGRESS$/.test(status))
      stack.operations.unshift(randomUUID());
    if (/^(CREATE|UPDATE)_IN_PROGRESS$/.test(status)) stack.changedAt = new Date(atMs);
    Object.assign(stack, { starting: false, status, reason });
  }
  stack.events.push({
    id: logicalId === undefined ? randomUUID() : `${logicalId}-${status}-${randomUUID()}`,
    at: new Date(atMs),
    logicalId: logicalId ?? stack.name,
    physicalId: resource?.physicalId ?? (logicalId === undefined ? stack.id : ''),
    type: resource?.type ?? 'AWS::CloudFormation::Stack',
    status,
    reason,
    operation: stack.operations[0],
    token: stack.token,
  });
}
