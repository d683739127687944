/** CloudFormation as `ccwb` uses it, without the types of the SDK. */

/** A template as JSON, with the parts that `ccwb` reads. */
export type Template = {
  readonly Resources: Readonly<Record<string, TemplateResource>>;
  readonly Outputs?: Readonly<Record<string, { readonly Value: unknown }>>;
  readonly Parameters?: Readonly<Record<string, unknown>>;
};

export type TemplateResource = {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
};

export type StackState = {
  /** The ARN, which also finds a stack that was deleted. */
  readonly id: string;
  readonly name: string;
  /** CloudFormation's word, e.g. `UPDATE_COMPLETE`. */
  readonly status: string;
  readonly reason: string | undefined;
  readonly outputs: Readonly<Record<string, string>>;
  /** Last change, else creation; milliseconds since 1970. */
  readonly changedAt: number | undefined;
  readonly terminationProtection: boolean;
  /** CloudFormation's word for what it last found: NOT_CHECKED, IN_SYNC, DRIFTED, UNKNOWN. */
  readonly drift: string;
};

export type StackEvent = {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly logicalId: string;
  readonly type: string;
  readonly status: string;
  readonly reason: string | undefined;
  /** About the stack as a whole, not one of its resources. */
  readonly ofStack: boolean;
};

export type ResourceChange = {
  readonly action: 'Add' | 'Modify' | 'Remove' | 'Import' | 'Dynamic' | 'SyncWithActual';
  readonly logicalId: string;
  readonly type: string;
  readonly physicalId: string | undefined;
  /** True: the resource is created anew; `Conditional`: CloudFormation decides during the update. */
  readonly replacement: 'True' | 'False' | 'Conditional' | undefined;
  /** Changed properties and attributes of the resource (Tags, Metadata …). */
  readonly properties: readonly string[];
};

export type ChangeSet = {
  readonly id: string;
  readonly status: string;
  readonly reason: string | undefined;
  readonly executionStatus: string;
  readonly changes: readonly ResourceChange[];
};

export type StackResource = {
  readonly logicalId: string;
  readonly physicalId: string | undefined;
  readonly type: string;
  readonly status: string;
};

export type Capability = 'CAPABILITY_IAM' | 'CAPABILITY_NAMED_IAM';

export type NewChangeSet = {
  readonly stackName: string;
  readonly name: string;
  readonly kind: 'CREATE' | 'UPDATE';
  readonly template: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly capabilities: readonly Capability[];
  /** ARN of the role that CloudFormation assumes; it keeps this role until a request names another. */
  readonly roleArn: string | undefined;
};

/** The place where a template is deployed: the values of its pseudo parameters. */
export type DeploymentTarget = {
  readonly partition: string;
  readonly account: string;
  readonly region: string;
};

/** The calls of CloudFormation that `ccwb` makes. Each throws CcwbError, see `toAdminError`. */
export type CloudFormation = {
  /** By name, or by ARN; undefined when there is none of that name. */
  describeStack(stack: string): Promise<StackState | undefined>;
  /** The last deployed template; undefined when there is no stack or nothing is deployed yet. */
  readTemplate(stack: string): Promise<Template | undefined>;
  listResources(stack: string): Promise<readonly StackResource[]>;
  /** @returns the ARN of the change set. */
  createChangeSet(input: NewChangeSet): Promise<string>;
  /** With the changes of all pages. */
  describeChangeSet(id: string): Promise<ChangeSet>;
  deleteChangeSet(id: string): Promise<void>;
  executeChangeSet(id: string): Promise<void>;
  deleteStack(stack: string): Promise<void>;
  /** Deletes a stack that holds nothing but change sets, also after an interruption; leaves any other. */
  deleteEmptyStack(name: string): Promise<void>;
  /** After UPDATE_ROLLBACK_FAILED. */
  continueRollback(stack: string): Promise<void>;
  /** Returns the events after the one with that id, oldest first; without an id all events. */
  eventsAfter(stack: string, eventId: string | undefined): Promise<readonly StackEvent[]>;
  /** Returns the newest event, as a mark for later reads. */
  lastEventId(stack: string): Promise<string | undefined>;
  /** Starts looking for drift. @returns the id to ask with. */
  detectDrift(stack: string): Promise<string>;
  /** undefined: still looking. */
  driftResult(id: string): Promise<{ status: string; drifted: number } | undefined>;
};
