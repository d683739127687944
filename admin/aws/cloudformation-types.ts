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
  /** Ids of the latest operations; empty where AWS does not name them. */
  readonly operations: readonly string[];
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
  /** ClientRequestToken of the request that led to it; undefined where AWS does not name it. */
  readonly token: string | undefined;
  /** Id of the operation; a rollback has its own. */
  readonly operation: string | undefined;
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

/** The ARNs of a change set and its stack. */
export type ChangeSetRef = { readonly id: string; readonly stackId: string };

export type ChangeSet = ChangeSetRef & {
  readonly status: string;
  readonly reason: string | undefined;
  readonly executionStatus: string;
  readonly changes: readonly ResourceChange[];
};

/** A failed check of a change set (early validation). */
export type FailedValidation = {
  readonly logicalId: string;
  readonly type: string;
  readonly text: string;
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
  createChangeSet(input: NewChangeSet): Promise<ChangeSetRef>;
  /** With the changes of all pages. */
  describeChangeSet(id: string): Promise<ChangeSet>;
  /** Returns the checks that a change set failed; its reason only names the kind of check. */
  failedValidations(id: string): Promise<readonly FailedValidation[]>;
  deleteChangeSet(id: string): Promise<void>;
  /** @param token by which the events of the operation are known. */
  executeChangeSet(id: string, token: string): Promise<void>;
  /** @param without logical ids of resources that stay; after DELETE_FAILED. Empty: whatever cannot be deleted. */
  deleteStack(stack: string, token: string, without?: readonly string[]): Promise<void>;
  /** Deletes a stack that holds nothing but change sets, also after an interruption; leaves any other. */
  deleteEmptyStack(stack: string): Promise<void>;
  /** After UPDATE_ROLLBACK_FAILED. */
  continueRollback(stack: string, token: string): Promise<void>;
  /** Returns the events after a known one, oldest first; without one all events. */
  eventsAfter(stack: string, known: StackEvent | undefined): Promise<readonly StackEvent[]>;
  /** Returns the newest event, as a mark for later reads. */
  lastEvent(stack: string): Promise<StackEvent | undefined>;
  /** Starts looking for drift. @returns the id to ask with. */
  detectDrift(stack: string): Promise<string>;
  /** undefined: still looking. */
  driftResult(id: string): Promise<{ status: string; drifted: number } | undefined>;
};
