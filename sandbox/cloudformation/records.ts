/** Stacks of the sandbox's account, as they are kept. */
import type { FailedCheck } from './failed-check.ts';
import type { MadeResource, ParsedTemplate, TemplateChange } from './templates.ts';

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
  /** Time at which the next step is due; only with `pace`. */
  nextStepMs: number;
  /** Views that late reads show, oldest first. */
  readonly earlier: EarlierView[];
  /** Ids of the operations so far, newest first. */
  readonly operations: string[];
  /** ClientRequestToken of the operation in progress, or of the last one. */
  token: string | undefined;
  /** True until the first event of an operation. */
  starting: boolean;
}

/** The part of a stack that a read may show late. */
export interface StackView {
  readonly status: string;
  readonly reason: string | undefined;
  readonly changedAt: Date | undefined;
  readonly outputs: readonly (readonly [key: string, value: string, description: string])[];
  /** Ids of the latest operations, newest first. */
  readonly operations: readonly string[];
}

/** An earlier view, and when it ended; a view that is undefined: the stack did not exist. */
export interface EarlierView {
  readonly untilMs: number;
  readonly view: StackView | undefined;
}

export interface EventRecord {
  readonly id: string;
  readonly at: Date;
  readonly logicalId: string;
  readonly physicalId: string;
  readonly type: string;
  readonly status: string;
  readonly reason: string | undefined;
  readonly operation: string | undefined;
  readonly token: string | undefined;
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
  /** Failed checks of early validation. */
  failedChecks: readonly FailedCheck[];
}

/** A resource whose operation fails, and CloudFormation's reason. */
export type Failing = { readonly when: 'create' | 'update' | 'rollback' | 'delete'; readonly reason: string };

/** The account's stacks, and the settings of a test. */
export interface Stacks {
  readonly region: string;
  readonly account: string;
  /** The clock of CloudFormation, in milliseconds. Default: that of the account. */
  now: () => number;
  /** Longest delay of a read, and the source of its random delays. Default: no read is late. */
  lag: { readonly maxMs: number; readonly random: () => number } | undefined;
  /** Milliseconds until the next step; set: operations progress by the clock and not by reads. */
  pace: (() => number) | undefined;
  /** Number of steps at each request that reads a stack. Default 3; 0: no progress. */
  stepsPerLook: number;
  /** Events and changes on one page. Default 4. */
  pageSize: number;
  /** `true`: a change set is complete as soon as it is requested. Default false. */
  changeSetsAtOnce: boolean;
  /** Names of resources outside of any stack: `TYPE NAME`. */
  readonly outside: Set<string>;
  /** Physical ids of buckets with objects in them. */
  readonly filled: Set<string>;
  /** ClientTokens of accepted requests. */
  readonly taken: Set<string>;
  /** By logical id. */
  readonly failing: Map<string, Failing>;
  /** All stacks, deleted ones included. */
  readonly all: StackRecord[];
  /** Finds a stack by name, if it exists, or by ARN. */
  find(nameOrId: string): StackRecord | undefined;
  open(name: string): StackRecord;
  /** Starts the operation whose steps are planned. */
  begin(stack: StackRecord, token: string | null): void;
  /** Performs the next steps of the stack. */
  look(stack: StackRecord): void;
  event(stack: StackRecord, logicalId: string | undefined, status: string, reason?: string): void;
  outputs(stack: StackRecord): [key: string, value: string, description: string][];
}
