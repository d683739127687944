import type { Command } from 'commander';
import { STACKS, type StackId } from '../../infra/outputs.ts';
import { CcwbError } from '../../protocol/errors.ts';
import { deploy } from '../deploy/deploy.ts';
import type { AdminEdges } from '../edges.ts';
import { addProfileOptions, type ProfileFlags } from './session.ts';

export type DeployFlags = ProfileFlags & {
  showTemplate?: true;
  dryRun?: true;
  yes?: true;
  allowReplacement?: true;
  writeConfig?: true;
  json?: true;
  bedrockRegions?: string[];
  /** False with --no-global-inference. */
  globalInference: boolean;
  infra?: string;
  roleArn?: string;
};

const EXAMPLES = `
Stacks, in this order: ${STACKS.join(', ')}

AWS credentials are those of the AWS CLI: AWS_PROFILE, aws sso login, keys in the
environment. Stacks are created in the profile's aws_region.

Examples:
  Look first: what would change, and who could do what then. Nothing is changed:
    $ ccwb deploy --dry-run

  Deploy every stack that the profile asks for; what they give is kept in it:
    $ ccwb deploy

  Without a terminal, for a pipeline:
    $ ccwb deploy --yes --json > deployed.json

  Another profile, one stack of it:
    $ ccwb deploy auth --profile Research

  Once, with models in three regions and nowhere else:
    $ ccwb deploy auth --bedrock-regions us-east-1,us-east-2,us-west-2 \\
        --no-global-inference

  Where you may only hand CloudFormation a role that may do the rest:
    $ ccwb deploy --role-arn arn:aws:iam::123456789012:role/deploys-ccwb

  From a config.json, without a profile:
    $ ccwb deploy --config config.json --infra infra.json --write-config

  Print the template and deploy it by other means:
    $ ccwb deploy auth --show-template > auth.json
    $ aws cloudformation deploy --stack-name ccwb-ClaudeCode-auth --region us-east-1 \\
        --template-file auth.json --capabilities CAPABILITY_IAM

Without a profile any well-formed value serves for what the stacks give until they
are deployed (identity_pool_id "us-east-1:0"): no template depends on it.
`;

/** Adds `ccwb deploy [stack...]`. */
export function addDeployCommand(program: Command, edges: AdminEdges): void {
  const command = program
    .command('deploy')
    .summary('create or update the stacks in AWS')
    .description(
      'Creates or updates the CloudFormation stacks of a profile. Shows the account, the changes and who may do ' +
        'what afterwards, asks, and follows CloudFormation to the end.',
    )
    .argument('[stack...]', 'which stacks (default: all)')
    .option('--dry-run', 'show what would change, and change nothing')
    .option('--show-template', 'print the template of one stack as JSON; needs no AWS')
    .option('-y, --yes', 'answer every question with yes, except the next one')
    .option('--allow-replacement', 'let what is in use be replaced or removed, such as an identity pool')
    .option('--role-arn <arn>', 'role with which CloudFormation makes the resources, now and from then on')
    .option('--json', 'print the result as JSON');
  addProfileOptions(command)
    .option(
      '--bedrock-regions <regions>',
      "regions in which models may run, separated by commas (default: the profile's aws_region)",
      splitList,
    )
    .option('--no-global-inference', 'refuse global inference profiles, which run in any commercial region')
    .option('--infra <file>', "JSON file of further settings, in the place of the profile's own")
    .option(
      '--write-config',
      'with --config: put the outputs into it; the file as it was stays as config.json.bak',
    )
    .addHelpText('after', EXAMPLES)
    .action((names: string[], flags: DeployFlags) => deploy(namedStacks(names), flags, edges));
}

/**
 * The stacks that a command line names, in the order of deployment; undefined when it names none.
 *
 * @throws CcwbError ERR_USAGE for a name that is no stack.
 */
export function namedStacks(names: readonly string[]): readonly StackId[] | undefined {
  const unknown = names.find((name) => !STACKS.some((stack) => stack === name));
  if (unknown !== undefined) {
    throw new CcwbError(
      'ERR_USAGE',
      `no stack ${JSON.stringify(unknown)}; allowed: ${STACKS.join(', ')}`,
      'run ccwb deploy --help',
    );
  }
  return names.length === 0 ? undefined : STACKS.filter((stack) => names.includes(stack));
}

function splitList(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean);
}
