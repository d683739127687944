import { STACKS, type StackId, stackName } from '../infra/outputs.ts';
import { CcwbError } from '../protocol/errors.ts';
import { confirm } from './confirm.ts';
import type { DeployFlags } from './deploy.ts';
import { type DeployedStack, deployStack } from './deploy-stack.ts';
import type { AdminIo } from './io.ts';
import { type Chosen, choose, openSession, type Session } from './session.ts';
import type { StackPlan } from './stack-plan.ts';
import { listWords, paragraph } from './text.ts';
import { configFields, writeConfigFields } from './write-config.ts';

/** What `ccwb deploy --json` prints, also when it fails half-way. */
export type DeployReport = {
  readonly profile: string;
  readonly account: string;
  readonly region: string;
  readonly caller: string;
  readonly stacks: readonly DeployedStack[];
  /** Fields of config.json and the values that belong there, as far as the stacks give them. */
  readonly config: Readonly<Record<string, string>>;
  /** Whether they were written there. */
  readonly configWritten: boolean;
  readonly error?: { readonly code: string; readonly message: string; readonly fix: string };
};

/** `ccwb deploy`, once its words are understood. */
export async function deploy(
  stacks: readonly StackId[] | undefined,
  flags: DeployFlags,
  io: AdminIo,
): Promise<void> {
  const chosen = choose(flags, io);
  const plans = await planStacks(stacks, chosen, flags);
  if (flags.showTemplate) {
    io.writeOut(`${JSON.stringify(onlyPlan(plans).template, undefined, 2)}\n`);
    return;
  }
  const session = await openSession(chosen, io);
  const dryRun = flags.dryRun === true;
  io.writeError(`stacks       ${listWords(plans.map(({ name }) => name))}\n`);
  if (dryRun) io.writeError('\nA dry run: nothing is changed.\n');
  else await confirm('Continue?', flags.yes === true, '--yes', io);

  const done: DeployedStack[] = [];
  let failure: unknown;
  let written = false;
  try {
    try {
      await deployAll(plans, done, chosen, session, flags, io);
    } finally {
      // What was deployed before a later stack failed counts.
      written = finish(done, chosen, flags, io);
    }
  } catch (thrown) {
    failure = thrown;
  }
  if (flags.json)
    io.writeOut(`${JSON.stringify(report(done, written, failure, chosen, session), undefined, 2)}\n`);
  else for (const stack of done) io.writeOut(outputLines(stack));
  if (failure !== undefined) throw failure;
}

async function planStacks(
  stacks: readonly StackId[] | undefined,
  { profile }: Chosen,
  flags: DeployFlags,
): Promise<StackPlan[]> {
  // Half a second of CDK that no other command should pay for.
  const { planStacks: plan } = await import('./synth.ts');
  return plan(stacks, profile, {
    regions: flags.bedrockRegions,
    globalInference: flags.globalInference,
    infraFile: flags.infra,
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
  { profile }: Chosen,
  { cloud, place }: Session,
  flags: DeployFlags,
  io: AdminIo,
): Promise<void> {
  const options = {
    yes: flags.yes === true,
    allowReplacement: flags.allowReplacement === true,
    dryRun: flags.dryRun === true,
  };
  const known = new Map<StackId, Readonly<Record<string, string>>>();
  for (const plan of plans) {
    // Outputs of stacks that are there and not among those deployed now.
    for (const stack of Object.values(plan.parameters).flatMap((source) =>
      'stack' in source ? [source.stack] : [],
    )) {
      if (known.has(stack)) continue;
      const state = await cloud.describeStack(stackName(profile.name, stack));
      if (state) known.set(stack, state.outputs);
    }
    const configOutputs = plan.id === 'auth' ? Object.values(configFields(profile)) : [];
    const deployed = await deployStack(plan, known, {
      cloud,
      io,
      place,
      options: { ...options, configOutputs },
    });
    known.set(plan.id, deployed.outputs);
    done.push(deployed);
  }
}

/** Tells what belongs into config.json, or writes it. @returns whether it stands there now. */
function finish(
  done: readonly DeployedStack[],
  { config, profile }: Chosen,
  flags: DeployFlags,
  io: AdminIo,
) {
  const fields = fieldsFrom(done, profile);
  const names = Object.keys(fields);
  if (names.length === 0 || flags.dryRun) return false;
  if (!flags.writeConfig) {
    const values = Object.entries(fields).map(([name, value]) => `"${name}": ${JSON.stringify(value)}`);
    io.writeError(
      paragraph(
        `\n${config.path} needs, in profile ${profile.name} (ccwb deploy --write-config puts it there):`,
        io.columns,
      ),
    );
    io.writeError(`  ${values.join(',\n  ')}\n`);
    return false;
  }
  const changed = writeConfigFields(config.path, profile.name, fields);
  const what = `${listWords(names)} of profile ${profile.name}`;
  const text = changed
    ? `\nWrote ${what} into ${config.path}; the file as it was is ${config.path}.bak`
    : `\n${config.path} has ${what} already`;
  io.writeError(paragraph(text, io.columns));
  return true;
}

function fieldsFrom(done: readonly DeployedStack[], profile: Chosen['profile']): Record<string, string> {
  const outputs = done.find(({ stack }) => stack === 'auth')?.outputs ?? {};
  const found = Object.entries(configFields(profile)).flatMap(([field, key]) => {
    const value = outputs[key];
    return value === undefined ? [] : [[field, value]];
  });
  return Object.fromEntries(found);
}

function report(
  stacks: readonly DeployedStack[],
  configWritten: boolean,
  failure: unknown,
  { profile }: Chosen,
  { identity, place }: Session,
): DeployReport {
  return {
    profile: profile.name,
    account: identity.account,
    region: place.region,
    caller: identity.arn,
    stacks,
    config: fieldsFrom(stacks, profile),
    configWritten,
    ...(failure instanceof CcwbError ? { error: failure.toBody().error } : {}),
  };
}

function outputLines({ name, result, outputs }: DeployedStack): string {
  const entries = Object.entries(outputs);
  const width = Math.max(0, ...entries.map(([key]) => key.length));
  return `${name}  ${result}\n${entries.map(([key, value]) => `  ${key.padEnd(width)}  ${value}\n`).join('')}`;
}
