import { STACKS } from '../../infra/outputs.ts';
import type { DeployFlags } from '../deploy/deploy.ts';
import type { AdminCommand, CommandCall } from './command.ts';
import { PROFILE_FLAGS } from './profile-flags.ts';

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

  Once, with calls from three regions, and no global profiles:
    $ ccwb deploy auth --bedrock-regions us-east-1,us-east-2,us-west-2 \\
        --no-global-inference

  Where you may only hand CloudFormation a role that may do the rest:
    $ ccwb deploy --role-arn arn:aws:iam::123456789012:role/deploys-ccwb

  From a config.json, without a profile:
    $ ccwb deploy --config config.json --infra infra.json --write-config

  Print the IAM policy that deploying needs:
    $ ccwb deploy monitoring --print-permissions > policy.json

  Print the template and deploy it by other means:
    $ ccwb deploy auth --show-template > auth.json
    $ aws cloudformation deploy --stack-name ccwb-ClaudeCode-auth --region us-east-1 \\
        --template-file auth.json --capabilities CAPABILITY_IAM

Without a profile any well-formed value serves for what the stacks give until they
are deployed (identity_pool_id "us-east-1:0"): no template depends on it.
`;

export const DEPLOY: AdminCommand = {
  name: 'deploy',
  summary: 'create or update the stacks in AWS',
  description:
    'Creates or updates the CloudFormation stacks of a profile. Shows the account, the changes and who may do ' +
    'what afterwards, asks, and follows CloudFormation to the end.',
  operand: { name: '[stack...]', text: 'which stacks (default: all)' },
  flags: [
    { flags: '--dry-run', text: 'show what would change, and change nothing' },
    { flags: '--show-template', text: 'print the template of one stack as JSON; needs no AWS' },
    { flags: '--print-permissions', text: 'print the IAM policy that deploying needs as JSON; needs no AWS' },
    { flags: '-y, --yes', text: 'answer every question with yes, except the next one' },
    {
      flags: '--allow-replacement',
      text: 'let what is in use be replaced or removed, such as an identity pool',
    },
    {
      flags: '--role-arn <arn>',
      text: 'role with which CloudFormation makes the resources, now and from then on',
    },
    { flags: '--json', text: 'print the result as JSON' },
    ...PROFILE_FLAGS,
    {
      flags: '--bedrock-regions <regions>',
      text: "regions to call Bedrock from, separated by commas (default: the profile's aws_region)",
      parse: splitList,
    },
    {
      flags: '--no-global-inference',
      text: 'refuse global inference profiles, which run in any commercial region',
    },
    { flags: '--infra <file>', text: "JSON file of further settings, in the place of the profile's own" },
    {
      flags: '--write-config',
      text: 'with --config: put the outputs into it; the file as it was stays as config.json.bak',
    },
  ],
  notes: EXAMPLES,
  run: async ({ flags, operands, edges }: CommandCall<DeployFlags>) => {
    const { deploy } = await import('../deploy/deploy.ts');
    await deploy(operands, flags, edges);
  },
};

function splitList(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean);
}
