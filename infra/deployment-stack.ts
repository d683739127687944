import {
  CfnOutput,
  CfnParameter,
  type IStackSynthesizer,
  LegacyStackSynthesizer,
  Stack,
} from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { deploymentName } from './outputs.ts';

/** Base of every stack of a deployment: named after it, without assets and bootstrap. */
export class DeploymentStack extends Stack {
  /** Name of the deployment, from which names of resources derive, e.g. `ccwb-ClaudeCode`. */
  protected readonly deployment: string;

  /** @param purpose what the description says the stack is for. */
  constructor(
    scope: Construct,
    id: string,
    { name, region }: { readonly name: string; readonly region: string },
    purpose: string,
  ) {
    super(scope, id, {
      stackName: `${deploymentName(name)}-${id}`,
      description: `Claude Code with Bedrock: ${purpose} for ${name}`,
      env: { region },
      // Neither assets nor a bootstrapped account are needed. The class is an IStackSynthesizer in all but
      // the letter: its declaration predates exactOptionalPropertyTypes.
      synthesizer: new LegacyStackSynthesizer() as IStackSynthesizer,
    });
    this.deployment = deploymentName(name);
  }

  /** Adds a parameter for the output of another stack, and returns it as a token. */
  protected parameter(name: string, description: string): string {
    return new CfnParameter(this, name, { type: 'String', description }).valueAsString;
  }

  protected output(key: string, value: string, description: string): void {
    new CfnOutput(this, key, { value, description });
  }
}
