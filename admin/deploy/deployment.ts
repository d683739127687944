import type { StackId } from '../../infra/outputs.ts';
import type {
  CloudFormation,
  DeploymentTarget,
  ResourceChange,
  StackState,
} from '../aws/cloudformation-types.ts';
import type { AdminEdges } from '../edges.ts';
import type { Consent } from '../terminal/confirm.ts';

/** The result of deploying one stack, in the form that `ccwb deploy --json` prints. */
export type DeployedStack = {
  readonly stack: StackId;
  readonly name: string;
  /** `planned`: a dry run. */
  readonly result: 'created' | 'updated' | 'unchanged' | 'planned';
  readonly changes: readonly ResourceChange[];
  readonly outputs: Readonly<Record<string, string>>;
};

export type DeployOptions = Consent & {
  readonly dryRun: boolean;
  /** ARN of the role that CloudFormation assumes; undefined: the role of the stack, else the caller's permissions. */
  readonly roleArn?: string | undefined;
  /** Outputs of the stack whose values are in config.json files. */
  readonly configOutputs: readonly string[];
};

/** The connection, edges and options of a deployment. */
export type Deployment = {
  readonly cloud: CloudFormation;
  readonly edges: AdminEdges;
  readonly target: DeploymentTarget;
  readonly options: DeployOptions;
};

export type PreparedStack = {
  readonly name: string;
  readonly kind: 'CREATE' | 'UPDATE';
  /** The existing stack; undefined when there is none. */
  readonly stack: StackState | undefined;
  /** True in a dry run when the existing stack must be deleted before a change set can be created. */
  readonly mustBeDeleted: boolean;
  readonly dryRun: boolean;
};
