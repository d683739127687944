import type { Command } from 'commander';
import { STACKS, type StackId } from '../infra/outputs.ts';
import { chooseProfile, loadConfig, profileNamed } from '../protocol/config.ts';
import { CcwbError } from '../protocol/errors.ts';
import { resolveConfigPath, thisProcess } from '../protocol/paths.ts';
import type { AdminIo } from './io.ts';

type DeployFlags = {
  showTemplate?: true;
  config?: string;
  profile?: string;
  bedrockRegions?: string[];
  /** False with --no-global-inference. */
  globalInference: boolean;
  infra?: string;
};

const EXAMPLES = `
Stacks: ${STACKS.join(', ')}

Examples:
  Print the template of the auth stack for the profile ClaudeCode:
    $ ccwb deploy auth --show-template

  For another profile, with models in three regions and nowhere else:
    $ ccwb deploy auth --show-template --profile Research \\
        --bedrock-regions us-east-1,us-east-2,us-west-2 --no-global-inference

  Print the stacks that collect telemetry, as the file describes them:
    $ ccwb deploy networking --show-template --infra infra.json
    $ ccwb deploy monitoring --show-template --infra infra.json

  Create the stack from the printed template, in the profile's aws_region:
    $ ccwb deploy auth --show-template > auth.json
    $ aws cloudformation deploy --stack-name ccwb-ClaudeCode-auth --region us-east-1 \\
        --template-file auth.json --capabilities CAPABILITY_IAM

The outputs of the stack belong in config.json. Until they exist any well-formed value serves
(identity_pool_id "us-east-1:0"): no template depends on it.
`;

/** Adds `ccwb deploy [stack...]`. Until it can deploy by itself it prints templates, and says so. */
export function addDeployCommand(program: Command, io: AdminIo): void {
  program
    .command('deploy')
    .summary('print the CloudFormation template of a stack')
    .description(
      'Prints the CloudFormation template of a stack (--show-template). Deploying it is not part of this version.',
    )
    .argument('[stack...]', 'which stack')
    .option('--show-template', 'print the template as JSON')
    .option('--config <file>', 'config.json to read (default: CCWB_CONFIG, else the installed one)')
    .option('--profile <name>', 'profile in it (default: CCWB_PROFILE, else ClaudeCode, else the only one)')
    .option(
      '--bedrock-regions <regions>',
      "regions in which models may run, separated by commas (default: the profile's aws_region)",
      splitList,
    )
    .option('--no-global-inference', 'refuse global inference profiles, which run in any commercial region')
    .option('--infra <file>', 'JSON file of further settings: groups, models, audit, monitoring')
    .addHelpText('after', EXAMPLES)
    .action(async (stacks: string[], flags: DeployFlags) => {
      io.writeOut(await deploy(stacks, flags, io));
    });
}

async function deploy(stacks: readonly string[], flags: DeployFlags, io: AdminIo): Promise<string> {
  const stack = oneStack(stacks);
  if (!flags.showTemplate) {
    throw new CcwbError(
      'ERR_USAGE',
      'this version cannot deploy by itself, only print templates',
      `run ccwb deploy ${stack} --show-template and create the stack from it (ccwb deploy --help shows how)`,
    );
  }
  const config = loadConfig(flags.config ?? resolveConfigPath({ ...thisProcess(), env: io.env }));
  const profile = profileNamed(config, chooseProfile(config, flags.profile, io.env.CCWB_PROFILE));
  // Half a second of CDK that no other command should pay for.
  const { synthesizeTemplate } = await import('./synth.ts');
  const template = synthesizeTemplate(stack, profile, {
    regions: flags.bedrockRegions,
    globalInference: flags.globalInference,
    infraFile: flags.infra,
  });
  return `${JSON.stringify(template, undefined, 2)}\n`;
}

function oneStack(names: readonly string[]): StackId {
  const [name, ...more] = names;
  const stack = STACKS.find((known) => known === name);
  if (stack && more.length === 0) return stack;
  throw new CcwbError(
    'ERR_USAGE',
    `deploy takes one stack, received ${names.length === 0 ? 'none' : names.join(' ')}; allowed: ${STACKS.join(', ')}`,
    'run ccwb deploy auth --show-template',
  );
}

function splitList(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean);
}
