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
  /** The role with which CloudFormation makes the resources; undefined: that of the stack, else the caller's own. */
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
  /** The stack that is there; undefined: none. */
  readonly stack: StackState | undefined;
  /** In a dry run: what stands there has to be deleted before a change set can be asked for. */
  readonly mustBeDeleted: boolean;
  readonly dryRun: boolean;
};
