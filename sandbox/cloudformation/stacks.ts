/** Stacks of the sandbox's account. Their operations progress by some steps at each request that reads them. */
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
  /** The role that CloudFormation assumes; undefined: it uses the caller's permissions. */
  roleArn: string | undefined;
  drift: string;
  readonly resources: Map<string, MadeResource>;
  /** Oldest first. */
  readonly events: EventRecord[];
  readonly changeSets: Map<string, ChangeSetRecord>;
  /** The remaining steps of the operation in progress. */
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
  /** The caller's ClientToken: a request with the same token is a retry. */
  readonly token: string | null;
  readonly changes: readonly TemplateChange[];
  status: string;
  executionStatus: string;
  reason: string | undefined;
}

/** A resource whose operation fails, and CloudFormation's reason. */
export type Failing = { readonly when: 'create' | 'update' | 'rollback' | 'delete'; readonly reason: string };

/** The account's stacks, and the settings of a test. */
export interface Stacks {
  readonly region: string;
  readonly account: string;
  /** Number of steps at each request that reads a stack. Default 3; 0: no progress. */
  stepsPerLook: number;
  /** Events and changes on one page. Default 4. */
  pageSize: number;
  /** `true`: a change set is complete as soon as it is requested. Default false. */
  changeSetsAtOnce: boolean;
  /** ClientTokens of accepted requests. */
  readonly taken: Set<string>;
  /** By logical id. */
  readonly failing: Map<string, Failing>;
  /** All stacks, deleted ones included. */
  readonly all: StackRecord[];
  /** Finds a stack by name, if it exists, or by ARN. */
  find(nameOrId: string): StackRecord | undefined;
  open(name: string): StackRecord;
  /** Performs the next steps of the stack. */
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
