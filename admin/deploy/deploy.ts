import { STACKS, type StackId, stackName } from '../../infra/outputs.ts';
import { partitionOf } from '../../infra/profile/partition.ts';
import { CcwbError } from '../../protocol/errors.ts';
import { type AwsConnection, connectToAws } from '../aws/connection.ts';
import { retryWhileUnreachable } from '../aws/retry.ts';
import type { AdminEdges } from '../edges.ts';
import { deployPolicy, MAX_POLICY_CHARACTERS, policyCharacters } from '../permissions/deploy-policy.ts';
import { type ChosenProfile, type ProfileFlags, readChosenProfile } from '../profiles/chosen-profile.ts';
import { confirm } from '../terminal/confirm.ts';
import { listWords, paragraph } from '../terminal/text.ts';
import { deployStack } from './deploy-stack.ts';
import type { DeployedStack } from './deployment.ts';
import { parseStackNames } from './stack-names.ts';
import type { StackPlan } from './stack-plan.ts';
import { configFieldsFrom, reportOutputs, storeOutputs } from './store-outputs.ts';
import { configFields } from './write-config.ts';

export type DeployFlags = ProfileFlags & {
  showTemplate?: true;
  printPermissions?: true;
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

/** The form that `ccwb deploy --json` prints, also after a failure in a later stack. */
export type DeployReport = {
  readonly profile: string;
  readonly account: string;
  readonly region: string;
  readonly caller: string;
  readonly stacks: readonly DeployedStack[];
  /** Fields of config.json with their values, as far as the deployed stacks provide them. */
  readonly config: Readonly<Record<string, string>>;
  /** True when those values were written into config.json. */
  readonly configWritten: boolean;
  /** True when the outputs were stored in the administrator's profile. */
  readonly stored: boolean;
  readonly error?: { readonly code: string; readonly message: string; readonly fix: string };
};

/** Runs `ccwb deploy`. */
export async function deploy(names: readonly string[], flags: DeployFlags, edges: AdminEdges): Promise<void> {
  const stacks = parseStackNames(names);
  const chosen = readChosenProfile(flags, edges);
  checkFlags(flags, chosen);
  const plans = await planStacks(stacks, chosen, flags);
  if (flags.showTemplate) {
    edges.writeOut(`${JSON.stringify(onlyPlan(plans).template, undefined, 2)}\n`);
    return;
  }
  if (flags.printPermissions) return printPermissions(plans, chosen, edges);
  const connection = await connectToAws(chosen, edges);
  const dryRun = flags.dryRun === true;
  edges.writeError(`stacks       ${listWords(plans.map(({ name }) => name))}\n`);
  if (dryRun) edges.writeError('\nA dry run: nothing is changed.\n');
  else await confirm('Continue?', flags.yes === true, '--yes', edges);

  const done: DeployedStack[] = [];
  let failure: unknown;
  let kept = { stored: false, configWritten: false };
  try {
    try {
      await deployAll(plans, done, chosen, connection, flags, edges);
    } finally {
      // Stacks deployed before a failed one keep their outputs.
      if (!dryRun) kept = reportOutputs(done, chosen, flags.writeConfig === true, edges);
    }
  } catch (thrown) {
    failure = thrown;
  }
  if (flags.json)
    edges.writeOut(`${JSON.stringify(report(done, kept, failure, chosen, connection), undefined, 2)}\n`);
  else for (const stack of done) edges.writeOut(outputLines(stack));
  if (failure !== undefined) throw failure;
}

function checkFlags({ writeConfig, roleArn }: DeployFlags, { admin, path }: ChosenProfile): void {
  if (writeConfig && admin) {
    throw new CcwbError(
      'ERR_USAGE',
      `--write-config goes with --config FILE; the outputs of a profile's stacks are always kept in it (${path})`,
      'leave --write-config out',
    );
  }
  if (roleArn !== undefined && !/^arn:[\w-]+:iam::\d{12}:role\/\S+$/.test(roleArn)) {
    throw new CcwbError(
      'ERR_USAGE',
      `--role-arn is ${JSON.stringify(roleArn)}; allowed: the ARN of an IAM role that CloudFormation may take`,
      'run ccwb deploy --help',
    );
  }
}

function printPermissions(plans: readonly StackPlan[], { profile }: ChosenProfile, edges: AdminEdges): void {
  const policy = deployPolicy(
    plans.map(({ template }) => template),
    partitionOf(profile.awsRegion) ?? 'aws',
  );
  edges.writeOut(`${JSON.stringify(policy, undefined, 2)}\n`);
  if (policyCharacters(policy) <= MAX_POLICY_CHARACTERS) return;
  const text = `A managed policy of IAM may have ${MAX_POLICY_CHARACTERS} characters, and this one has more: print one for each stack, as in ccwb deploy auth --print-permissions`;
  edges.writeError(paragraph(text, edges.columns));
}

async function planStacks(
  stacks: readonly StackId[] | undefined,
  { profile, admin, path }: ChosenProfile,
  flags: DeployFlags,
): Promise<StackPlan[]> {
  // CDK takes half a second to load, so only this command loads it.
  const { planStacks: plan } = await import('./synth.ts');
  return plan(stacks, profile, {
    regions: flags.bedrockRegions,
    globalInference: flags.globalInference,
    infraFile: flags.infra,
    admin: admin && { infra: admin.infra, path },
  });
}

function onlyPlan(plans: readonly StackPlan[]): StackPlan {
  const [plan, ...more] = plans;
  if (plan && more.length === 0) return plan;
  throw new CcwbError(
    'ERR_USAGE',
    `--show-template prints one stack; name one of ${STACKS.join(', ')}`,
    'run ccwb deploy auth --show-template',
  );
}

async function deployAll(
  plans: readonly StackPlan[],
  done: DeployedStack[],
  { profile, admin }: ChosenProfile,
  { cloud, target }: AwsConnection,
  flags: DeployFlags,
  edges: AdminEdges,
): Promise<void> {
  const options = {
    yes: flags.yes === true,
    allowReplacement: flags.allowReplacement === true,
    dryRun: flags.dryRun === true,
    roleArn: flags.roleArn,
  };
  const known = new Map<StackId, Readonly<Record<string, string>>>();
  const deployOne = async (plan: StackPlan): Promise<DeployedStack> => {
    // Outputs of existing stacks that this run does not deploy.
    for (const stack of Object.values(plan.parameters).flatMap((source) =>
      'stack' in source ? [source.stack] : [],
    )) {
      if (known.has(stack)) continue;
      const state = await cloud.describeStack(stackName(profile.name, stack));
      if (state) known.set(stack, state.outputs);
    }
    const configOutputs = plan.id === 'auth' ? Object.values(configFields(profile)) : [];
    return deployStack(plan, known, { cloud, edges, target, options: { ...options, configOutputs } });
  };
  for (const plan of plans) {
    // A failure after the first stack is an outage, not a wrong address. With --yes a retry repeats no question.
    const patient = options.yes && done.length > 0;
    const deployed = await (patient ? retryWhileUnreachable(() => deployOne(plan), edges) : deployOne(plan));
    known.set(plan.id, deployed.outputs);
    if (admin && !options.dryRun) storeOutputs(admin, deployed, edges);
    done.push(deployed);
  }
}

function report(
  stacks: readonly DeployedStack[],
  kept: Pick<DeployReport, 'stored' | 'configWritten'>,
  failure: unknown,
  { profile }: ChosenProfile,
  { identity, target }: AwsConnection,
): DeployReport {
  return {
    profile: profile.name,
    account: identity.account,
    region: target.region,
    caller: identity.arn,
    stacks,
    config: configFieldsFrom(stacks, profile),
    ...kept,
    ...(failure instanceof CcwbError ? { error: failure.toBody().error } : {}),
  };
}

function outputLines({ name, result, outputs }: DeployedStack): string {
  const entries = Object.entries(outputs);
  const width = Math.max(0, ...entries.map(([key]) => key.length));
  return `${name}  ${result}\n${entries.map(([key, value]) => `  ${key.padEnd(width)}  ${value}\n`).join('')}`;
}
