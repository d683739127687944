import { CfnOutput, type IStackSynthesizer, LegacyStackSynthesizer, Stack } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import { type StackId, stackName } from './outputs.ts';
import type { InfraProfile } from './profile.ts';

/** What all stacks share: names from the profile, the profile's region, and neither assets nor a bootstrapped account. */
export class ProfileStack extends Stack {
  /** @param purpose what it is for, as CloudFormation's description shows it. */
  constructor(scope: Construct, profile: InfraProfile, id: StackId, purpose: string) {
    super(scope, id, {
      stackName: stackName(profile.name, id),
      description: `Claude Code with Bedrock: ${purpose} for ${profile.name}`,
      env: { region: profile.region },
      // The class is an IStackSynthesizer in all but the letter: its declaration predates
      // exactOptionalPropertyTypes.
      synthesizer: new LegacyStackSynthesizer() as IStackSynthesizer,
    });
  }

  protected output(key: string, value: string, description: string): void {
    new CfnOutput(this, key, { value, description });
  }
}
