/** Stacks of the sandbox's account and what happens in them, one step for each time somebody looks. */
import { randomUUID } from 'node:crypto';
import type { AwsAccount } from '../aws/aws-service.ts';
import { type MadeResource, type ParsedTemplate, type TemplateChange, worthOf } from './templates.ts';

export interface StackRecord {
  readonly id: string;
  readonly name: string;
  readonly createdAt: Date;
  changedAt: Date | undefined;
  status: string;
  reason: string | undefined;
  template: ParsedTemplate | undefined;
  parameters: Readonly<Record<string, string>>;
  protected: boolean;
  /** Whom CloudFormation acts as in it; undefined: whoever calls. */
  roleArn: string | undefined;
  drift: string;
  readonly resources: Map<string, MadeResource>;
  /** Oldest first. */
  readonly events: EventRecord[];
  readonly changeSets: Map<string, ChangeSetRecord>;
  /** What is still to happen. */
  steps: (() => void)[];
}

export interface EventRecord {
  readonly id: string;
  readonly at: Date;
  readonly logicalId: string;
  readonly physicalId: string;
  readonly type: string;
  readonly status: string;
  readonly reason: string | undefined;
}

export interface ChangeSetRecord {
  readonly id: string;
  readonly name: string;
  readonly kind: 'CREATE' | 'UPDATE';
  readonly template: ParsedTemplate;
  readonly parameters: Readonly<Record<string, string>>;
  /** What the caller named the order with: the same again is the same order. */
  readonly token: string | null;
  readonly changes: readonly TemplateChange[];
  status: string;
  executionStatus: string;
  reason: string | undefined;
}

/** A resource that does not do what it is told, and CloudFormation's reason. */
export type Failing = { readonly when: 'create' | 'update' | 'rollback' | 'delete'; readonly reason: string };

/** The account's stacks, with what a test sets up. */
export interface Stacks {
  readonly region: string;
  readonly account: string;
  /** How many steps happen each time somebody looks. Default 3; 0: nothing goes on. */
  stepsPerLook: number;
  /** Events and changes on one page. Default 4. */
  pageSize: number;
  /** Whether a change set is there with the order, as if AWS took no time to compare. Default false. */
  changeSetsAtOnce: boolean;
  /** Tokens of orders that were taken. */
  readonly taken: Set<string>;
  /** By logical id. */
  readonly failing: Map<string, Failing>;
  /** Deleted ones too. */
  readonly all: StackRecord[];
  /** By name, when it is there, or by ARN. */
  find(nameOrId: string): StackRecord | undefined;
  open(name: string): StackRecord;
  /** Lets something happen. */
  look(stack: StackRecord): void;
  event(stack: StackRecord, logicalId: string | undefined, status: string, reason?: string): void;
  outputs(stack: StackRecord): [key: string, value: string, description: string][];
}

export function createStacks({ region, nowMs }: Pick<AwsAccount, 'region' | 'nowMs'>): Stacks {
  const all: StackRecord[] = [];
  const account = '123456789012';

  return {
    region,
    account,
    stepsPerLook: 3,
    pageSize: 4,
    changeSetsAtOnce: false,
    taken: new Set(),
    failing: new Map(),
    all,
    find: (nameOrId) =>
      all.find(({ id }) => id === nameOrId) ??
      all.find(({ name, status }) => name === nameOrId && status !== 'DELETE_COMPLETE'),
    open(name) {
      const stack: StackRecord = {
        id: `arn:aws:cloudformation:${region}:${account}:stack/${name}/${randomUUID()}`,
        name,
        createdAt: new Date(nowMs()),
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
      };
      all.push(stack);
      this.event(stack, undefined, 'REVIEW_IN_PROGRESS', 'User Initiated');
      return stack;
    },
    look(stack) {
      for (let count = 0; count < this.stepsPerLook; count += 1) stack.steps.shift()?.();
    },
    event(stack, logicalId, status, reason) {
      const resource = logicalId === undefined ? undefined : stack.resources.get(logicalId);
      if (resource) resource.status = status;
      else if (logicalId === undefined) {
        stack.status = status;
        stack.reason = reason;
      }
      stack.events.push({
        id: logicalId === undefined ? randomUUID() : `${logicalId}-${status}-${randomUUID()}`,
        at: new Date(nowMs()),
        logicalId: logicalId ?? stack.name,
        physicalId: resource?.physicalId ?? (logicalId === undefined ? stack.id : ''),
        type: resource?.type ?? 'AWS::CloudFormation::Stack',
        status,
        reason,
      });
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
