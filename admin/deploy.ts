import type { Command } from 'commander';
import { STACKS, type StackId } from '../infra/outputs.ts';
import { CcwbError } from '../protocol/errors.ts';
import { deploy } from './deploy-command.ts';
import type { AdminIo } from './io.ts';
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
};

const EXAMPLES = `
Stacks, in this order: ${STACKS.join(', ')}

AWS credentials are those of the AWS CLI: AWS_PROFILE, aws sso login, keys in the
environment. Stacks are created in the profile's aws_region.

Examples:
  Look first: what would change, and who could do what then. Nothing is changed:
    $ ccwb deploy --dry-run

  Deploy every stack, and put what they give into config.json:
    $ ccwb deploy --write-config

  Without a terminal, for a pipeline:
    $ ccwb deploy --yes --json > deployed.json

  For another profile, with models in three regions and nowhere else:
    $ ccwb deploy auth --profile Research \\
        --bedrock-regions us-east-1,us-east-2,us-west-2 --no-global-inference

  With telemetry, dashboard and analytics, as a file describes them:
    $ ccwb deploy --infra infra.json
    $ ccwb deploy monitoring --show-template --infra infra.json

  Print the template and deploy it by other means:
    $ ccwb deploy auth --show-template > auth.json
    $ aws cloudformation deploy --stack-name ccwb-ClaudeCode-auth --region us-east-1 \\
        --template-file auth.json --capabilities CAPABILITY_IAM

Until the outputs of the stacks are in config.json any well-formed value serves
(identity_pool_id "us-east-1:0"): no template depends on it.
`;

/** Adds `ccwb deploy [stack...]`. */
export function addDeployCommand(program: Command, io: AdminIo): void {
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
    .option('--write-config', 'put the outputs into config.json; the file as it was stays as config.json.bak')
    .option('--json', 'print the result as JSON');
  addProfileOptions(command)
    .option(
      '--bedrock-regions <regions>',
      "regions in which models may run, separated by commas (default: the profile's aws_region)",
      splitList,
    )
    .option('--no-global-inference', 'refuse global inference profiles, which run in any commercial region')
    .option('--infra <file>', 'JSON file of further settings: groups, models, audit, monitoring')
    .addHelpText('after', EXAMPLES)
    .action((names: string[], flags: DeployFlags) => deploy(namedStacks(names), flags, io));
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
